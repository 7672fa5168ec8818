package correlate

import (
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// memoryRanking collects the rows of a ranking.
type memoryRanking struct {
	n      *Node
	by     By
	filter Filter
	tree   *memoryTree
	groups map[groupKey]*memoryGroup
	killed map[killsOf]int // see countKilled
}

// leastNobodys is what is worth a row without any process: each cgroup has some
// pages that no cgroup below it has.
const leastNobodys = 1 << 20

// rankMemory fills in rows, filter and the sum of all.
func (n *Node) rankMemory(m *NodeMemory, o MemoryOptions) {
	r := &memoryRanking{n: n, by: m.By, filter: o.Filter, tree: n.memoryTree(), groups: map[groupKey]*memoryGroup{}}
	r.countKilled()
	moved := n.memoryElsewhere(r.tree)
	byProcess := m.By == ByProcess || m.By == ByUser
	if n.Report.Processes != nil {
		for i := range n.Report.Processes.List {
			if p := &n.Report.Processes.List[i]; !p.Kernel {
				exact := n.Blame(p).Owner
				r.group(n.keyOf(m.By, p, exact), exact).addProcess(n, p, exact, byProcess)
			}
		}
	}
	if !byProcess {
		r.addCgroups(moved)
	}
	kernel := Owner{Type: OwnerKernel}
	r.group(groupKey{owner: kernel}, kernel).counts.add(n.kernelCounts(r.tree))
	total := uint64(0)
	if n.Report.Memory.Info.Total != nil {
		total = *n.Report.Memory.Info.Total
	}
	for _, g := range r.groups {
		row := r.finish(g, total)
		m.Accounted = sumOf(m.Accounted, row.WorkingSet)
		if g.shown && (row.Processes > 0 || row.Usage >= leastNobodys) {
			m.Rows = append(m.Rows, row)
		}
	}
	sortMemory(m.Rows, o.Sort)
	m.Filter = r.filtered(m.Rows)
}

// group is the row of a key; exact is the owner whose part comes in.
func (r *memoryRanking) group(key groupKey, exact Owner) *memoryGroup {
	g := r.groups[key]
	if g == nil {
		g = newMemoryGroup(key)
		r.groups[key] = g
	}
	g.shown = g.shown || r.n.Shows(r.filter, exact)
	return g
}

// addCgroups gives each cgroup's own memory to its owner, but for what processes
// in it have that belong elsewhere.
func (r *memoryRanking) addCgroups(moved map[int][]movedMemory) {
	for i := range r.tree.nodes {
		node := &r.tree.nodes[i]
		own := node.own
		for _, m := range moved[i] {
			own = own.beyond(m.counts)
			g := r.group(r.n.keyOf(r.by, nil, m.owner), m.owner)
			g.addMoved(m)
		}
		r.group(r.n.keyOf(r.by, nil, node.owner), node.owner).addCgroup(r, node, own)
	}
}

func (r *memoryRanking) filtered(rows []MemoryRow) *MemoryFiltered {
	f := r.filter
	if f.empty() {
		return nil
	}
	out := &MemoryFiltered{Namespace: f.Namespace, Matched: len(rows), Of: len(r.groups)}
	if f.Selector != nil {
		out.Selector = f.Selector.String()
	}
	for _, row := range rows {
		out.Bytes = sumOf(out.Bytes, row.WorkingSet)
	}
	return out
}

// movedMemory is what a process has of a cgroup that is not its owner's.
type movedMemory struct {
	owner  Owner
	counts memoryCounts
}

// memoryElsewhere finds, by cgroup, what processes in it have that is not its
// owner's: without systemd, or without its memory accounting, all daemons live in
// the root; and a process may have left its container. What these share counts
// once: together they have no more than the cgroup itself.
func (n *Node) memoryElsewhere(t *memoryTree) map[int][]movedMemory {
	moved, sums := map[int][]movedMemory{}, map[int]memoryCounts{}
	if n.Report.Processes == nil {
		return moved
	}
	nodes := n.memoryNodes(t)
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if p.Kernel || p.Cgroup < 0 || p.Cgroup >= len(nodes) || nodes[p.Cgroup] < 0 {
			continue
		}
		at := nodes[p.Cgroup]
		if b := n.Blame(p); b.By != ByShim && !sameMemory(t.nodes[at].owner, b.Owner) {
			c := processCounts(p, t.sampled)
			sum := sums[at]
			sum.add(c)
			sums[at] = sum
			moved[at] = append(moved[at], movedMemory{b.Owner, c})
		}
	}
	for at, list := range moved {
		for i := range list {
			list[i].counts.shareOf(sums[at], t.nodes[at].own)
		}
	}
	return moved
}

// sameMemory: a pod's cgroup is that of its containers, too.
func sameMemory(a, b Owner) bool {
	if a.Type == OwnerPod && b.Type == OwnerPod {
		return a.PodUID == b.PodUID
	}
	a.Container, b.Container = "", ""
	return a == b
}

// processCounts is what a process has alone, as far as it is known; kernels before
// 4.5 do not tell anonymous memory from files.
func processCounts(p *report.Process, sampled bool) memoryCounts {
	rss := max(p.RSSBytes, 0)
	c := memoryCounts{anon: rss}
	if m := p.Memory; m != nil {
		c.anon, c.shmem, c.swap = bytesOr(m.Anon, rss), bytesOr(m.Shmem, 0), bytesOr(m.Swap, 0)
		if sampled {
			c.grown = rss - bytesOr(m.RSSBefore, 0)
		}
	}
	c.file = c.shmem
	c.usage = c.anon + c.file
	return c
}

// shareOf cuts a process's part so that all of them together have no more than
// their cgroup.
func (c *memoryCounts) shareOf(sum, cgroup memoryCounts) {
	c.anon = share(c.anon, sum.anon, cgroup.anon)
	c.shmem = share(c.shmem, sum.shmem, cgroup.shmem)
	c.swap = share(c.swap, sum.swap, cgroup.swap)
	c.file = c.shmem
	c.usage = c.anon + c.file
}

func share(part, sum, whole int64) int64 {
	if sum <= whole {
		return part
	}
	return int64(float64(part) / float64(sum) * float64(whole))
}
