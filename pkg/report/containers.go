package report

// Containers is what the container runtimes' own files say: it holds even
// while the runtime hangs and when the API server has forgotten the pod.
type Containers struct {
	List []Container `json:"list,omitempty"`
	// Pods are the directories below /var/log/pods.
	Pods []PodRecord `json:"pods,omitempty"`
	// Ended are containers that only their logs below /var/log/containers tell of.
	Ended []ContainerRecord `json:"ended,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// Container is one container or pod sandbox.
type Container struct {
	ID      string `json:"id"`
	Runtime string `json:"runtime"` // containerd, docker or cri-o
	Sandbox bool   `json:"sandbox,omitempty"`
	Name    string `json:"name,omitempty"`
	Image   string `json:"image,omitempty"`

	SandboxID    string `json:"sandboxID,omitempty"`
	PodUID       string `json:"podUID,omitempty"`
	PodName      string `json:"podName,omitempty"`
	PodNamespace string `json:"podNamespace,omitempty"`
	// State is docker's own word: running, exited, dead, removing; "" where the
	// runtime's files do not tell (containerd, cri-o).
	State string `json:"state,omitempty"`
	// Rootfs is where its root directory is mounted on the node, "" if unknown.
	Rootfs string `json:"rootfs,omitempty"`
	// Source is the file that says so.
	Source string `json:"source"`
}

// PodRecord is a pod that a directory's name on the node tells of.
type PodRecord struct {
	UID       string `json:"uid"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// ContainerRecord is a container that the name of its log tells of.
type ContainerRecord struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
}
