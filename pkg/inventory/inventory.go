// Package inventory is what the API server says of one node: plain values, so
// that they can be saved beside a report and joined with it offline.
package inventory

// Inventory is the API server's side of a join, taken after the node's report:
// what is not in it is gone by now.
type Inventory struct {
	Node string `json:"node"`
	// Pods are those bound to the node. They are complete unless PodsError says
	// why they could not be listed.
	Pods      []Pod  `json:"pods,omitempty"`
	PodsError string `json:"podsError,omitempty"`
	// Departed are pods that were there before the report was made, and are not
	// there or have ended now: their volumes are being unmounted, see Asker.Before.
	Departed []Pod `json:"departed,omitempty"`
	// WorkloadsError says why some pods' controllers stayed unresolved.
	WorkloadsError string `json:"workloadsError,omitempty"`
	// Storage is nil where nobody asked for volumes.
	Storage *Storage `json:"storage,omitempty"`
	// Memory is nil where nobody asked for it.
	Memory *Memory `json:"memory,omitempty"`
	// Kubelets is nil where nobody asked for it.
	Kubelets *Kubelets `json:"kubelets,omitempty"`
	// Vitals is nil where nobody asked for them.
	Vitals *Vitals `json:"vitals,omitempty"`
}

// Pod is what the join needs of a pod.
type Pod struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	Phase     string `json:"phase,omitempty"`
	Deleting  bool   `json:"deleting,omitempty"`
	// DeleteBy is when the grace of a deleted pod ends, seconds since 1970.
	DeleteBy int64 `json:"deleteBy,omitempty"`
	// EndedAt is when the last container of an ended pod was over, seconds since
	// 1970; 0 where its status does not say.
	EndedAt int64 `json:"endedAt,omitempty"`
	// StartedAt is when the kubelet first had it, seconds since 1970; of an ended pod
	// where it was asked for with its memory.
	StartedAt int64 `json:"startedAt,omitempty"`
	// ConfigHash is set for a static pod: on the node that is its UID, in
	// cgroups, directories and the runtime; UID is only its mirror's.
	ConfigHash string `json:"configHash,omitempty"`
	// Workload is the topmost controller, "Deployment/web", "" for none.
	Workload string            `json:"workload,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	// IPs are the pod's own; none where it has the node's network.
	IPs        []string    `json:"ips,omitempty"`
	Containers []Container `json:"containers,omitempty"`
	// HostPorts are ports of the node that the pod asks for.
	HostPorts []HostPort `json:"hostPorts,omitempty"`
	// QOS is its class, Reason and Message why it ended: Evicted.
	QOS     string `json:"qos,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// MemoryRequest is what the scheduler sets aside for the pod, its overhead and
	// pod-level resources included (KEP-2837); MemoryLimit is what bounds it as a
	// whole, 0: some container has none. In bytes.
	MemoryRequest uint64 `json:"memoryRequest,omitempty"`
	MemoryLimit   uint64 `json:"memoryLimit,omitempty"`
	// MemoryVolumes are its emptyDir volumes of medium Memory, with their size limits.
	MemoryVolumes []MemoryVolume `json:"memoryVolumes,omitempty"`
	// Volumes and their mounts are there where Storage is.
	Volumes      []Volume      `json:"volumes,omitempty"`
	VolumeMounts []VolumeMount `json:"volumeMounts,omitempty"`
}

// Ended says that the pod's containers have ended for good.
func (p Pod) Ended() bool { return p.Phase == "Succeeded" || p.Phase == "Failed" }

// HostPort is a port of the node that leads into a pod; the CNI's port map
// redirects it, and no process on the node listens there.
type HostPort struct {
	HostPort  int32  `json:"hostPort"`
	Container string `json:"container"`
	Port      int32  `json:"port"`
	Protocol  string `json:"protocol"`
}

// Container is a container of a pod, of any kind.
type Container struct {
	Name string `json:"name"`
	// ID is without its runtime's prefix; "" while there is none.
	ID string `json:"id,omitempty"`
	// RunningSince is when it started, seconds since 1970 by the node's clock; 0: it
	// does not run.
	RunningSince int64 `json:"runningSince,omitempty"`
	// MemoryRequest and MemoryLimit are of its spec, in bytes; 0: none.
	MemoryRequest uint64 `json:"memoryRequest,omitempty"`
	MemoryLimit   uint64 `json:"memoryLimit,omitempty"`
	Restarts      int    `json:"restarts,omitempty"`
	// OOMKilled are its ends by that reason that its status still tells of: the
	// current state and the last one.
	OOMKilled []Termination `json:"oomKilled,omitempty"`
}

// Termination is how a container ended.
type Termination struct {
	ID         string `json:"id,omitempty"`
	ExitCode   int    `json:"exitCode"`
	FinishedAt int64  `json:"finishedAt,omitempty"` // seconds since 1970
}

// MemoryVolume is an emptyDir volume in memory. Its pages are charged to whoever
// wrote them, and stay the pod's when that container is gone.
type MemoryVolume struct {
	Name  string `json:"name"`
	Limit uint64 `json:"limit,omitempty"` // bytes; 0: none
}
