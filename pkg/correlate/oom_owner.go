package correlate

import (
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// oomOwner is whose the victim was, by its cgroup; or by the one that was at its
// limit, where that is a container's or a pod's. namedBy is what names a pod that
// the API server does not have.
func (n *Node) oomOwner(path string, e *oomEvent) (o Owner, namedBy []string) {
	if e.kill.Cgroup == "" && e.scope != ScopeContainer && e.scope != ScopePod {
		return Owner{Type: OwnerUnknown}, nil
	}
	place := n.parsePath(path)
	if n.isKubepods(path) {
		return Owner{Type: OwnerUnknown}, nil // some pod's
	}
	if o = n.ownerAt(place, e.kill.Comm); o.Type != OwnerPod {
		return o, nil
	}
	if o.PodState != PodKnown {
		namedBy = n.nameGone(&o, e)
	} else {
		n.nameEnded(&o)
	}
	if pod := n.podByUID[o.PodUID]; pod != nil && o.Container == "" && !o.Sandbox && o.ContainerID != "" {
		o.Container = endedContainer(pod, o.ContainerID, e.kill)
	}
	o.ContainerID = ""
	return o, namedBy
}

// isKubepods: the cgroup is that of all pods, or of a class of them.
func (n *Node) isKubepods(path string) bool {
	place := n.parsePath(path)
	elements, fromInside := splitPath(strings.TrimPrefix(path, n.ownRoot))
	_, ok := kubepodsRoot(elements, fromInside)
	return ok && place.PodUID == "" && place.ContainerID == "" && place.System == ""
}

// endedContainer names a container of a pod that is there: an earlier run of one
// whose status tells of it, the only one, or the only one with that limit.
func endedContainer(pod *inventory.Pod, id string, k report.OOMKill) string {
	var limited []string
	for _, c := range pod.Containers {
		for _, end := range c.OOMKilled {
			if end.ID == id {
				return c.Name
			}
		}
		if k.Limit != nil && c.MemoryLimit > 0 && *k.Limit == c.MemoryLimit {
			limited = append(limited, c.Name)
		}
	}
	switch {
	case k.Comm == "pause": // the sandbox
	case len(pod.Containers) == 1:
		return pod.Containers[0].Name
	case len(limited) == 1 && k.Constraint == report.OOMCgroup && podPlace(k.LimitCgroup).ContainerID == id:
		return limited[0]
	}
	return ""
}

// nameAlike: an earlier run of a container, of which nothing but its id is left, was
// of the one in that pod that had the same limit and the same process killed.
func nameAlike(events []oomEvent) {
	type key struct {
		pod, comm string
		limit     uint64
	}
	of := func(e *oomEvent) (key, bool) {
		if e.owner.Type != OwnerPod || e.owner.Sandbox || e.scope != ScopeContainer || e.kill.Limit == nil {
			return key{}, false
		}
		return key{e.owner.PodUID, e.kill.Comm, *e.kill.Limit}, true
	}
	const several = "/" // no container's name
	names := map[key]string{}
	for i := range events {
		if k, ok := of(&events[i]); ok && events[i].owner.Container != "" && names[k] != events[i].owner.Container {
			if names[k] != "" {
				names[k] = several
				continue
			}
			names[k] = events[i].owner.Container
		}
	}
	for i := range events {
		if k, ok := of(&events[i]); ok && events[i].owner.Container == "" && names[k] != several {
			events[i].owner.Container = names[k]
		}
	}
}

// OOMTaskOwner is whose a process of the kernel's table was: the victim's owner, or
// that of a process which is still there; false where nobody knows.
func (n *Node) OOMTaskOwner(v OOMVictim, t report.OOMTask) (Owner, bool) {
	if t.PID == v.Kill.PID {
		return v.Owner, v.Owner.Type != OwnerUnknown
	}
	p := n.processes[t.PID]
	if p == nil || p.Comm != t.Comm || v.Kill.At == nil || n.Report.Node.ClockTicks <= 0 || n.kernelView().nested ||
		float64(p.StartTicks)/float64(n.Report.Node.ClockTicks) > *v.Kill.At {
		return Owner{}, false
	}
	return n.Blame(p).Owner, true
}
