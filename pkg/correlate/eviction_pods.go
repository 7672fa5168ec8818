package correlate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// EvictedPods are those that the kubelet evicted for memory, or would not take
// while there was none, the newest first: by the events, and by the pods that are
// still there.
func (n *Node) EvictedPods() []EvictedPod {
	list := []EvictedPod{}
	if n.Inventory == nil {
		return list
	}
	named := map[string]bool{}
	if m := n.Inventory.Memory; m != nil {
		for _, e := range m.Events {
			if e.Reason != "Evicted" || e.Pod == "" || named[e.PodUID] || !forMemory(e.Message, nil) {
				continue
			}
			named[e.PodUID] = true
			list = append(list, EvictedPod{Owner: n.ownerOfEvent(e), At: unixTime(e.Last), Message: e.Message, Refused: atAdmission(e.Message)})
		}
	}
	for i := range n.Inventory.Pods {
		p := &n.Inventory.Pods[i]
		noRoom := p.Reason == outOfMemory
		if !noRoom && (p.Reason != "Evicted" || named[p.UID] || !forMemory(p.Message, p.MemoryVolumes)) {
			continue
		}
		list = append(list, EvictedPod{Owner: podOwnerOf(p), At: unixTime(cmp.Or(p.EndedAt, p.StartedAt)), Message: p.Message, Refused: noRoom || atAdmission(p.Message)})
	}
	slices.SortStableFunc(list, func(a, b EvictedPod) int {
		switch {
		case a.At == nil || b.At == nil:
			return cmp.Compare(boolRank(a.At == nil), boolRank(b.At == nil))
		default:
			return b.At.Compare(*a.At)
		}
	})
	return list
}

// outOfMemory: a pod asks for more than the kubelet has left to give (its admission,
// pkg/kubelet/lifecycle/predicate.go).
const outOfMemory = "OutOfmemory"

// atAdmission: the eviction manager's Admit says so of pods that it does not let
// start; newer kubelets put "Pod was rejected: " before it. Of those that it evicts
// the message is another.
func atAdmission(message string) bool {
	return strings.HasPrefix(strings.TrimPrefix(message, "Pod was rejected: "), "The node had condition")
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// forMemory tells evictions for memory by their messages:
//
//	The node was low on resource: memory. Container app was using …
//	The node was low on compute resources.                               before 1.12
//	The node had condition: [MemoryPressure].
//	Usage of EmptyDir volume "shm" exceeds the limit "1Gi".              one in memory
func forMemory(message string, inMemory []inventory.MemoryVolume) bool {
	switch {
	case strings.Contains(message, "resource: memory"), strings.Contains(message, "resource: allocatableMemory"),
		strings.Contains(message, "MemoryPressure"), strings.Contains(message, "low on compute resources"):
		return true
	}
	for _, v := range inMemory {
		if strings.Contains(message, `EmptyDir volume "`+v.Name+`"`) {
			return true
		}
	}
	return false
}

// ownerOfEvent: the pod may be gone by now, and another may have its name.
func (n *Node) ownerOfEvent(e inventory.Event) Owner {
	for i := range n.Inventory.Pods {
		if p := &n.Inventory.Pods[i]; p.UID == e.PodUID {
			return podOwnerOf(p)
		}
	}
	o := Owner{Type: OwnerPod, Namespace: e.Namespace, Pod: e.Pod, PodUID: e.PodUID, PodState: PodUnasked}
	switch {
	case n.podByName[e.Namespace+"/"+e.Pod] != nil:
		o.PodState = PodReplaced
	case n.podsListed:
		o.PodState = PodGone
	}
	return o
}

func podOwnerOf(p *inventory.Pod) Owner {
	return Owner{Type: OwnerPod, Namespace: p.Namespace, Pod: p.Name, PodUID: nodeUID(p), PodState: PodKnown, Workload: p.Workload, Static: p.ConfigHash != ""}
}
