package report

// Pipes are the node's pipes against what the kernel grants one user, pipe(7): above
// pipe-user-pages-soft pages of buffers, a new pipe of a user without
// CAP_SYS_RESOURCE and CAP_SYS_ADMIN gets two pages (one before 5.14) instead of 16.
type Pipes struct {
	// UserPagesSoft and UserPagesHard are fs.pipe-user-pages-*, 0: no limit; nil: the
	// kernel has none (before 4.5). MaxSize is fs.pipe-max-size, in bytes.
	UserPagesSoft *uint64 `json:"userPagesSoft,omitempty"`
	UserPagesHard *uint64 `json:"userPagesHard,omitempty"`
	MaxSize       *uint64 `json:"maxSize,omitempty"`
	PageBytes     uint64  `json:"pageBytes,omitempty"`

	// Holders are sums by user and cgroup, the most pipes first.
	Holders []PipeHolder `json:"holders,omitempty"`
	// Users are sums by user: a pipe that many hold is one pipe.
	Users []PipeUser `json:"users,omitempty"`
	// Waits are threads that wait in a pipe: all that write and some that read.
	Waits []PipeWait `json:"waits,omitempty"`
	// List are the pipes that somebody in Waits waits for.
	List []Pipe `json:"list,omitempty"`
	// Programs are the low-level runtimes; looked for where somebody waits.
	Programs []RuntimeProgram `json:"programs,omitempty"`
	// LookedMillis lies between the two looks at who waits; 0: at the first nobody did.
	LookedMillis int64 `json:"lookedMillis,omitempty"`
	// Left counts waits beyond a bound, Unread processes whose descriptors were not
	// read: Holders and Users lack theirs.
	Left   int `json:"left,omitempty"`
	Unread int `json:"unread,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// PipeUser is a user's share. The kernel charges a pipe to the user who made it;
// that is not to be had, so it is the one of whoever holds it.
type PipeUser struct {
	UID int `json:"uid"`
	PipeSum
	// Mapped is the range of a user namespace that the UID lies in, as a pod's with
	// hostUsers: false; nil: the holder of most has the host's.
	Mapped *IDRange `json:"mapped,omitempty"`
}

// IDRange is a line of /proc/PID/uid_map, user_namespaces(7): so many IDs, from First
// on the host, and from Inside in the namespace.
type IDRange struct {
	Inside int `json:"inside"`
	First  int `json:"first"`
	Count  int `json:"count"`
}

// PipeHolder is the share of a user's processes in one cgroup.
type PipeHolder struct {
	UID int `json:"uid"`
	// Cgroup is an index into Processes.Cgroups, -1 where it was unreadable.
	Cgroup int `json:"cgroup"`
	PipeSum
	// Process holds the most of them: its pid and how many.
	Process int `json:"process"`
	Most    int `json:"most"`
}

// PipeSum counts pipes. Known are those whose capacity was asked for, Pages what
// they have in all; Small those of them with two pages or fewer.
type PipeSum struct {
	Pipes int    `json:"pipes"`
	Known int    `json:"known,omitempty"`
	Pages uint64 `json:"pages,omitempty"`
	Small int    `json:"small,omitempty"`
}

// Pipe is one pipe or FIFO.
type Pipe struct {
	// Inode is the number in "pipe:[40231]"; 0: a FIFO, which has a Path.
	Inode uint64 `json:"inode,omitempty"`
	Path  string `json:"path,omitempty"`
	// Capacity is F_GETPIPE_SZ and Filled FIONREAD, in bytes; nil: not to be had.
	Capacity *uint64 `json:"capacity,omitempty"`
	Filled   *uint64 `json:"filled,omitempty"`
	// Ends are descriptors of it, EndsLeft counts those beyond a bound.
	Ends     []PipeEnd `json:"ends,omitempty"`
	EndsLeft int       `json:"endsLeft,omitempty"`
}

// PipeEnd is a descriptor of a pipe.
type PipeEnd struct {
	PID   int  `json:"pid"`
	FD    int  `json:"fd"`
	Read  bool `json:"read,omitempty"`
	Write bool `json:"write,omitempty"`
}

// PipeWait is a thread that waits in a pipe at two looks.
type PipeWait struct {
	PID  int    `json:"pid"`
	TID  int    `json:"tid"`
	Comm string `json:"comm"`
	// Wchan is the kernel function that it waits in: pipe_write, anon_pipe_write; "": the
	// kernel does not say, and it is in a system call that reads or writes a pipe.
	Wchan string `json:"wchan,omitempty"`
	// Op is write, read or open, FD the descriptor by /proc/PID/task/TID/syscall; nil:
	// the kernel does not say, or it is an open.
	Op string `json:"op,omitempty"`
	FD *int   `json:"fd,omitempty"`
	// Pipe is an index into Pipes.List, -1 where it is not known.
	Pipe int `json:"pipe"`
	// StayedMillis is the time between two looks, in which it has not run at all.
	StayedMillis int64 `json:"stayedMillis"`
}
