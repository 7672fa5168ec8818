package report

// Find asks for the processes that hold a socket or a pipe.
type Find struct {
	Port  int    `json:"port,omitempty"`
	Inode uint64 `json:"inode,omitempty"`
}

// Found answers a Find.
type Found struct {
	Find
	// Sockets are those at the port, or with the inode, of every network
	// namespace that a process lives in.
	Sockets []FoundSocket `json:"sockets,omitempty"`
	// Holders have a descriptor of one of the sockets, or of the inode.
	Holders []Holder `json:"holders,omitempty"`
	// Namespaces counts the network namespaces that were looked into.
	Namespaces int `json:"namespaces"`
	// EndedEarly: time ran out, or there was too much; there may be others.
	EndedEarly bool `json:"endedEarly,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// FoundSocket is a line of /proc/PID/net/tcp and its like.
type FoundSocket struct {
	Protocol string `json:"protocol"` // TCP or UDP, of IPv6 too
	State    string `json:"state,omitempty"`
	Local    string `json:"local,omitempty"`
	Remote   string `json:"remote,omitempty"`
	Inode    uint64 `json:"inode"`
	// NetNS is its network namespace, HostNetwork whether that is the node's;
	// nil where that one could not be read.
	NetNS       uint64 `json:"netNS,omitempty"`
	HostNetwork *bool  `json:"hostNetwork,omitempty"`
}

// Holder is a process with descriptors of an inode.
type Holder struct {
	PID   int    `json:"pid"`
	Inode uint64 `json:"inode"`
	Kind  string `json:"kind"` // socket, pipe
	Count int    `json:"count"`
}
