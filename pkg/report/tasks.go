package report

// Tasks are the node's processes and threads as what the kernel counts: each
// thread, of programs and its own, takes one id of pid_max.
type Tasks struct {
	// PIDMax is kernel.pid_max, ThreadsMax kernel.threads-max.
	PIDMax     *uint64 `json:"pidMax,omitempty"`
	ThreadsMax *uint64 `json:"threadsMax,omitempty"`
	// Total is the second number of /proc/loadavg's fourth field: all that exist.
	Total *uint64 `json:"total,omitempty"`
	// KernelThreads are grouped by name, ids and devices folded.
	KernelThreads []KernelThreadGroup `json:"kernelThreads,omitempty"`
	// Blocked are tasks in uninterruptible sleep, Left those beyond a bound.
	Blocked []BlockedTask `json:"blocked,omitempty"`
	Left    int           `json:"left,omitempty"`
	// Limits are the cgroups with a limit of their own, pids.max.
	Limits []TaskLimit `json:"limits,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// KernelThreadGroup are kernel threads whose names differ by ids and devices
// only.
type KernelThreadGroup struct {
	Pattern string `json:"pattern"` // "jbd2/*-8", "ksoftirqd/*"
	Count   int    `json:"count"`
	// Devices counts those that the names tell apart; 0: they name none.
	Devices int `json:"devices,omitempty"`
	Sample  int `json:"sample"` // the pid of one
	// Blocked counts those in uninterruptible sleep.
	Blocked int `json:"blocked,omitempty"`
}

// BlockedTask is a thread in uninterruptible sleep (D).
type BlockedTask struct {
	TID  int    `json:"tid"`
	PID  int    `json:"pid"`
	Comm string `json:"comm"`
	// Wchan is the kernel function that it waits in, /proc/PID/task/TID/wchan;
	// "" where the kernel does not say.
	Wchan string `json:"wchan,omitempty"`
	// Since is when it last began to wait, as far as two looks can tell: the
	// length in milliseconds in which it was seen to stay, without having run.
	StayedMillis int64 `json:"stayedMillis"`
	Kernel       bool  `json:"kernel,omitempty"`
}

// TaskLimit is a cgroup's count against its limit, from the pids controller.
type TaskLimit struct {
	// Path is the cgroup's, as Processes.Cgroups has it.
	Path    string `json:"path"`
	Current uint64 `json:"current"`
	// Max is nil for "max".
	Max *uint64 `json:"max,omitempty"`
	// Refused counts forks that failed by this limit, pids.events.
	Refused uint64 `json:"refused,omitempty"`
}
