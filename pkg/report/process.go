package report

// Processes is the node's process table.
type Processes struct {
	// Total counts thread groups seen, kernel threads included.
	Total int `json:"total"`
	// KernelThreads are counted, and listed only where a request names them.
	KernelThreads int `json:"kernelThreads"`
	// Vanished processes ended while they were being read; that is no error.
	Vanished int `json:"vanished,omitempty"`
	// FDIntervalMillis lies between the two counts FDs.Before and FDs.Count.
	FDIntervalMillis int64 `json:"fdIntervalMillis,omitempty"`
	// FDMethod tells how descriptors were counted: "st_size" of /proc/PID/fd
	// (Linux 6.2 and later) or "getdents".
	FDMethod string `json:"fdMethod,omitempty"`
	// FileTypes is for how many classified descriptors statx(2) has told the
	// file's type, see Request.FileTypes; nil: it was not asked.
	FileTypes *int `json:"fileTypes,omitempty"`

	List []Process `json:"list"`
	// Cgroups are the distinct /proc/PID/cgroup files; Process.Cgroup indexes them.
	Cgroups []Cgroup `json:"cgroups"`
	// Users are the host's names of the uids in List, where it has any.
	Users []User `json:"users,omitempty"`
	// Missing are requested ids that are neither process nor thread here.
	Missing []int `json:"missing,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// Process is one thread group, from /proc/PID (proc(5)).
type Process struct {
	PID  int    `json:"pid"`
	PPID int    `json:"ppid"`
	Comm string `json:"comm"`
	// Cmdline joins the arguments by spaces. CmdlineCut: it was longer.
	Cmdline    string `json:"cmdline,omitempty"`
	CmdlineCut bool   `json:"cmdlineCut,omitempty"`
	State      string `json:"state"` // one letter: R S D Z T t X I
	Kernel     bool   `json:"kernel,omitempty"`
	Threads    int    `json:"threads"`
	// Blocked: its stat, links and descriptors do not answer, or were not tried
	// after too many others (Unreadable says which). It waits in the kernel, most
	// likely in an execve that closes files of a dead filesystem.
	Blocked bool `json:"blocked,omitempty"`
	// StartTicks is the start time after boot, in Node.ClockTicks; 0 if Blocked.
	StartTicks uint64 `json:"startTicks"`
	RSSBytes   int64  `json:"rssBytes"`
	// UID is the effective user, read where the request asks for users, and of
	// whoever holds inotify instances.
	UID *int `json:"uid,omitempty"`
	// Cgroup is an index into Processes.Cgroups, -1 where it was unreadable.
	Cgroup int `json:"cgroup"`
	// FDs is nil for kernel threads, zombies, and where it was unreadable.
	FDs *FDs `json:"fds,omitempty"`
	// Memory is read where the request asks for it.
	Memory *ProcessMemory `json:"memory,omitempty"`
	// Shim is set for a runtime's per-container monitor process.
	Shim *Shim `json:"shim,omitempty"`
	// Detail is read for requested processes only.
	Detail *ProcessDetail `json:"detail,omitempty"`
}

// User is an entry of the host's passwd(5).
type User struct {
	UID  int    `json:"uid"`
	Name string `json:"name"`
}

// ProcessDetail is what is read of a process only on request.
type ProcessDetail struct {
	UID      int    `json:"uid"` // effective
	UserName string `json:"userName,omitempty"`
	// Threads are those of this process that the request names.
	Threads []Thread `json:"threads,omitempty"`
	// NSPIDs is the pid in each nested pid namespace, outermost first.
	NSPIDs []int `json:"nsPIDs,omitempty"`
	// Exe and Cwd are link texts and hints only: they name no owner.
	Exe string `json:"exe,omitempty"`
	Cwd string `json:"cwd,omitempty"`
	// ExeDeleted: the kernel marks the file as unlinked, or its name really
	// ends in " (deleted)": the link text cannot tell these apart.
	ExeDeleted bool `json:"exeDeleted,omitempty"`
	// Rights is nil for kernel threads.
	Rights *Rights `json:"rights,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// Thread is one thread of a process, by its own stat.
type Thread struct {
	ID    int    `json:"id"`
	Comm  string `json:"comm"`
	State string `json:"state"`
}

// Cgroup is one distinct content of /proc/PID/cgroup.
type Cgroup struct {
	Entries []CgroupEntry `json:"entries"`
	// FDsBefore is the sum over the processes that were in it at the first
	// sample, of which some may have ended; absent: nobody was.
	FDsBefore int `json:"fdsBefore,omitempty"`
}

// CgroupEntry is one line, cgroups(7): "hierarchy-ID:controller-list:path".
// The v2 hierarchy has no controllers; a named one reads "name=systemd".
type CgroupEntry struct {
	Controllers string `json:"controllers"`
	Path        string `json:"path"`
}

// Shim is a runtime's monitor of one container or sandbox, from its arguments.
type Shim struct {
	ID     string `json:"id"`
	Bundle string `json:"bundle,omitempty"`
}
