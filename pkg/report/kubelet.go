package report

// Kubelet is the node's kubelet as a process.
type Kubelet struct {
	PID int `json:"pid"`
	// RootDir is its --root-dir, "/var/lib/kubelet" where none is given.
	RootDir string `json:"rootDir"`
	// CPUPercent is its use of one core over SampleMillis, in percent; nil: it
	// could not be read twice.
	CPUPercent   *float64 `json:"cpuPercent,omitempty"`
	SampleMillis int64    `json:"sampleMillis,omitempty"`
	RSSBytes     int64    `json:"rssBytes,omitempty"`

	// Daemons are the kubelet itself, and the container runtimes' daemons of the host.
	Daemons []DaemonProcess `json:"daemons,omitempty"`

	// Flags are those of its command line that set thresholds and reservations, by
	// name without dashes: eviction-hard, kube-reserved.
	Flags map[string]string `json:"flags,omitempty"`
	// Configs are its configuration files, the main one first and then the drop-ins
	// of --config-dir in their order.
	Configs []KubeletConfigFile `json:"configs,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// DaemonProcess is what a daemon uses.
type DaemonProcess struct {
	PID  int    `json:"pid"`
	Comm string `json:"comm"`
	// CPUPercent is of one core, over SampleMillis; nil: it could not be read twice.
	CPUPercent   *float64 `json:"cpuPercent,omitempty"`
	SampleMillis int64    `json:"sampleMillis,omitempty"`
	RSSBytes     int64    `json:"rssBytes,omitempty"`
	Threads      int      `json:"threads,omitempty"`
	FDs          *int     `json:"fds,omitempty"` // nil: could not be counted
	// StartTicks is as in Process.
	StartTicks uint64 `json:"startTicks,omitempty"`
}

// KubeletConfigFile is a KubeletConfiguration as it stands on the node, cut down to
// the fields that set thresholds, reservations and limits: others may hold secrets.
type KubeletConfigFile struct {
	Path string `json:"path"`
	// DropIn: it changes what stands in the files before it.
	DropIn bool `json:"dropIn,omitempty"`
	// Text is YAML or JSON, escaped as all text is: Unescape it before parsing.
	Text string `json:"text"`
}
