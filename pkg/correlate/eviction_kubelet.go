package correlate

import (
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// kubeletMemory is the kubelet's arithmetic over the root cgroup, as cAdvisor does
// it (container/libcontainer/handler.go, setMemoryStats); nil: the node does not
// say. Capacity is MemTotal.
func (n *Node) kubeletMemory() *KubeletMemory {
	m, root := n.Report.Memory, n.rootMemory()
	if root == nil || m.Info.Total == nil {
		return nil
	}
	k := &KubeletMemory{CgroupVersion: m.CgroupVersion, Capacity: uint64(amount(m.Info.Total)), Terms: []Term{}}
	switch {
	case root.Usage != nil && m.CgroupVersion == 2: // of a node in a container
		k.Usage, k.Terms = uint64(amount(root.Usage)), []Term{{"usage", amount(root.Usage), "memory.current"}}
	case root.Usage != nil:
		k.Usage, k.Terms = uint64(amount(root.Usage)), []Term{{"usage", amount(root.Usage), "memory.usage_in_bytes"}}
	case n.countsAllUsed(root):
		k.Usage = notNegative(amount(m.Info.Total) - amount(m.Info.Free))
		k.Terms = []Term{{"MemTotal", amount(m.Info.Total), "/proc/meminfo"}, {"MemFree", -amount(m.Info.Free), "/proc/meminfo"}}
	case root.Anon != nil && root.File != nil:
		k.Usage = uint64(amount(root.Anon) + amount(root.File))
		k.Terms = []Term{{"anon", amount(root.Anon), "memory.stat"}, {"file", amount(root.File), "memory.stat"}}
	default: // v2 before 5.8: no memory.stat there, and the kubelet fails, too
		return nil
	}
	k.InactiveFile = uint64(amount(root.InactiveFile))
	k.WorkingSet = k.Usage - min(k.Usage, k.InactiveFile)
	k.Available = k.Capacity - min(k.Capacity, k.WorkingSet)
	if inv := n.Inventory; inv != nil && inv.Memory != nil && inv.Memory.Summary != nil {
		s := inv.Memory.Summary.Node
		k.Summary = s.Available
		if s.Time > 0 && n.Report.Node.Now > 0 {
			k.SummaryAge = max(float64(n.Report.Node.Now-s.Time), 0)
		}
	}
	return k
}

// rootMemory is the root of the memory hierarchy.
func (n *Node) rootMemory() *report.MemoryCgroup {
	if m := n.Report.Memory; m != nil && len(m.Cgroups) > 0 {
		return &m.Cgroups[0]
	}
	return nil
}

// countsAllUsed: v2's root has no memory.current. What stands for it was MemTotal −
// MemFree before runc 1.1.9, which Kubernetes has since 1.29; some distributions
// took it earlier. Where the kubelet's own number is known, that tells.
func (n *Node) countsAllUsed(root *report.MemoryCgroup) bool {
	m := n.Report.Memory
	if root.Usage != nil || m.CgroupVersion != 2 || m.Info.Free == nil || n.Inventory == nil || n.Inventory.Memory == nil {
		return false
	}
	inv := n.Inventory.Memory
	if inv.Summary != nil && inv.Summary.Node.Usage != nil {
		used, own := amount(inv.Summary.Node.Usage), amount(root.Anon)+amount(root.File)
		return distance(used, amount(m.Info.Total)-amount(m.Info.Free)) < distance(used, own)
	}
	v, err := version.ParseGeneric(inv.KubeletVersion)
	return err == nil && v.LessThan(version.MustParseGeneric("1.29.0"))
}

func distance(a, b int64) int64 { return max(a-b, b-a) }
