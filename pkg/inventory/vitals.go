package inventory

// Vitals are what the API server, and the kubelet through it, tell of a node without
// anything being started there. Each part stands for itself: its error says why it
// could not be had.
type Vitals struct {
	Node string `json:"node"`
	// Time is when they were asked, seconds since 1970 by the client's clock.
	Time int64 `json:"time"`
	// Unanswered is why the API server gave no answer to any question: then nothing is
	// known of the node. Empty: it gave one.
	Unanswered string `json:"unanswered,omitempty"`
	// State is the node's object; nil with StateError.
	State      *NodeState `json:"state,omitempty"`
	StateError string     `json:"stateError,omitempty"`
	// Lease is what the kubelet renews every ten seconds; nil with LeaseError.
	Lease      *Lease `json:"lease,omitempty"`
	LeaseError string `json:"leaseError,omitempty"`
	// Events are those of the node, the newest first.
	Events      []Event `json:"events,omitempty"`
	EventsError string  `json:"eventsError,omitempty"`
	// Stuck are pods whose containers are not made, or that do not go.
	Stuck     []StuckPod `json:"stuck,omitempty"`
	PodsError string     `json:"podsError,omitempty"`
	// Endpoints are the kubelet's, in the order of vitalEndpoints.
	Endpoints []Endpoint `json:"endpoints"`
	// Metrics and Settings are nil where their endpoints did not answer.
	Metrics  *KubeletMetrics  `json:"metrics,omitempty"`
	Settings *KubeletSettings `json:"settings,omitempty"`
}

// NodeState is what a node's object says of it.
type NodeState struct {
	Conditions []Condition `json:"conditions,omitempty"`
	// Runtime is such as containerd://1.6.20, by the kubelet.
	Runtime       string `json:"runtime,omitempty"`
	Kubelet       string `json:"kubelet,omitempty"`
	MachineID     string `json:"machineID,omitempty"`
	BootID        string `json:"bootID,omitempty"`
	Unschedulable bool   `json:"unschedulable,omitempty"`
}

// Lease is a node's.
type Lease struct {
	// Renewed is when the API server last took a renewal, seconds since 1970 by its
	// clock: the node's may be wrong.
	Renewed         int64 `json:"renewed"`
	DurationSeconds int   `json:"durationSeconds"`
}

// StuckPod is a pod that is neither here nor there.
type StuckPod struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	// Since is when it was created or, Terminating, when its grace was over.
	Since       int64 `json:"since"`
	Terminating bool  `json:"terminating,omitempty"`
	// NoSandbox: the kubelet says that it has none (since 1.28, PodReadyToStartContainers).
	NoSandbox bool `json:"noSandbox,omitempty"`
	// Why is what its first waiting container says, Event the last event about it.
	Why   string `json:"why,omitempty"`
	Event *Event `json:"event,omitempty"`
}

// EndpointState is what became of a question to the kubelet.
type EndpointState string

// States of an endpoint.
const (
	Answers     EndpointState = "answers"
	Refuses     EndpointState = "error" // of the kubelet's own
	Late        EndpointState = "late"
	Unreachable EndpointState = "unreachable" // says the API server
	Forbidden   EndpointState = "forbidden"   // by the API server, nobody was asked
)

// Endpoint is one of the kubelet's, asked through the API server.
type Endpoint struct {
	Name   string        `json:"name"`
	State  EndpointState `json:"state"`
	Millis int64         `json:"millis,omitempty"`
	Error  string        `json:"error,omitempty"`
}

// told: the kubelet itself has answered, be it with an error.
func (e Endpoint) told() bool { return e.State == Answers || e.State == Refuses }

// KubeletMetrics are a few of the kubelet's metrics (pkg/kubelet/metrics/metrics.go).
// They count since it was started.
type KubeletMetrics struct {
	// Time is when they were told, seconds since 1970 by the kubelet's clock; 0: unknown.
	Time int64 `json:"time,omitempty"`
	// PLEGSeen is when the pod lifecycle event generator last looked at all
	// containers, by the same clock (kubelet_pleg_last_seen_seconds); 0: not told.
	PLEGSeen int64 `json:"plegSeen,omitempty"`
	// PLEGSeconds is what such a look takes on average.
	PLEGSeconds float64 `json:"plegSeconds,omitempty"`
	// RunningPods and RunningContainers; nil: not told.
	RunningPods       *int `json:"runningPods,omitempty"`
	RunningContainers *int `json:"runningContainers,omitempty"`
	// Operations are calls of the runtime, by name.
	Operations []RuntimeOperation `json:"operations,omitempty"`
}

// RuntimeOperation is a sort of calls of the runtime (CRI), such as create_container.
type RuntimeOperation struct {
	Name   string `json:"name"`
	Count  uint64 `json:"count"`
	Errors uint64 `json:"errors,omitempty"`
	// MeanSeconds is of those that have returned.
	MeanSeconds float64 `json:"meanSeconds,omitempty"`
}

// KubeletSettings are what decides about a runtime in a KubeletConfiguration.
type KubeletSettings struct {
	RuntimeEndpoint       string `json:"containerRuntimeEndpoint,omitempty"`
	RuntimeRequestTimeout string `json:"runtimeRequestTimeout,omitempty"`
	CgroupDriver          string `json:"cgroupDriver,omitempty"`
	MaxPods               int    `json:"maxPods,omitempty"`
	SystemLogHandler      *bool  `json:"enableSystemLogHandler,omitempty"`
}
