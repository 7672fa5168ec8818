package correlate

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// TaskLimitUse is how much of its pids limit a cgroup uses.
type TaskLimitUse struct {
	// Owner is whose cgroup it is: a pod's, a container's, a unit's, or one that
	// others are in.
	Owner Owner  `json:"owner"`
	Path  string `json:"path"`
	// Own: the cgroup is the owner's as such, and not one that it made in there.
	Own     bool    `json:"own"`
	Current uint64  `json:"current"`
	Max     uint64  `json:"max"`
	Percent float64 `json:"percent"`
	// Refused counts the forks that failed by it, since the cgroup was made.
	Refused uint64 `json:"refused,omitempty"`
}

// taskLimits are all cgroups with a limit, the fullest first.
func (n *Node) taskLimits() []TaskLimitUse {
	list := []TaskLimitUse{}
	refused := refusedBy(n.Report.Tasks.Limits)
	for i, l := range n.Report.Tasks.Limits {
		if l.Max == nil {
			continue
		}
		place := n.parsePath(l.Path)
		list = append(list, TaskLimitUse{Owner: n.ownerAt(place, ""), Path: l.Path, Own: isOwn(place), Current: l.Current, Max: *l.Max,
			Percent: percentOfLimit(l.Current, *l.Max), Refused: refused[i]})
	}
	slices.SortFunc(list, func(a, b TaskLimitUse) int {
		return cmp.Or(cmp.Compare(b.Percent, a.Percent), cmp.Compare(b.Current, a.Current), cmp.Compare(a.Path, b.Path))
	})
	return list
}

// percentOfLimit: nothing may run in a cgroup whose limit is 0.
func percentOfLimit(current, limit uint64) float64 {
	if limit == 0 {
		return 100
	}
	return percent(float64(current), float64(limit))
}

// refusedBy is how many forks each limit has refused. Before Linux 6.11 they
// are counted where the fork was tried: then the nearest limit above has done it.
func refusedBy(limits []report.TaskLimit) []uint64 {
	at := map[string]int{}
	for i, l := range limits {
		if l.Max != nil {
			at[l.Path] = i
		}
	}
	below := make([]uint64, len(limits))
	for _, l := range limits {
		if l.Max != nil || l.Refused == 0 {
			continue
		}
		for dir := path.Dir(l.Path); dir != "/" && dir != "."; dir = path.Dir(dir) {
			if i, ok := at[dir]; ok {
				below[i] += l.Refused
				break
			}
		}
	}
	for i, l := range limits {
		below[i] = max(below[i], l.Refused) // later kernels count in both
	}
	return below
}

// isOwn: the last element of the path is what names the owner.
func isOwn(p Place) bool {
	last := path.Base(p.Path)
	switch {
	case p.ContainerID != "":
		return strings.Contains(last, p.ContainerID)
	case p.PodUID != "":
		return podUID(last) == p.PodUID
	case p.Unit != "":
		return strings.TrimPrefix(last, "_") == p.Unit
	case p.System != "":
		_, end := report.SystemContainer(p.Path)
		return end == len(p.Path)
	}
	return true
}

// limitsByOwner is the fullest of each owner's own limits. A pod's is its own or
// that of one of its containers.
func limitsByOwner(limits []TaskLimitUse, by By) map[Owner]*TaskLimitUse {
	fullest := map[Owner]*TaskLimitUse{}
	if by == ByProcess || by == ByWorkload {
		return fullest
	}
	for i := range limits {
		l := &limits[i]
		owner := l.Owner
		if by != ByContainer && owner.Type == OwnerPod {
			owner.Container, owner.ContainerID, owner.Sandbox = "", "", false
		}
		if l.Own && fullest[owner] == nil {
			fullest[owner] = l
		}
	}
	return fullest
}
