package inventory

// Memory is what the API server, and the kubelet through it, say of one node's
// memory. Each part stands for itself: its error says why it could not be had.
type Memory struct {
	// Capacity and Allocatable are those of the node's status, in bytes; 0: not said.
	Capacity    uint64 `json:"capacity,omitempty"`
	Allocatable uint64 `json:"allocatable,omitempty"`
	// Conditions are the node's, all of them; their times are the API server's.
	Conditions []Condition `json:"conditions,omitempty"`
	// KubeletVersion is that of the node's status, "v1.28.3": its arithmetic depends on it.
	KubeletVersion string `json:"kubeletVersion,omitempty"`
	NodeError      string `json:"nodeError,omitempty"`

	// Config is the kubelet's own configz; nil with ConfigError.
	Config      *KubeletConfig `json:"config,omitempty"`
	ConfigError string         `json:"configError,omitempty"`

	// Summary is the kubelet's stats/summary; nil with SummaryError.
	Summary      *Summary `json:"summary,omitempty"`
	SummaryError string   `json:"summaryError,omitempty"`

	// Events are those of the node, and of its pods that were evicted or OOM-killed,
	// newest first.
	Events      []Event `json:"events,omitempty"`
	EventsError string  `json:"eventsError,omitempty"`
	// PodNames are who pods were that only events tell of, see Asker.AskNames.
	PodNames []PodName `json:"podNames,omitempty"`
}

// Condition is a condition of a node.
type Condition struct {
	Type    string `json:"type"` // MemoryPressure
	Status  string `json:"status"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	Since   int64  `json:"since,omitempty"` // seconds since 1970
}

// KubeletConfig is what decides about memory in a KubeletConfiguration, as it is
// written there: quantities and percentages, durations.
type KubeletConfig struct {
	EvictionHard             map[string]string `json:"evictionHard,omitempty"`
	EvictionSoft             map[string]string `json:"evictionSoft,omitempty"`
	EvictionSoftGracePeriod  map[string]string `json:"evictionSoftGracePeriod,omitempty"`
	EvictionMinimumReclaim   map[string]string `json:"evictionMinimumReclaim,omitempty"`
	EvictionMaxPodGrace      int               `json:"evictionMaxPodGracePeriod,omitempty"` // seconds
	PressureTransitionPeriod string            `json:"evictionPressureTransitionPeriod,omitempty"`
	KubeReserved             map[string]string `json:"kubeReserved,omitempty"`
	SystemReserved           map[string]string `json:"systemReserved,omitempty"`
	KubeReservedCgroup       string            `json:"kubeReservedCgroup,omitempty"`
	SystemReservedCgroup     string            `json:"systemReservedCgroup,omitempty"`
	EnforceNodeAllocatable   []string          `json:"enforceNodeAllocatable,omitempty"`
	// KernelMemcgNotification: the kernel tells of a crossed threshold at once, else
	// the kubelet looks every ten seconds.
	KernelMemcgNotification bool   `json:"kernelMemcgNotification,omitempty"`
	FailSwapOn              *bool  `json:"failSwapOn,omitempty"`
	CgroupDriver            string `json:"cgroupDriver,omitempty"`
	CgroupRoot              string `json:"cgroupRoot,omitempty"`
}

// Summary is the part of stats/summary (k8s.io/kubelet/pkg/apis/stats/v1alpha1)
// that tells of memory; sizes are bytes, nil: not said.
type Summary struct {
	Node SummaryMemory `json:"node"`
	// System are the kubelet, the runtime, pods and misc, as it names them.
	System map[string]SummaryMemory `json:"system,omitempty"`
	Pods   []SummaryPod             `json:"pods,omitempty"`
}

// SummaryMemory is a MemoryStats.
type SummaryMemory struct {
	Time       int64   `json:"time,omitempty"` // seconds since 1970, by the node's clock
	Available  *uint64 `json:"available,omitempty"`
	Usage      *uint64 `json:"usage,omitempty"`
	WorkingSet *uint64 `json:"workingSet,omitempty"`
	RSS        *uint64 `json:"rss,omitempty"`
}

// SummaryPod is a pod of it.
type SummaryPod struct {
	UID    string        `json:"uid"`
	Memory SummaryMemory `json:"memory"`
	// Volumes are the bytes used in its volumes that the kubelet measures, by name:
	// which of them lie in memory, the pod's spec says.
	Volumes map[string]uint64 `json:"volumes,omitempty"`
}

// Event is one of the API server's events.
type Event struct {
	Reason    string `json:"reason"` // Evicted, SystemOOM, EvictionThresholdMet
	Type      string `json:"type,omitempty"`
	Message   string `json:"message,omitempty"`
	Namespace string `json:"namespace,omitempty"` // of a pod's
	Pod       string `json:"pod,omitempty"`
	PodUID    string `json:"podUID,omitempty"`
	Count     int    `json:"count,omitempty"`
	First     int64  `json:"first,omitempty"` // seconds since 1970
	Last      int64  `json:"last,omitempty"`
}
