package inventory

// Kubelets is what kubelets say of themselves through the API server's proxy: that of
// the node, and for comparison those of other nodes. Each part stands for itself.
type Kubelets struct {
	Own *KubeletSelf `json:"own,omitempty"`
	// Neighbours are some of the other nodes, those most like it first; Others is how many
	// ready ones there are.
	Neighbours      []KubeletSelf `json:"neighbours,omitempty"`
	Others          int           `json:"others,omitempty"`
	NeighboursError string        `json:"neighboursError,omitempty"`

	// Log is the end of the kubelet's log, where the report has none; nil: not asked, or
	// LogError.
	Log      *KubeletLog `json:"log,omitempty"`
	LogError string      `json:"logError,omitempty"`

	// Profile is a CPU profile of the kubelet, as pprof has it: gzipped protocol buffers.
	Profile        []byte  `json:"profile,omitempty"`
	ProfileSeconds float64 `json:"profileSeconds,omitempty"` // 0: not asked
	ProfileError   string  `json:"profileError,omitempty"`
}

// KubeletSelf is one kubelet by its own metrics.
type KubeletSelf struct {
	Node string `json:"node"`
	// Version is that of the node's status.
	Version string `json:"version,omitempty"`
	// CPUPercent is of one core over SampleMillis (process_cpu_seconds_total), the others
	// are as of the second look; nil: not said.
	CPUPercent   *float64 `json:"cpuPercent,omitempty"`
	SampleMillis int64    `json:"sampleMillis,omitempty"`
	RSSBytes     *uint64  `json:"rssBytes,omitempty"`
	OpenFDs      *uint64  `json:"openFDs,omitempty"`
	Goroutines   *uint64  `json:"goroutines,omitempty"`
	// Runtime is the runtime's cgroup by stats/summary; nil: the kubelet does not measure
	// it, as on nodes without systemd.
	Runtime *SystemContainer `json:"runtime,omitempty"`
	Error   string           `json:"error,omitempty"`
}

// SystemContainer is a cgroup of the host's that the kubelet measures.
type SystemContainer struct {
	CPUPercent *float64 `json:"cpuPercent,omitempty"` // of one core, over some ten seconds
	RSSBytes   *uint64  `json:"rssBytes,omitempty"`
}

// KubeletLog is the end of a log as the kubelet's endpoint gives it, the newest line
// first.
type KubeletLog struct {
	Path  string   `json:"path"`
	Lines []string `json:"lines"`
	// Cut: there is more before them.
	Cut bool `json:"cut,omitempty"`
	// Asked is when, Since the beginning of the time asked for, seconds since 1970 by this
	// machine's clock: lines need not say in which zone their times are.
	Asked int64 `json:"asked"`
	Since int64 `json:"since"`
}
