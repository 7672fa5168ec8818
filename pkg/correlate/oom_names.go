package correlate

import (
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// Sources of the names of a pod that the API server does not have.
const (
	NamedByRuntime       = "the runtime's files"
	NamedByPodLogs       = "/var/log/pods"
	NamedByContainerLogs = "/var/log/containers"
	NamedByEvents        = "its events"
)

// UnnamedVictims are the UIDs of pods that lost a process to the OOM killer, and of
// which neither the API server nor the node's files say what pod and container it
// was: the one whose kill is the newest comes first.
func (n *Node) UnnamedVictims() []string {
	var uids []string
	seen := map[string]bool{}
	events := n.oomEvents()
	for i := len(events) - 1; i >= 0; i-- {
		o := events[i].owner
		if o.Type != OwnerPod || o.PodState == PodKnown || seen[o.PodUID] || o.Pod != "" && (o.Container != "" || o.Sandbox) {
			continue
		}
		seen[o.PodUID] = true
		uids = append(uids, o.PodUID)
	}
	return uids
}

// nameGone names a pod that the API server does not have, and its container, by
// whatever is left of them. It says what that was.
func (n *Node) nameGone(o *Owner, e *oomEvent) (by []string) {
	switch container, ok := n.nodeContainer(o.ContainerID); {
	case o.Pod == "":
	case ok && container.PodName != "":
		by = append(by, NamedByRuntime)
	default:
		by = append(by, NamedByPodLogs)
	}
	if n.nameEnded(o) {
		by = append(by, NamedByContainerLogs)
	}
	if n.nameByEvents(o, e) {
		by = append(by, NamedByEvents)
	}
	if o.PodState == PodGone && o.Pod != "" && n.podByName[o.Namespace+"/"+o.Pod] != nil {
		o.PodState = PodReplaced
	}
	return by
}

// nameEnded takes the names that a container's log has, where its files are gone,
// and says whether it did.
func (n *Node) nameEnded(o *Owner) bool {
	if o.Container != "" || o.ContainerID == "" || n.Report.Containers == nil {
		return false
	}
	for _, c := range n.Report.Containers.Ended {
		if c.ID != o.ContainerID || o.Pod != "" && (o.Pod != c.Pod || o.Namespace != c.Namespace) {
			continue
		}
		o.Namespace, o.Pod, o.Container = c.Namespace, c.Pod, c.Name
		return true
	}
	return false
}

// nameByEvents: the API server keeps what happened to a pod for an hour after it.
func (n *Node) nameByEvents(o *Owner, e *oomEvent) (named bool) {
	if n.Inventory == nil || n.Inventory.Memory == nil {
		return false
	}
	for _, name := range n.Inventory.Memory.PodNames {
		if name.UID != o.PodUID || name.Pod == "" || o.Pod != "" && (name.Pod != o.Pod || name.Namespace != o.Namespace) {
			continue
		}
		named = o.Pod == ""
		o.Namespace, o.Pod = name.Namespace, name.Pod
		if o.Container == "" && !o.Sandbox && e.kill.Comm != sandboxComm && isOnly(name, e) {
			o.Container, named = name.Containers[0], true
		}
		return named
	}
	if o.Pod != "" {
		return false
	}
	for _, of := range n.Inventory.Memory.Events {
		if of.PodUID == o.PodUID && of.Pod != "" {
			o.Namespace, o.Pod = of.Namespace, of.Pod
			return true
		}
	}
	return false
}

// EventsAreGone says that the API server was asked for a pod's events and has none any more.
func (n *Node) EventsAreGone(podUID string) bool {
	if n.Inventory == nil || n.Inventory.Memory == nil {
		return false
	}
	return slices.ContainsFunc(n.Inventory.Memory.PodNames, func(p inventory.PodName) bool { return p.UID == podUID && p.Pod == "" })
}

// sandboxComm is the process of a pod's own container.
const sandboxComm = "pause"

// isOnly: the events are about one container, and it is the only one that the pod
// had. Those of another, which has run undisturbed for longer than events are kept,
// would be gone; not so where the oldest event is that of the pod's being scheduled;
// nor where it is from before the kill, and young enough to be the pod's first.
func isOnly(name inventory.PodName, e *oomEvent) bool {
	const kept = 50 * time.Minute // --event-ttl is an hour, less the clocks' difference
	if len(name.Containers) != 1 {
		return false
	}
	if name.Scheduled {
		return true
	}
	first := time.Unix(name.First, 0)
	return name.First > 0 && e.at != nil && !first.After(e.at.Add(oomTogether)) && e.at.Sub(first) < kept
}
