package report

// Tasks are the node's processes and threads as what the kernel counts: each
// thread, of programs and its own, takes one id of pid_max.
type Tasks struct {
	// PIDMax is kernel.pid_max, ThreadsMax kernel.threads-max.
	PIDMax     *uint64 `json:"pidMax,omitempty"`
	ThreadsMax *uint64 `json:"threadsMax,omitempty"`
	// Total is the second number of /proc/loadavg's fourth field: all that exist,
	// in every pid namespace.
	Total *uint64 `json:"total,omitempty"`
	// KernelThreads are grouped by name, ids and devices folded, the largest first.
	KernelThreads []KernelThreadGroup `json:"kernelThreads,omitempty"`
	// Blocked are tasks that were in uninterruptible sleep at two looks, Left those
	// beyond a bound. ThreadsUnseen counts threads that were not looked at.
	Blocked       []BlockedTask `json:"blocked,omitempty"`
	Left          int           `json:"left,omitempty"`
	ThreadsUnseen int           `json:"threadsUnseen,omitempty"`
	// LookedMillis lies between the two looks; 0: at the first nobody was.
	LookedMillis int64 `json:"lookedMillis,omitempty"`
	// Stacks are the functions of the kernel that blocked tasks wait in, each list once,
	// the innermost first, parted by spaces.
	Stacks []string `json:"stacks,omitempty"`
	// SilentNFS are the NFS servers that do not respond by the last word of the
	// kernel's log, read where a task is blocked.
	SilentNFS []SilentServer `json:"silentNFS,omitempty"`
	// Limits are the cgroups with a limit of their own, pids.max, and those in
	// which forks were refused. NoPIDsController: this kernel does not limit them.
	Limits           []TaskLimit `json:"limits,omitempty"`
	NoPIDsController bool        `json:"noPIDsController,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// KernelThreadGroup are kernel threads whose names differ by ids and devices
// only.
type KernelThreadGroup struct {
	Pattern string `json:"pattern"` // "jbd2/*", "ksoftirqd/*"
	Count   int    `json:"count"`
	// Devices counts those that the names tell apart; 0: they name none.
	Devices int `json:"devices,omitempty"`
	// Names are the devices as the names have them, by name or number, sorted;
	// bounded, so that there may be fewer than Devices.
	Names  []ThreadDeviceName `json:"names,omitempty"`
	Sample int                `json:"sample"` // the pid of one
	// Blocked counts those in uninterruptible sleep.
	Blocked int `json:"blocked,omitempty"`
}

// ThreadDeviceName is a device as the names of kernel threads have it.
type ThreadDeviceName struct {
	Name string `json:"name"` // "vdfiw", "253:0"
	// Cut: the thread's name ends where the kernel cuts names, so the device's
	// may go on.
	Cut bool `json:"cut,omitempty"`
	// Threads of the group have this name; 0 means one.
	Threads int `json:"threads,omitempty"`
}

// BlockedTask is a thread in uninterruptible sleep (D).
type BlockedTask struct {
	TID  int    `json:"tid"`
	PID  int    `json:"pid"`
	Comm string `json:"comm"`
	// Wchan is the kernel function that it waits in, /proc/PID/task/TID/wchan;
	// "" where the kernel does not say.
	Wchan string `json:"wchan,omitempty"`
	// StayedMillis is the time between two looks, in which it has not run at all:
	// for at least so long it waits. 0: it has run, and waits for one short
	// thing after another, or nobody could tell.
	StayedMillis int64 `json:"stayedMillis"`
	// Switched is how often it was switched to in between, where that can be told.
	Switched uint64 `json:"switched,omitempty"`
	// Stack is the place of its functions in Tasks.Stacks, counted from 1; 0: nobody
	// could read them.
	Stack int `json:"stack,omitempty"`
	// LoggedSeconds is what the kernel's log last said of a task that still stays,
	// "blocked for more than 122 seconds"; 0: nothing. It may have run in between.
	LoggedSeconds int64 `json:"loggedSeconds,omitempty"`
	Kernel        bool  `json:"kernel,omitempty"`
}

// SilentServer is a server of which the kernel's log says that it does not respond.
// Who gave up waiting for it leaves that as the last word.
type SilentServer struct {
	Name string `json:"name"`
	// Since is the first such line since it last answered, Last the last one, seconds
	// after boot; absent where the log has no times.
	Since *float64 `json:"since,omitempty"`
	Last  *float64 `json:"last,omitempty"`
	// GaveUp: by the last line a soft mount did; it never says that the server answers.
	GaveUp bool `json:"gaveUp,omitempty"`
}

// TaskLimit is a cgroup's count against its limit, from the pids controller.
type TaskLimit struct {
	// Path is the cgroup's from the root of its hierarchy.
	Path string `json:"path"`
	// Current counts the threads in it and below.
	Current uint64 `json:"current"`
	// Max is nil for "max".
	Max *uint64 `json:"max,omitempty"`
	// Refused counts forks that failed by this limit, pids.events. Before Linux
	// 6.11 they count where the fork was tried, below the cgroup with the limit.
	Refused uint64 `json:"refused,omitempty"`
}
