package report

// RequestKind names the schema of a Request.
const RequestKind = "NodeReportRequest"

// Names of the collectors that a Request can ask for.
const (
	CollectOpenFiles  = "openFiles"
	CollectProcesses  = "processes"
	CollectContainers = "containers"
	CollectBackground = "background"
	CollectFound      = "found"
	CollectMounts     = "mounts"
	CollectDevices    = "devices"
	CollectTasks      = "tasks"
	CollectKubelet    = "kubelet"
	CollectMemory     = "memory"
	CollectOOM        = "oom"
	CollectPipes      = "pipes"
	CollectRuntime    = "runtime"
	CollectLogs       = "logs"
)

// Request is what the client asks of the probe.
type Request struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Collect    []string `json:"collect"`
	// PIDs are processes or threads to read in detail.
	PIDs []int `json:"pids,omitempty"`
	// FDs: count descriptors twice, IntervalMillis apart, and classify those
	// of the heaviest cgroups.
	FDs            bool  `json:"fds,omitempty"`
	IntervalMillis int64 `json:"intervalMillis,omitempty"`
	// AllFDs: classify those of every process, within what memory allows.
	AllFDs bool `json:"allFDs,omitempty"`
	// FileTypes: ask statx(2) for the types of the files behind classified
	// descriptors, those of PIDs where there are any, but not for files on
	// filesystems that may wait for a server.
	FileTypes bool `json:"fileTypes,omitempty"`
	// Memory: look at processes' memory twice, IntervalMillis apart, and read more of
	// the largest.
	Memory bool `json:"memory,omitempty"`
	// LogSeconds is how far back logs are read, LogBytes how much of each at most; 0: ten
	// minutes, and no more than a look at everything can do with.
	LogSeconds int64 `json:"logSeconds,omitempty"`
	LogBytes   int   `json:"logBytes,omitempty"`
	// PackedLogs: lines that the journal holds compressed come so, for who asks unpacks
	// them, and hides what is secret in them before anything is kept; else they are
	// counted as left.
	PackedLogs bool `json:"packedLogs,omitempty"`
	// Find asks who holds a port or an inode.
	Find *Find `json:"find,omitempty"`
	// HostMounts: the mounts of the host's namespace are enough.
	HostMounts bool `json:"hostMounts,omitempty"`
	// Users: read the user of every process.
	Users bool `json:"users,omitempty"`
	// Record is in a FrameRecord. ReplyTo names, in a request to a recorder, the session
	// of who asks: several may be attached at once, and all of them hear every answer.
	Record  *RecordRequest `json:"record,omitempty"`
	ReplyTo string         `json:"replyTo,omitempty"`
	// ShowSecrets leaves command lines as they are; else likely secrets in them
	// never leave the node.
	ShowSecrets bool `json:"showSecrets,omitempty"`
}

// NewRequest is a request of this version for the named collectors.
func NewRequest(collect ...string) Request {
	return Request{APIVersion: APIVersion, Kind: RequestKind, Collect: collect}
}

// Everything is a request of which every command can answer.
func Everything() Request {
	r := NewRequest(CollectOpenFiles, CollectProcesses, CollectContainers, CollectBackground, CollectMounts, CollectDevices,
		CollectTasks, CollectKubelet, CollectMemory, CollectOOM, CollectPipes, CollectRuntime, CollectLogs)
	r.FDs, r.Users, r.Memory = true, true, true
	return r
}
