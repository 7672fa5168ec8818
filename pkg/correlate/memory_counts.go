package correlate

import "github.com/nodedoc/kubectl-nodedoc/pkg/report"

// memoryCounts are the counters of a memory cgroup, or a sum of such, in bytes.
// They are signed: files are read one after another, so that children may have
// more than their parent had.
type memoryCounts struct {
	usage, anon, file, shmem, inactive, kernel, swap int64
	grown, grownShmem                                int64 // between the two looks
	oomKills                                         int64
}

func (c *memoryCounts) add(o memoryCounts) {
	c.usage = sum(c.usage, o.usage)
	c.anon = sum(c.anon, o.anon)
	c.file = sum(c.file, o.file)
	c.shmem = sum(c.shmem, o.shmem)
	c.inactive = sum(c.inactive, o.inactive)
	c.kernel = sum(c.kernel, o.kernel)
	c.swap = sum(c.swap, o.swap)
	c.grown = sum(c.grown, o.grown)
	c.grownShmem = sum(c.grownShmem, o.grownShmem)
	c.oomKills = sum(c.oomKills, o.oomKills)
}

// sumsEnd is where sums end: many cgroups may each claim what no node has.
const sumsEnd = 1 << 60

// sum of two numbers within ±sumsEnd is within them.
func sum(a, b int64) int64 { return min(max(a+b, -sumsEnd), sumsEnd) }

// sumOf is sum for what is never below 0.
func sumOf(a, b uint64) uint64 { return min(min(a, sumsEnd)+min(b, sumsEnd), sumsEnd) }

// beyond is what is left without o, and nothing below 0 but a growth.
func (c memoryCounts) beyond(o memoryCounts) memoryCounts {
	return memoryCounts{usage: less(c.usage, o.usage), anon: less(c.anon, o.anon), file: less(c.file, o.file), shmem: less(c.shmem, o.shmem),
		inactive: less(c.inactive, o.inactive), kernel: less(c.kernel, o.kernel), swap: less(c.swap, o.swap),
		grown: c.grown - o.grown, grownShmem: c.grownShmem - o.grownShmem, oomKills: less(c.oomKills, o.oomKills)}
}

func less(a, b int64) int64 { return max(a-b, 0) }

// workingSet is what the kubelet takes for it: inactive page cache goes first.
func (c memoryCounts) workingSet() uint64 { return unsigned(c.usage - c.inactive) }

// held is what no reclaim can take away without swap: all but page cache.
func (c memoryCounts) held() uint64 { return unsigned(c.usage - less(c.file, c.shmem)) }

// countsOf are a cgroup's own files, hierarchical as the kernel has them; what
// could not be read is the sum of its children. sampled: there was a first look,
// so that a cgroup without a number of it is a new one.
func countsOf(c *report.MemoryCgroup, children memoryCounts, sampled bool) memoryCounts {
	t := memoryCounts{anon: bytesOr(c.Anon, children.anon), file: bytesOr(c.File, children.file), shmem: bytesOr(c.Shmem, children.shmem),
		inactive: bytesOr(c.InactiveFile, children.inactive), swap: bytesOr(c.Swap, children.swap)}
	t.usage = bytesOr(c.Usage, max(children.usage, t.anon+t.file))
	// What is charged beyond these two is the kernel's: slab, page tables, stacks,
	// socket buffers. Kernel alone lacks the buffers, and older kernels have no such
	// line at all.
	t.kernel = less(t.usage, t.anon+t.file)
	if c.Usage == nil || c.Anon == nil || c.File == nil {
		t.kernel = bytesOr(c.Kernel, children.kernel)
	}
	t.oomKills = max(bytesOr(c.OOMKills, 0), children.oomKills)
	if sampled {
		t.grown, t.grownShmem = growthOf(c, children), children.grownShmem
		if c.Shmem != nil && (c.ShmemBefore != nil || c.UsageBefore == nil) {
			t.grownShmem = bytesOr(c.Shmem, 0) - bytesOr(c.ShmemBefore, 0)
		}
	}
	return t
}

// growthOf is that of anonymous memory, where it is known: page cache comes and
// goes with whatever is read.
func growthOf(c *report.MemoryCgroup, children memoryCounts) int64 {
	switch {
	case c.Anon != nil && (c.AnonBefore != nil || c.UsageBefore == nil):
		return bytesOr(c.Anon, 0) - bytesOr(c.AnonBefore, 0)
	case c.Usage != nil:
		return bytesOr(c.Usage, 0) - bytesOr(c.UsageBefore, 0)
	}
	return children.grown
}

// bytesOr is a number of the report's. No node has 4 PiB.
func bytesOr(n *uint64, otherwise int64) int64 {
	if n == nil {
		return otherwise
	}
	return int64(min(*n, 1<<52))
}

func unsigned(n int64) uint64 { return uint64(max(n, 0)) }
