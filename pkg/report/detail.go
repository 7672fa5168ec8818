package report

// Rights are what a process may do, and what holds it back.
type Rights struct {
	// Capabilities are the sets of capabilities(7) as the kernel has them: 64
	// bits in hexadecimal.
	Capabilities CapabilitySets `json:"capabilities,omitzero"`
	// Seccomp is 0 (off), 1 (strict) or 2 (filter). nil: this kernel does not say.
	Seccomp    *int `json:"seccomp,omitempty"`
	NoNewPrivs *int `json:"noNewPrivs,omitempty"`
	// Label is that of the security module, /proc/PID/attr/current.
	Label       string      `json:"label,omitempty"`
	OOMScoreAdj *int        `json:"oomScoreAdj,omitempty"`
	OOMScore    *int        `json:"oomScore,omitempty"`
	Namespaces  []Namespace `json:"namespaces,omitempty"`
	// UIDMap and GIDMap are those of its user namespace, user_namespaces(7).
	UIDMap []IDMap `json:"uidMap,omitempty"`
	GIDMap []IDMap `json:"gidMap,omitempty"`
	Limits []Limit `json:"limits,omitempty"`
	// LoginUID and SessionID are those of the audit subsystem: who logged in,
	// whatever became of the process since. nil: nobody did.
	LoginUID  *int   `json:"loginUID,omitempty"`
	LoginName string `json:"loginName,omitempty"`
	SessionID *int   `json:"sessionID,omitempty"`
}

// CapabilitySets are in hexadecimal, "" where this kernel has none.
type CapabilitySets struct {
	Inheritable string `json:"inheritable,omitempty"`
	Permitted   string `json:"permitted,omitempty"`
	Effective   string `json:"effective,omitempty"`
	Bounding    string `json:"bounding,omitempty"`
	Ambient     string `json:"ambient,omitempty"`
}

// Namespace is a link of /proc/PID/ns, namespaces(7).
type Namespace struct {
	Type  string `json:"type"` // mnt, net, pid, user, uts, ipc, cgroup, time
	Inode uint64 `json:"inode"`
}

// IDMap maps Length ids from Inside on to those from Outside on.
type IDMap struct {
	Inside  int64 `json:"inside"`
	Outside int64 `json:"outside"`
	Length  int64 `json:"length"`
}

// Limit is one of getrlimit(2); nil means unlimited.
type Limit struct {
	Name string  `json:"name"`
	Soft *uint64 `json:"soft,omitempty"`
	Hard *uint64 `json:"hard,omitempty"`
	Unit string  `json:"unit,omitempty"`
}
