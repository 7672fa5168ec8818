package correlate

import "fmt"

const (
	// proposalStep rounds a proposed threshold up.
	proposalStep = 128 << 20
	// What the kubelet needs to act: a share of the node's memory, within bounds.
	leastReaction, mostReaction, reactionShare = 100 << 20, 1 << 30, 50
)

// judgeThreshold says whether the hard threshold is met before the kernel runs out.
//
// The kernel's reclaim leaves no page cache to speak of. Then memory.available =
// capacity − (anonymous memory + shmem), and of that the kernel has but nothing
// more to give: its own memory (slab, page tables, stacks), huge pages, and what
// it keeps free by its watermarks. A threshold below this sum is met by no process
// that grows: the OOM killer is there first.
func (n *Node) judgeThreshold(e *Eviction, k *KubeletMemory) {
	own, kept := n.uncounted(k), n.keptAtZero()
	zero, hurry := notNegative(own+kept), n.hurry(e)
	hard := e.Hard()
	e.AtZero, e.Why = &zero, whyThreshold(hard, own, kept, hurry)
	if e.TooLow = hard == nil || hard.Bytes < zero+hurry; !e.TooLow {
		return
	}
	needed := zero + max(hurry, min(max(k.Capacity/reactionShare, leastReaction), mostReaction))
	needed = (needed + proposalStep - 1) / proposalStep * proposalStep
	if needed <= k.Capacity/2 { // beyond, it is another thing that is wrong
		e.Proposed = needed
	}
}

// uncounted is memory that is in use for good and in no usage of the kubelet's.
func (n *Node) uncounted(k *KubeletMemory) int64 {
	i := n.Report.Memory.Info
	all := amount(i.Total) - amount(i.Free) - int64(k.Usage)
	return max(all-min(amount(i.SReclaimable), max(all, 0))-n.arcGives(), 0)
}

// arcGives is what the cache of ZFS gives back when the kernel asks for it.
func (n *Node) arcGives() int64 {
	arc := n.Report.Memory.ARC
	if arc == nil {
		return 0
	}
	return max(amount(&arc.Size)-amount(&arc.Min), 0)
}

// keptAtZero is what the kernel still keeps free when MemAvailable is 0: kept, less
// the page cache and slab that are gone then. The low watermark is the lowest
// (vm.min_free_kbytes) and a quarter more, or a thousandth of memory more
// (watermark_scale_factor since 4.6).
func (n *Node) keptAtZero() int64 {
	m := n.Report.Memory
	i, lowest := m.Info, amount(m.MinFree)
	low := lowest + max(lowest/4, amount(i.Total)/1000)
	if i.Available == nil || m.MinFree == nil {
		return low
	}
	kept := n.kept() - min((amount(i.ActiveFile)+amount(i.InactiveFile))/2, low) - min(amount(i.SReclaimable)/2, low)
	return max(kept, lowest)
}

// hurry is what goes between two looks of the kubelet, where memory is about to run
// out at this rate.
func (n *Node) hurry(e *Eviction) uint64 {
	if e.FallsBy <= 0 || e.Notified || float64(amount(e.KernelAvailable))/e.FallsBy > 10*60 {
		return 0
	}
	return uint64(min(e.FallsBy*housekeeping, maxBytes))
}

func whyThreshold(hard *EvictionThreshold, own, kept int64, hurry uint64) string {
	size := func(n int64) string { return Size(notNegative(n)) }
	zero := fmt.Sprintf("when the kernel has nothing left (MemAvailable 0), the kubelet still sees %s available: %s of kernel memory and huge pages that it does not count, %s that the kernel keeps free",
		size(own+kept), size(own), size(kept))
	switch {
	case hard == nil:
		return "there is no hard threshold: however little is left, the kubelet evicts nobody at once"
	case hard.Bytes < notNegative(own+kept):
		return fmt.Sprintf("%s; the hard threshold of %s is below that, so the OOM killer comes first", zero, size(amount(&hard.Bytes)))
	case hard.Bytes < notNegative(own+kept)+hurry:
		return fmt.Sprintf("%s; the kubelet looks every %d s, and %s go in that time at this rate: the hard threshold of %s may be met too late", zero, housekeeping, size(int64(hurry)), size(amount(&hard.Bytes)))
	}
	return fmt.Sprintf("%s; the hard threshold of %s is met before", zero, size(amount(&hard.Bytes)))
}
