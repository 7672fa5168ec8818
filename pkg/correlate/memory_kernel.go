package correlate

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// kernelMemory is nil where the report has no totals.
func (n *Node) kernelMemory() *KernelMemory {
	r := n.Report.Memory
	if r == nil || r.Info.Total == nil {
		return nil
	}
	k := &KernelMemory{MemInfo: r.Info, HugePages: r.HugePages, ARC: r.ARC}
	i := r.Info
	free := bytesOr(i.Free, 0) + bytesOr(i.Buffers, 0) + bytesOr(i.Cached, 0) + bytesOr(i.SReclaimable, 0)
	k.Used = unsigned(bytesOr(i.Total, 0) - bytesOr(i.Available, free))
	if s := r.Samples; len(s) > 1 && s[0].Available != nil && s[len(s)-1].Available != nil && s[len(s)-1].AtMillis > s[0].AtMillis {
		rate := 1000 * float64(bytesOr(s[len(s)-1].Available, 0)-bytesOr(s[0].Available, 0)) / float64(s[len(s)-1].AtMillis-s[0].AtMillis)
		k.AvailablePerSecond, k.Falls = &rate, falls(s)
	}
	k.OwnPerSecond, k.OwnGrows = ownGrowth(r.Samples)
	k.Parts = kernelParts(k)
	return k
}

// ownGrowth is the growth of the kernel's own memory, and whether it never shrank.
func ownGrowth(samples []report.MemorySample) (perSecond *float64, grows bool) {
	grows = true
	for i := range samples {
		if samples[i].Kernel == nil {
			return nil, false
		}
		grows = grows && (i == 0 || *samples[i].Kernel >= *samples[i-1].Kernel)
	}
	if len(samples) < 2 || samples[len(samples)-1].AtMillis <= samples[0].AtMillis {
		return nil, false
	}
	first, last := samples[0], samples[len(samples)-1]
	rate := 1000 * float64(bytesOr(last.Kernel, 0)-bytesOr(first.Kernel, 0)) / float64(last.AtMillis-first.AtMillis)
	return &rate, grows && rate > 0
}

// falls: what is available became less with each step.
func falls(samples []report.MemorySample) bool {
	for i := 1; i < len(samples); i++ {
		if bytesOr(samples[i].Available, 0) >= bytesOr(samples[i-1].Available, 0) {
			return false
		}
	}
	return true
}

// UnnamedKernelMemory is the source of what is only known as a difference: network
// buffers, drivers, a hypervisor's balloon.
const UnnamedKernelMemory = "no line of /proc/meminfo"

// ARCStats is the source of the size of the cache of ZFS.
const ARCStats = "/proc/spl/kstat/zfs/arcstats size"

// kernelParts is what the kernel itself takes, the largest first: what is neither
// free nor anonymous memory nor page cache, as far as /proc/meminfo names it.
func kernelParts(k *KernelMemory) []Term {
	i := k.MemInfo
	parts := []Term{}
	named := int64(0)
	add := func(name, line string, n int64) {
		if n > 0 {
			parts = append(parts, Term{Name: name, Bytes: n, Source: "/proc/meminfo " + line})
			named += n
		}
	}
	add("slab that cannot be freed", "SUnreclaim", bytesOr(i.SUnreclaim, 0))
	add("slab that can be freed", "SReclaimable", bytesOr(i.SReclaimable, 0))
	add("page tables", "PageTables", bytesOr(i.PageTables, 0))
	add("kernel stacks", "KernelStack", bytesOr(i.KernelStack, 0))
	add("per-CPU data", "Percpu", bytesOr(i.Percpu, 0))
	add("huge page pools", "Hugetlb", bytesOr(i.Hugetlb, hugePools(k.HugePages)))
	all := unsigned(bytesOr(i.Total, 0) - bytesOr(i.Free, 0) - bytesOr(i.AnonPages, 0) - bytesOr(i.Cached, 0) - bytesOr(i.Buffers, 0) - bytesOr(i.SwapCached, 0))
	if i.AnonPages == nil || i.Cached == nil || i.Free == nil {
		all = unsigned(named)
	}
	// Stacks lie in vmalloc's area, too. Before 5.3 the line counts addresses, those
	// of devices included, or is 0.
	add("vmalloc", "VmallocUsed", min(less(bytesOr(i.VmallocUsed, 0), bytesOr(i.KernelStack, 0)), less(int64(all), named)))
	if k.ARC != nil { // some of it lies in slabs
		if n := min(bytesOr(&k.ARC.Size, 0), less(int64(all), named)); n > 0 {
			parts = append(parts, Term{Name: "cache of ZFS (ARC)", Bytes: n, Source: ARCStats})
			named += n
		}
	}
	if rest := less(int64(all), named); rest > 0 {
		parts = append(parts, Term{Name: "not named", Bytes: rest, Source: UnnamedKernelMemory})
	}
	slices.SortStableFunc(parts, func(a, b Term) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return parts
}

// hugePools is what pools of huge pages take, used or not.
func hugePools(pools []report.HugePagePool) int64 {
	total := int64(0)
	for _, p := range pools {
		if p.PageBytes > 0 && p.Pages < (1<<62)/p.PageBytes {
			total = sum(total, int64(min(p.PageBytes*p.Pages, sumsEnd)))
		}
	}
	return total
}

// kernelCounts is what the kernel takes and charges to nobody: some of its slab,
// page tables and buffers are charged to those that they are for. Of slab that
// can be freed the same share is taken to be uncharged as of all.
func (n *Node) kernelCounts(t *memoryTree) memoryCounts {
	k := n.kernelMemory()
	if k == nil {
		return memoryCounts{}
	}
	all, charged := int64(0), int64(0)
	for _, p := range k.Parts {
		all += p.Bytes
	}
	for i := range t.nodes {
		charged = sum(charged, t.nodes[i].own.kernel)
	}
	left := less(all, charged)
	c := memoryCounts{usage: left, kernel: left}
	if all > 0 {
		c.inactive = int64(float64(bytesOr(k.SReclaimable, 0)) * float64(left) / float64(all))
	}
	return c
}

// memoryRest is what the rows' working sets leave of the node's memory.
func (n *Node) memoryRest(accounted uint64) []Term {
	k := n.kernelMemory()
	if k == nil {
		return []Term{}
	}
	rest := []Term{}
	left := bytesOr(k.Total, 0) - bytesOr(&accounted, 0)
	for _, t := range []Term{
		{Name: "free", Bytes: bytesOr(k.Free, 0), Source: "/proc/meminfo MemFree"},
		{Name: "page cache that goes first", Bytes: bytesOr(k.InactiveFile, 0), Source: "/proc/meminfo Inactive(file)"},
		{Name: "slab that can be freed and is charged to nobody", Bytes: n.kernelCounts(n.memoryTree()).inactive, Source: "/proc/meminfo SReclaimable"},
	} {
		rest = append(rest, t)
		left -= t.Bytes
	}
	return append(rest, Term{Name: "not explained", Bytes: left, Source: "the files are read one after another, and counters lag behind"})
}
