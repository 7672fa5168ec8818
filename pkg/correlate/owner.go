// Package correlate is the pure join of what a node says with what the API
// server says: every process gets an owner.
package correlate

import (
	"cmp"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// OwnerType is the kind of thing that a process belongs to.
type OwnerType string

// Types of owners.
const (
	OwnerPod       OwnerType = "Pod"
	OwnerWorkload  OwnerType = "Workload"  // all pods of one, where ranked so
	OwnerContainer OwnerType = "Container" // of no pod, e.g. docker run
	OwnerUnit      OwnerType = "Unit"      // a systemd unit of the host
	OwnerCgroup    OwnerType = "Cgroup"    // of the host, without a unit
	OwnerKernel    OwnerType = "Kernel"
	OwnerUser      OwnerType = "User"    // all processes of one, where ranked so
	OwnerKind      OwnerType = "Kind"    // all descriptors of one, where ranked so
	OwnerUnknown   OwnerType = "Unknown" // what should tell could not be read
)

// PodState is what the API server knows of a pod that the node names.
type PodState string

// States of pods.
const (
	PodKnown PodState = "known"
	// PodGone: the API server was asked and has no such pod on this node.
	PodGone PodState = "gone"
	// PodReplaced: gone, and another pod has its name now.
	PodReplaced PodState = "replaced"
	// PodUnasked: the API server was not asked, or did not answer.
	PodUnasked PodState = "unasked"
)

// Owner is who a process belongs to. It is comparable, and so a key to group by.
type Owner struct {
	Type      OwnerType `json:"type"`
	Namespace string    `json:"namespace,omitempty"`
	Pod       string    `json:"pod,omitempty"`
	// PodUID as the node has it: for a static pod, its config hash.
	PodUID   string   `json:"podUID,omitempty"`
	PodState PodState `json:"podState,omitempty"`
	Static   bool     `json:"static,omitempty"`
	// Workload is the pod's topmost controller, "Deployment/web".
	Workload string `json:"workload,omitempty"`
	// Container is its name; Sandbox marks the pod's own, the pause container.
	Container   string `json:"container,omitempty"`
	ContainerID string `json:"containerID,omitempty"`
	Sandbox     bool   `json:"sandbox,omitempty"`
	Unit        string `json:"unit,omitempty"`
	Cgroup      string `json:"cgroup,omitempty"`
	// Command tells host processes apart that no cgroup tells apart.
	Command string `json:"command,omitempty"`
	// User is the host's name of a user, else its uid.
	User string `json:"user,omitempty"`
	// Kind of descriptors; "" for those that were not looked into.
	Kind string `json:"kind,omitempty"`
}

// Name is how a person calls the owner, without its container.
func (o Owner) Name() string {
	switch o.Type {
	case OwnerPod:
		return o.podName()
	case OwnerWorkload:
		return o.Namespace + "/" + o.Workload
	case OwnerContainer:
		if o.Container != "" {
			return "container " + o.Container
		}
		return "container " + ShortID(o.ContainerID)
	case OwnerUnit:
		return o.Unit
	case OwnerCgroup:
		if o.Command != "" {
			return o.Command + " (cgroup " + o.Cgroup + ")"
		}
		return "cgroup " + o.Cgroup
	case OwnerKernel:
		return "kernel"
	case OwnerUser:
		return o.User
	case OwnerKind:
		return cmp.Or(o.Kind, "not looked into")
	}
	return "unknown"
}

func (o Owner) podName() string {
	if o.Pod == "" {
		return "pod " + o.PodUID
	}
	return o.Namespace + "/" + o.Pod
}

// ShortID is a container's id as docker and crictl shorten it.
func ShortID(id string) string { return id[:min(len(id), 13)] }

// nodeContainer is a container as the node's own files name it.
func (n *Node) nodeContainer(id string) (report.Container, bool) {
	c, ok := n.containers[id]
	if !ok {
		return c, false
	}
	// A runtime that names the pod in the sandbox's file only.
	if s, found := n.containers[c.SandboxID]; found && c.PodUID == "" {
		c.PodUID, c.PodName, c.PodNamespace = s.PodUID, s.PodName, s.PodNamespace
	}
	return c, true
}

// isContainer says whether the node's runtime or the API server knows it.
func (n *Node) isContainer(id string) bool {
	_, onNode := n.containers[id]
	return onNode || n.podByContainer[id] != nil
}

// ownerAt resolves a place: the cgroup says which pod and container, the
// runtime's files and the API server who they are.
func (n *Node) ownerAt(place Place, comm string) Owner {
	uid, id := place.PodUID, place.ContainerID
	if place.Outer != "" && place.Outer != n.runsIn {
		// The outer container is on this node, not around it: whatever names the
		// cgroups inside it have, somebody in there chose them.
		uid, id = "", place.Outer
	}
	onNode, found := n.nodeContainer(id)
	if found && onNode.PodUID != "" {
		// Where path and runtime differ somebody named a cgroup after another
		// pod; the runtime's word is that of the host.
		uid = onNode.PodUID
	}
	if known, ok := n.podByContainer[id]; ok && id != "" {
		uid = nodeUID(known)
	}
	switch {
	case uid != "":
		return n.podOwner(uid, id, onNode)
	case id != "":
		return Owner{Type: OwnerContainer, ContainerID: id, Container: onNode.Name}
	case place.System != "" && place.Unit == "":
		return Owner{Type: OwnerContainer, Container: place.System}
	case place.Unit != "":
		return Owner{Type: OwnerUnit, Unit: place.Unit}
	case place.Path == "":
		return Owner{Type: OwnerUnknown}
	case n.isRoot(place.Path):
		return Owner{Type: OwnerCgroup, Cgroup: place.Path, Command: comm}
	}
	return Owner{Type: OwnerCgroup, Cgroup: place.Path}
}

func (n *Node) podOwner(uid, id string, onNode report.Container) Owner {
	o := Owner{Type: OwnerPod, PodUID: uid, ContainerID: id, Container: onNode.Name, Sandbox: onNode.Sandbox, PodState: n.stateOf(uid)}
	if record, ok := n.podRecords[uid]; ok {
		o.Namespace, o.Pod = record.Namespace, record.Name
	}
	if o.PodState == PodGone && n.podByName[o.Namespace+"/"+o.Pod] != nil {
		o.PodState = PodReplaced
	}
	if pod := n.podByUID[uid]; pod != nil {
		o.Namespace, o.Pod, o.Workload, o.Static = pod.Namespace, pod.Name, pod.Workload, pod.ConfigHash != ""
		for _, c := range pod.Containers {
			if c.ID == id && id != "" {
				o.Container = c.Name
			}
		}
	}
	return o
}

func (n *Node) stateOf(uid string) PodState {
	switch {
	case n.podByUID[uid] != nil:
		return PodKnown
	case n.podsListed:
		return PodGone
	}
	return PodUnasked
}
