package correlate

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Held is what a process holds of some kinds of descriptors.
type Held struct {
	Process *report.Process
	Count   int
	Mostly  *report.Target // the largest group; nil where it is not among the reported
}

// Holding lists the processes that hold descriptors of the kinds that is
// accepts, most first.
func (n *Node) Holding(is func(kind string) bool) []Held {
	if n.Report.Processes == nil {
		return nil
	}
	var list []Held
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if p.FDs == nil {
			continue
		}
		h := Held{Process: p}
		for _, k := range p.FDs.Kinds {
			if is(k.Name) {
				h.Count += k.Count
			}
		}
		for j := range p.FDs.Targets {
			if t := &p.FDs.Targets[j]; is(t.Kind) && (h.Mostly == nil || t.Count > h.Mostly.Count) {
				h.Mostly = t
			}
		}
		if h.Count > 0 {
			list = append(list, h)
		}
	}
	slices.SortFunc(list, func(a, b Held) int { return cmp.Or(b.Count-a.Count, a.Process.PID-b.Process.PID) })
	return list
}

// StartedContainers counts the containers that have begun within the time of a
// sample and the start-up before it: runtime and kubelet have opened files for
// each.
func (n *Node) StartedContainers(sampleSeconds float64) int {
	if n.Report.Processes == nil || n.Report.Node.ClockTicks <= 0 {
		return 0
	}
	young := map[string]bool{} // by container, whether all its processes are
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		id := n.place(p).ContainerID
		if id == "" {
			continue
		}
		known, seen := young[id]
		young[id] = (known || !seen) && n.Age(p.PID) < StartupSeconds+sampleSeconds
	}
	count := 0
	for _, is := range young {
		if is {
			count++
		}
	}
	return count
}
