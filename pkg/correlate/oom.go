package correlate

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Scopes of an OOM kill: whose limit it was.
const (
	ScopeContainer = "container"
	ScopePod       = "pod"
	ScopePods      = "pods" // kubepods: what the node has for pods
	ScopeCgroup    = "cgroup"
	ScopeNode      = "node"
)

// oomEvent is one kill, and what else it took with it.
type oomEvent struct {
	kill      report.OOMKill
	owner     Owner
	scope     string
	at        *time.Time
	processes int
	namedBy   []string
}

// oomKey is what kills are counted by. A container that starts anew has another
// id, and is the same.
type oomKey struct {
	owner       Owner
	comm, scope string
	apiOnly     bool
}

// OOMVictims are whom the kernel has killed for memory, the newest first. What its
// log no longer has, the API server may know.
func (n *Node) OOMVictims() []OOMVictim {
	events := n.oomEvents()
	victims := map[oomKey]*OOMVictim{}
	for i := range events {
		addOOM(victims, &events[i])
	}
	n.joinOOMStatuses(victims, events)
	n.joinOOMEvents(victims, events)
	list := make([]OOMVictim, 0, len(victims))
	for _, v := range victims {
		n.oomLimits(v)
		list = append(list, *v)
	}
	slices.SortFunc(list, func(a, b OOMVictim) int {
		return cmp.Or(compareTimes(b.Last, a.Last), cmp.Compare(a.Owner.Name(), b.Owner.Name()), cmp.Compare(a.Owner.Container, b.Owner.Container),
			cmp.Compare(a.Comm, b.Comm), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Owner.PodUID, b.Owner.PodUID))
	})
	return list
}

// OOMSince is how far back the kernel's log goes; nil: nobody knows.
func (n *Node) OOMSince() *time.Time {
	if n.Report.OOM == nil || n.Report.OOM.LogFrom == nil {
		return nil
	}
	return n.afterBoot(*n.Report.OOM.LogFrom)
}

// oomEvents are the kills of this node in the log's order. The processes that die
// with a group's first victim are no kills of their own.
func (n *Node) oomEvents() []oomEvent {
	if n.Report.OOM == nil {
		return nil
	}
	var events []oomEvent
	view := n.kernelView()
	for _, k := range n.Report.OOM.Kills {
		if last := len(events) - 1; last >= 0 && k.Group && sameGroup(events[last].kill, k) {
			events[last].processes++
			continue
		}
		path, own := view.own(cmp.Or(k.Cgroup, k.LimitCgroup))
		if !own {
			continue
		}
		limit, _ := view.own(k.LimitCgroup)
		e := oomEvent{kill: k, scope: n.oomScope(k.Constraint, limit), processes: 1}
		if k.At != nil {
			e.at = n.afterBoot(*k.At)
		}
		e.owner, e.namedBy = n.oomOwner(path, &e)
		events = append(events, e)
	}
	nameAlike(events)
	return events
}

// sameGroup: b died with a, whose own cgroup may lie in that of the group. What the
// log says of a group stands without gaps.
func sameGroup(a, b report.OOMKill) bool {
	const together = 5.0 // seconds
	return a.Group && strings.HasPrefix(a.Cgroup+"/", b.Cgroup+"/") && b.Largest == nil && (a.At == nil || b.At == nil || *b.At-*a.At < together)
}

// oomScope is by the cgroup at its limit.
func (n *Node) oomScope(constraint, limit string) string {
	switch constraint {
	case report.OOMNode, report.OOMCpuset, report.OOMMemoryPolicy:
		return ScopeNode
	case "":
		return ""
	}
	place := n.parsePath(limit)
	switch {
	case place.ContainerID != "":
		return ScopeContainer
	case place.PodUID != "":
		return ScopePod
	case n.isKubepods(limit):
		return ScopePods
	}
	return ScopeCgroup
}

func addOOM(victims map[oomKey]*OOMVictim, e *oomEvent) {
	key := oomKey{owner: e.owner, comm: e.kill.Comm, scope: e.scope}
	v := victims[key]
	if v == nil {
		v = &OOMVictim{Owner: e.owner, Comm: e.kill.Comm, Scope: e.scope, First: e.at}
		victims[key] = v
	}
	v.Kills++
	v.Processes += e.processes
	v.Kill, v.NamedBy = e.kill, e.namedBy // the log's order is the kernel's
	if e.at != nil {
		v.Last = e.at
	}
}

// oomLimits adds what the spec of the victim's container says.
func (n *Node) oomLimits(v *OOMVictim) {
	pod := n.podByUID[v.Owner.PodUID]
	if v.Owner.Type != OwnerPod || pod == nil {
		return
	}
	for _, c := range pod.Containers {
		if c.Name == v.Owner.Container {
			v.Request, v.Limit, v.Restarts = c.MemoryRequest, c.MemoryLimit, c.Restarts
		}
	}
}

// afterBoot is a time of the kernel's log by the node's clock. The log's own clock
// drifts, so that it may seem later than now.
func (n *Node) afterBoot(seconds float64) *time.Time {
	node := n.Report.Node
	if node.BootTime == 0 || seconds < 0 || seconds > 1<<32 {
		return nil
	}
	at := time.Unix(node.BootTime, 0).Add(time.Duration(seconds * float64(time.Second))).UTC().Truncate(time.Second)
	if now := n.Time(); now != nil && at.After(*now) {
		at = *now
	}
	if !inCalendar(at) {
		return nil
	}
	return &at
}

// compareTimes: one that is not known is before all others.
func compareTimes(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return a.Compare(*b)
}
