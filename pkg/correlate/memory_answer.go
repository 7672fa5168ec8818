package correlate

import (
	"cmp"
	"math"
	"slices"
)

// MemoryOptions say how the answer is to be. The zero value is by pod, by size.
type MemoryOptions struct {
	By     By
	Sort   Order
	Filter Filter
}

// SortMemory is by size, the largest first.
const SortMemory Order = "memory"

// MemoryOrders are what memory can be sorted by, as a flag takes them.
func MemoryOrders() []string { return []string{string(SortMemory), string(SortGrowth)} }

// MemoryGroupings are what memory can be ranked by.
func MemoryGroupings() []string {
	return []string{string(ByPod), string(ByContainer), string(ByWorkload), string(ByProcess), string(ByUnit), string(ByUser)}
}

// Memory ranks owners by the memory that they have, and says what kernel and
// kubelet make of the whole.
func (n *Node) Memory(o MemoryOptions) NodeMemory {
	m := NodeMemory{Node: n.Name(), Time: n.Time(), By: cmp.Or(o.By, ByPod), Kernel: n.kernelMemory(), Gaps: n.Gaps(),
		Differences: []MemoryDifference{}, Rows: []MemoryRow{}, Processes: []MemoryProcess{}, OOMKills: []OOMVictim{}, Evictions: []EvictedPod{}}
	if r := n.Report.Memory; r != nil {
		m.Pressure = r.Pressure
		m.Seconds = n.memoryTree().seconds
		n.rankMemory(&m, o)
		m.Rest = n.memoryRest(m.Accounted)
	}
	m.Processes = n.memoryProcesses(o)
	n.addToMemory(&m, o.Filter)
	return m
}

// addToMemory fills in what the kernel's log and the kubelet say.
func (n *Node) addToMemory(m *NodeMemory, f Filter) {
	for _, v := range n.OOMVictims() {
		if n.Shows(f, v.Owner) {
			m.OOMKills = append(m.OOMKills, v)
		}
	}
	m.OOMSince = n.OOMSince()
	for _, e := range n.EvictedPods() {
		if n.Shows(f, e.Owner) {
			m.Evictions = append(m.Evictions, e)
		}
	}
	m.Kubelet, m.Eviction = n.kubeletMemory(), n.Eviction()
	m.Differences = append(m.Differences, n.MemoryDifferences()...)
}

// sortMemory puts the largest first; what was not measured grows least.
func sortMemory(rows []MemoryRow, order Order) {
	slices.SortFunc(rows, func(a, b MemoryRow) int {
		if order == SortGrowth {
			if c := cmp.Compare(measured(b.PerSecond), measured(a.PerSecond)); c != 0 {
				return c
			}
		}
		return cmp.Or(cmp.Compare(b.WorkingSet, a.WorkingSet), cmp.Compare(b.Usage, a.Usage), cmp.Compare(a.Owner.Name(), b.Owner.Name()),
			cmp.Compare(a.Owner.PodUID, b.Owner.PodUID), cmp.Compare(a.Owner.ContainerID, b.Owner.ContainerID), cmp.Compare(a.PID, b.PID))
	})
}

func measured(perSecond *float64) float64 {
	if perSecond == nil {
		return math.Inf(-1)
	}
	return *perSecond
}

// String is the filter as the flags have it.
func (f MemoryFiltered) String() string {
	return Filtered{Namespace: f.Namespace, Selector: f.Selector}.String()
}
