// Package report is what the two programs say to each other: the probe's
// report about a node, the client's request for it, and the frames that carry
// both through a container's standard streams.
package report

// APIVersion and Kind name the schema of a NodeReport. A report of another
// version is refused, see Decode.
const (
	APIVersion = "nodedoc.io/v1alpha1"
	Kind       = "NodeReport"
)

// NodeReport is what one run of the probe says about one node.
//
// Three things are kept apart throughout: a value (zero included), a value
// that the kernel does not have (nil, or the section is absent), and a value
// that could not be read (nil, and an entry in the section's Unreadable).
// All text is escaped by Escape.
type NodeReport struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`

	Probe      Probe       `json:"probe"`
	Node       Node        `json:"node"`
	OpenFiles  *OpenFiles  `json:"openFiles,omitempty"`
	Processes  *Processes  `json:"processes,omitempty"`
	Containers *Containers `json:"containers,omitempty"`
	Background *Background `json:"background,omitempty"`
	Found      *Found      `json:"found,omitempty"`
	Mounts     *Mounts     `json:"mounts,omitempty"`
	Devices    *Devices    `json:"devices,omitempty"`
	Tasks      *Tasks      `json:"tasks,omitempty"`
	Kubelet    *Kubelet    `json:"kubelet,omitempty"`
	Memory     *Memory     `json:"memory,omitempty"`
	OOM        *OOM        `json:"oom,omitempty"`
	Pipes      *Pipes      `json:"pipes,omitempty"`
	Runtime    *Runtime    `json:"runtime,omitempty"`
	Logs       *Logs       `json:"logs,omitempty"`
	Recording  *Recording  `json:"recording,omitempty"`
}

// Probe says which program made the report, and how.
type Probe struct {
	Version string `json:"version"`
	PID     int    `json:"pid"`
	// TookMillis is the wall time of all collectors, sampling included.
	TookMillis int64 `json:"tookMillis"`
	// Root is the path through which the node's own files were read.
	Root string `json:"root"`
	// Failed lists collectors that did not finish, e.g. by their deadline.
	Failed []Unreadable `json:"failed,omitempty"`
	// Standby is there where one made the report.
	Standby *Standby `json:"standby,omitempty"`
}

// Standby is a probe that was on the node before it was asked.
type Standby struct {
	// Sick is why it took the node for sick, as it kept the report by itself.
	Sick []string `json:"sick,omitempty"`
}

const (
	// KeptDir is where on the node a standby keeps its last report: the kubelet serves
	// /var/log.
	KeptDir = "/var/log/nodedoc"
	// KeptName is the report's file, as EncodeReport packs it.
	KeptName = "report.gz"
)

// Node is the node as its kernel describes it.
type Node struct {
	Hostname string `json:"hostname,omitempty"`
	// Kernel is /proc/sys/kernel/osrelease, OS is PRETTY_NAME of os-release(5).
	Kernel string `json:"kernel,omitempty"`
	OS     string `json:"os,omitempty"`
	Arch   string `json:"arch,omitempty"`
	BootID string `json:"bootID,omitempty"`
	// BootTime and Now are seconds of the node's own clock, since 1970.
	// Ages are computed from these two, never from the client's clock.
	BootTime int64   `json:"bootTime,omitempty"`
	Now      int64   `json:"now,omitempty"`
	Uptime   float64 `json:"uptime,omitempty"`
	// ClockTicks is USER_HZ, the unit of Process.StartTicks (ticks per second).
	ClockTicks int `json:"clockTicks,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// OpenFiles are the node's totals of open file descriptions. The kernel counts
// open files here, not descriptors: a fork or dup adds none.
type OpenFiles struct {
	// Max is fs.file-max, PerProcessMax is fs.nr_open.
	Max           *uint64 `json:"max,omitempty"`
	PerProcessMax *uint64 `json:"perProcessMax,omitempty"`
	// Inotify are the limits per user, fs.inotify.*.
	Inotify InotifyLimits `json:"inotify,omitzero"`
	// Samples of fs.file-nr's first field, oldest first.
	Samples []FileSample `json:"samples,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// InotifyLimits are what one user may have, inotify(7): beyond them
// inotify_init fails with EMFILE, which reads "too many open files", and
// inotify_add_watch with ENOSPC.
type InotifyLimits struct {
	MaxInstances *uint64 `json:"maxInstances,omitempty"`
	MaxWatches   *uint64 `json:"maxWatches,omitempty"`
}

// FileSample is the number of allocated file handles at one moment.
type FileSample struct {
	AtMillis  int64  `json:"atMillis"` // since the first sample
	Allocated uint64 `json:"allocated"`
}

// Unreadable says what could not be read, and why. Paths that differ by PID
// only are one entry.
type Unreadable struct {
	What  string `json:"what"`
	Cause string `json:"cause"`
	Count int    `json:"count,omitempty"` // 0 means once
}
