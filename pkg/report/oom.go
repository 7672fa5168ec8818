package report

// OOM is what the kernel's log says of processes that were killed for memory.
type OOM struct {
	// Kills, oldest first; Left counts older ones beyond a bound.
	Kills []OOMKill `json:"kills,omitempty"`
	Left  int       `json:"left,omitempty"`
	// LogFrom is the time of the oldest line that the log still has, seconds after
	// boot: of what was before it nobody knows. nil: the lines have no time.
	LogFrom *float64 `json:"logFrom,omitempty"`
	// Sources say where it was read: "kernel log".
	Sources []string `json:"sources,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// Constraints of an OOM kill: whose limit there was no memory within.
const (
	OOMNode         = "node"         // CONSTRAINT_NONE: the whole node
	OOMCgroup       = "cgroup"       // CONSTRAINT_MEMCG
	OOMCpuset       = "cpuset"       // CONSTRAINT_CPUSET: the NUMA nodes of a cpuset
	OOMMemoryPolicy = "memoryPolicy" // CONSTRAINT_MEMORY_POLICY: those of mbind(2)
)

// OOMKill is one process that the kernel killed, from mm/oom_kill.c's lines of any
// version. Sizes are bytes; nil: its lines do not say, or are gone.
type OOMKill struct {
	// At is seconds after boot, by the log's own clock; nil: the line has no time.
	At   *float64 `json:"at,omitempty"`
	PID  int      `json:"pid"`
	Comm string   `json:"comm"`
	UID  *int     `json:"uid,omitempty"`

	TotalVM    *uint64 `json:"totalVM,omitempty"`
	AnonRSS    *uint64 `json:"anonRSS,omitempty"`
	FileRSS    *uint64 `json:"fileRSS,omitempty"`
	ShmemRSS   *uint64 `json:"shmemRSS,omitempty"`
	PageTables *uint64 `json:"pageTables,omitempty"`
	ScoreAdj   *int    `json:"scoreAdj,omitempty"`

	// Constraint is one of the above; "": the log does not say.
	Constraint string `json:"constraint,omitempty"`
	// LimitCgroup is the cgroup that was at its limit (oom_memcg), Cgroup that of the
	// victim (task_memcg), by their paths in the kernel's view; "" unknown.
	LimitCgroup string `json:"limitCgroup,omitempty"`
	Cgroup      string `json:"cgroup,omitempty"`
	// Usage and Limit are those of LimitCgroup then.
	Usage *uint64 `json:"usage,omitempty"`
	Limit *uint64 `json:"limit,omitempty"`
	// Invoker asked for the memory: "PROCESS invoked oom-killer".
	Invoker    string `json:"invoker,omitempty"`
	InvokerPID int    `json:"invokerPID,omitempty"`
	// Group: killed along with others by memory.oom.group.
	Group bool `json:"group,omitempty"`
	// By SysRq or for a panic, "" by need.
	By string `json:"by,omitempty"`
	// Largest are the largest tasks of the kernel's own table at that moment, the
	// largest first.
	Largest []OOMTask `json:"largest,omitempty"`
}

// OOMTask is a line of the table that the kernel prints when it kills.
type OOMTask struct {
	PID      int    `json:"pid"`
	Comm     string `json:"comm"`
	RSS      uint64 `json:"rss"` // bytes
	ScoreAdj int    `json:"scoreAdj,omitempty"`
}
