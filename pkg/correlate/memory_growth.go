package correlate

import (
	"cmp"
	"slices"
)

// MemoryGain is a process that has more memory than before.
type MemoryGain struct {
	Owner   Owner
	Process MemoryProcess
	Gained  uint64 // between the first look and the last
	Anon    uint64 // of what it has now; kernels before 4.5: all
	// Steady: in no step between the looks it lost any. Two looks have one step.
	Steady bool
}

// MemoryGains lists the processes past their first minute that gained memory, the
// most first.
func (n *Node) MemoryGains() []MemoryGain {
	if n.Report.Processes == nil || n.Report.Memory == nil {
		return nil
	}
	var list []MemoryGain
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		m := p.Memory
		if p.Kernel || m == nil || m.RSSBefore == nil || n.startsUp(p) || unsigned(p.RSSBytes) <= *m.RSSBefore {
			continue
		}
		owner := n.Blame(p).Owner
		list = append(list, MemoryGain{Owner: owner, Process: n.memoryProcess(p, owner), Gained: unsigned(p.RSSBytes) - *m.RSSBefore,
			Anon: unsigned(bytesOr(m.Anon, p.RSSBytes)), Steady: slices.IsSorted(m.RSSSteps)})
	}
	slices.SortStableFunc(list, func(a, b MemoryGain) int { return cmp.Compare(b.Gained, a.Gained) })
	return list
}
