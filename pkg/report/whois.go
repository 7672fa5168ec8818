package report

// Background is what stands behind the processes that a request names: the
// host's units, timers, cron files, sessions and devices. Parsing what it quotes
// is the reader's work.
type Background struct {
	Zone Zone `json:"zone"`
	// Units are the unit files of the host's asked processes, Timers those
	// that start one of these units.
	Units  []Unit  `json:"units,omitempty"`
	Timers []Timer `json:"timers,omitempty"`
	Cron   []Cron  `json:"cron,omitempty"`
	// Sessions are logind's records of the asked processes' sessions and users.
	Sessions []Session `json:"sessions,omitempty"`
	// Devices are those behind the asked kernel threads.
	Devices []ThreadDevice `json:"devices,omitempty"`
	// Mounted counts the distinct devices per filesystem type in the node's
	// mount namespace, where a kernel thread's name has a type and no device.
	Mounted []Counted `json:"mounted,omitempty"`
	// HostNamespaces are those of the node's first process, LastCapability is
	// the highest that its kernel has.
	HostNamespaces []Namespace `json:"hostNamespaces,omitempty"`
	LastCapability *int        `json:"lastCapability,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// Zone is the node's time zone: the name that /etc/localtime leads to, "" where
// it is no link, and its content, tzfile(5); nil means UTC.
type Zone struct {
	Name string `json:"name,omitempty"`
	TZif []byte `json:"tzif,omitempty"`
}

// ThreadDevice is a device that a kernel thread works for.
type ThreadDevice struct {
	PID    int    `json:"pid"`
	Name   string `json:"name"`
	Number string `json:"number"` // "253:0"
	// Guessed: the thread's name is cut, and other devices fit too.
	Guessed bool `json:"guessed,omitempty"`
	// DMName is the device mapper's name, BackingFile a loop device's file.
	DMName      string `json:"dmName,omitempty"`
	BackingFile string `json:"backingFile,omitempty"`
	// Mounts are where the node has it mounted; MountsTotal counts those left
	// out too.
	Mounts      []DeviceMount `json:"mounts,omitempty"`
	MountsTotal int           `json:"mountsTotal,omitempty"`
}

// DeviceMount is one mount of a device, proc_pid_mountinfo(5).
type DeviceMount struct {
	Point  string `json:"point"`
	Root   string `json:"root,omitempty"` // where not "/"
	FSType string `json:"fsType"`
	Source string `json:"source,omitempty"`
}

// Session is a file of /run/systemd/sessions or /run/systemd/users.
type Session struct {
	File   string    `json:"file"`
	Values []Setting `json:"values,omitempty"`
}
