package report

// FDs are a process's descriptors.
type FDs struct {
	Count int `json:"count"`
	// Before is the count at the first sample; nil: not there yet, or unread.
	Before *int `json:"before,omitempty"`
	// Steps are the counts at regular moments from the first sample to Count, of
	// the heaviest processes: growth that shows in every step is no wave.
	Steps []int `json:"steps,omitempty"`
	// Kinds and Targets are filled for the heaviest cgroups and requested
	// processes, or for all, see Request.AllFDs; their counts may differ from Count by what opened meanwhile.
	Kinds   []Counted `json:"kinds,omitempty"`
	Targets []Target  `json:"targets,omitempty"`
	// ExecFIFOs are there where exec sessions' pipes are among them.
	ExecFIFOs []ExecFIFOs `json:"execFIFOs,omitempty"`
	// Sockets are filled as Kinds are, the largest groups first.
	Sockets []SocketGroup `json:"sockets,omitempty"`
	// Inotify is there where inotify instances are among them.
	Inotify *Inotify `json:"inotify,omitempty"`
	// Limit is RLIMIT_NOFILE, read where Count is not small against any limit.
	Limit *FDLimit `json:"limit,omitempty"`
}

// FDLimit is RLIMIT_NOFILE, getrlimit(2): one more than the highest descriptor
// that the process may have. At the soft limit open fails with EMFILE. nil
// means unlimited.
type FDLimit struct {
	Soft *uint64 `json:"soft,omitempty"`
	Hard *uint64 `json:"hard,omitempty"`
}

// Inotify counts a process's inotify instances and the watches in them. A fork
// shares an instance with its parent, and a dup is one more descriptor of it:
// then it is counted again.
type Inotify struct {
	Instances int `json:"instances"`
	Watches   int `json:"watches"`
}

// SocketGroup are sockets of one process that go the same way, by the tables
// of the process's own network namespace (/proc/PID/net).
type SocketGroup struct {
	// Protocol: TCP, UDP, unix, netlink, raw, packet, SCTP …; IPv6's are named
	// alike. "socket" where no table lists it: never bound nor connected, reset,
	// or of a family without a table.
	Protocol string `json:"protocol"`
	// State: ESTABLISHED, CLOSE_WAIT, LISTEN and so on for TCP and SCTP, LISTEN
	// and CONNECTED for unix, ESTABLISHED for UDP that is connected, "in no table"
	// for a "socket" where all tables were read, else "".
	State string `json:"state,omitempty"`
	// Local is the address or path where it listens, is bound, or was accepted
	// at, ids in a path folded; ":8080" for the connections of clients to a port
	// where somebody here listens; a protocol's name for netlink and the like.
	Local string `json:"local,omitempty"`
	// Remote is "10.0.0.1:443" or "[fd00::1]:443", the name of the other end for
	// unix. Of clients it is the address without their port, and "" where they
	// have several. Local and Remote are both "" for what is left when the
	// largest groups are told.
	Remote string `json:"remote,omitempty"`
	// Peer holds the other end of a unix socket; nil where unknown, as on a
	// kernel whose module unix_diag nobody has loaded.
	Peer  *SocketPeer `json:"peer,omitempty"`
	Count int         `json:"count"`
}

// SocketPeer is a process at the other end.
type SocketPeer struct {
	PID  int    `json:"pid"`
	Comm string `json:"comm"`
}

// Counted is a name with how often it was seen.
type Counted struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Target is a group of descriptors whose link texts differ by ids only.
type Target struct {
	Kind    string `json:"kind"`
	Pattern string `json:"pattern"`
	Count   int    `json:"count"`
}

// ExecFIFOs are the named pipes that a runtime has made for exec sessions in
// one container, the container's own stdio included.
type ExecFIFOs struct {
	ContainerID string `json:"containerID,omitempty"` // "": the path does not tell
	Pattern     string `json:"pattern"`
	Count       int    `json:"count"`
	Sessions    int    `json:"sessions"` // distinct, without the container's own
}
