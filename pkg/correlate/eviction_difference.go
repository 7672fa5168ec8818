package correlate

import (
	"cmp"
	"slices"
)

const (
	inMeminfo = "/proc/meminfo"
	inStat    = "memory.stat"
)

// MemoryDifferences say why the kernel's MemAvailable and the kubelet's
// memory.available are not the same, the largest term first. They sum up to the
// difference. The kernel (mm/show_mem.c, si_mem_available):
//
//	MemAvailable     = free + page cache + slab that can be freed − what it keeps
//	memory.available = capacity − (usage − inactive_file)
//
// where usage is anonymous memory and page cache: all else, the kernel's own
// memory and huge pages, the kubelet takes for available.
func (n *Node) MemoryDifferences() []MemoryDifference {
	k, m := n.kubeletMemory(), n.Report.Memory
	if k == nil || m.Info.Available == nil {
		return []MemoryDifference{}
	}
	i := m.Info
	d := differences{left: amount(i.Available) - int64(k.Available)}
	d.add("active_file", amount(i.ActiveFile), inMeminfo+" Active(file)",
		"page cache in use: the kernel drops it when programs need memory, the kubelet counts it as used")
	inactive := amount(i.InactiveFile) - int64(k.InactiveFile)
	d.add("inactive_file", inactive, inMeminfo+" Inactive(file), "+inStat,
		"page cache that only one of the two counts as free: the root cgroup's number is not the node's")
	if kept := n.kept(); kept > 0 {
		d.add("kept free", -kept, inMeminfo+" MemFree + file + SReclaimable − MemAvailable",
			"watermarks and reserves: the kernel keeps this free (vm.min_free_kbytes), the kubelet counts it as available")
	}
	if k.Usage == notNegative(amount(i.Total)-amount(i.Free)) {
		d.add("SReclaimable", amount(i.SReclaimable), inMeminfo, "slab that can be freed (dentries, inodes): the kernel does when needed, the kubelet counts it as used")
	} else {
		n.addUncounted(&d, int64(k.Usage))
	}
	d.add("rest", d.left, "the difference less all other terms",
		"what /proc/meminfo has no line for (network buffers, drivers, vmalloc, a balloon), and what changed between two reads")
	slices.SortStableFunc(d.list, func(a, b MemoryDifference) int { return cmp.Compare(max(b.Bytes, -b.Bytes), max(a.Bytes, -a.Bytes)) })
	return d.list
}

// addUncounted adds the memory in use that is not in the root cgroup's usage.
func (n *Node) addUncounted(d *differences, usage int64) {
	const uncounted = ": in use for good, and in no cgroup's usage at the root, so the kubelet takes it for available"
	i := n.Report.Memory.Info
	d.add("SUnreclaim", -amount(i.SUnreclaim), inMeminfo, "slab that cannot be freed"+uncounted)
	d.add("PageTables", -amount(i.PageTables), inMeminfo, "page tables"+uncounted)
	d.add("KernelStack", -amount(i.KernelStack), inMeminfo, "kernel stacks of all threads"+uncounted)
	d.add("Percpu", -amount(i.Percpu), inMeminfo, "the kernel's data of each CPU"+uncounted)
	if arc := n.Report.Memory.ARC; arc != nil {
		d.add("ARC of ZFS", -amount(&arc.Size), ARCStats, "the cache of ZFS: it can be freed for the most part, which the kernel does not count as available, and the kubelet does")
	}
	d.add("Hugetlb", -hugePagesOf(n.Report.Memory), inMeminfo+", /sys/kernel/mm/hugepages", "huge pages, whether used or not"+uncounted)
	if i.AnonPages != nil && i.Cached != nil {
		d.add("not in the root cgroup", usage-(amount(i.AnonPages)+amount(i.Cached)+amount(i.Buffers)+amount(i.SwapCached)), inMeminfo+" AnonPages, Cached, Buffers; the root cgroup",
			"pages of programs and files that the root cgroup's usage lacks, or has too many of")
	}
}

// kept is what the kernel does not give away although it is free or could be
// freed: the zones' high watermarks and lowmem reserves, and some page cache and
// slab, from which it makes MemAvailable.
func (n *Node) kept() int64 {
	i := n.Report.Memory.Info
	if i.Available == nil {
		return 0
	}
	return amount(i.Free) + amount(i.ActiveFile) + amount(i.InactiveFile) + amount(i.SReclaimable) - amount(i.Available)
}

// differences is a list of terms, and what they leave.
type differences struct {
	list []MemoryDifference
	left int64
}

func (d *differences) add(name string, bytes int64, source, why string) {
	if bytes != 0 {
		d.left -= bytes
		d.list = append(d.list, MemoryDifference{Term: Term{Name: name, Bytes: bytes, Source: source}, Why: why})
	}
}
