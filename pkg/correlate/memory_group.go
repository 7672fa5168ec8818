package correlate

import (
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// memoryGroup sums up a row.
type memoryGroup struct {
	row    MemoryRow
	counts memoryCounts
	// cgroups: some of it is a cgroup's count, and not a sum over processes.
	cgroups    bool
	counted    bool // some cgroup of it counts OOM kills
	byOne      bool // ranked by process or user: its processes are all there is
	shown      bool
	pss        uint64
	unread     uint64 // RSS of processes whose PSS was not read
	containers map[string]uint64
	// live are the containers that there are.
	live map[string]bool
}

func newMemoryGroup(key groupKey) *memoryGroup {
	return &memoryGroup{row: MemoryRow{Owner: key.owner, PID: key.pid}, containers: map[string]uint64{}, live: map[string]bool{}}
}

// mapsMuch of shared memory: one of many small mappings says nothing of large files.
const mapsMuch = 64 << 20

// addProcess counts a process beside its cgroup; one: there is nothing else.
func (g *memoryGroup) addProcess(n *Node, p *report.Process, exact Owner, one bool) {
	rss := unsigned(p.RSSBytes)
	g.row.Processes++
	g.row.RSS = sumOf(g.row.RSS, rss)
	g.live[exact.ContainerID] = true
	if m := p.Memory; m != nil && m.PSS != nil {
		g.pss = sumOf(g.pss, *m.PSS)
	} else {
		g.unread = sumOf(g.unread, rss)
	}
	if m := p.Memory; m != nil {
		shmem := unsigned(bytesOr(m.Shmem, 0))
		g.row.MappedShmem = max(g.row.MappedShmem, shmem)
		if shmem >= mapsMuch {
			g.row.MappedByAll = sumOf(g.row.MappedByAll, shmem)
		}
	}
	if h := g.row.Heaviest; h == nil || rss > h.RSS {
		heaviest := n.memoryProcess(p, exact)
		g.row.Heaviest = &heaviest
	}
	if one {
		g.byOne = true
		c := processCounts(p, n.memoryTree().seconds > 0)
		if m := p.Memory; m != nil && m.PSS != nil {
			c.usage = bytesOr(m.PSS, 0)
		}
		if m := p.Memory; m == nil || m.RSSBefore == nil {
			c.grown = 0
		}
		g.counts.add(c)
	}
}

// addMoved counts what a process of this owner has of another's cgroup.
func (g *memoryGroup) addMoved(m movedMemory) {
	g.counts.add(m.counts)
	g.containers[m.owner.Container] = sumOf(g.containers[m.owner.Container], m.counts.workingSet())
}

// addCgroup counts what a cgroup has of its own.
func (g *memoryGroup) addCgroup(r *memoryRanking, node *memoryNode, own memoryCounts) {
	g.cgroups = g.cgroups || own.usage > 0
	g.counted = g.counted || node.OOMKills != nil
	g.counts.add(own)
	g.containers[node.owner.Container] = sumOf(g.containers[node.owner.Container], own.workingSet())
	g.live[node.owner.ContainerID] = true
	if place := r.n.parsePath(node.Path); isOwn(place) && node.Path != "/" && !r.tree.outside(node.Path) {
		g.addOwn(r, node)
	}
}

// addOwn takes what a cgroup says that is the row's own, and not made in there.
func (g *memoryGroup) addOwn(r *memoryRanking, node *memoryNode) {
	whole := node.owner // the cgroup of the row's owner as such
	if r.by != ByContainer && whole.Type == OwnerPod {
		whole.Container, whole.ContainerID, whole.Sandbox = "", "", false
	}
	if whole == g.row.Owner && (r.by == ByContainer || node.owner.ContainerID == "" || node.owner.Type != OwnerPod) {
		g.row.Limit, g.row.Pressure = unsigned(bytesOr(node.Limit, 0)), node.Pressure
	}
	if use := limitOf(node); use != nil && (g.row.Fullest == nil || use.Percent > g.row.Fullest.Percent) {
		g.row.Fullest = use
	}
}

// limitOf is a cgroup against its own limit; nil without one.
func limitOf(node *memoryNode) *MemoryLimitUse {
	if node.Limit == nil || *node.Limit == 0 {
		return nil
	}
	u := &MemoryLimitUse{Container: node.owner.Container, Path: node.Path, WorkingSet: node.total.workingSet(), Held: node.total.held(), Limit: *node.Limit,
		AtLimit: unsigned(bytesOr(node.AtLimit, 0)), OOMKills: unsigned(node.total.oomKills), UnderOOM: node.UnderOOM}
	u.Percent = percent(float64(u.WorkingSet), float64(u.Limit))
	return u
}

// riskPercent of a limit without page cache that can go: there is no room left
// for a burst.
const riskPercent = 90.0

func (r *memoryRanking) finish(g *memoryGroup, total uint64) MemoryRow {
	row, c := g.row, g.counts
	row.WorkingSet, row.Usage, row.Anon, row.Shmem = c.workingSet(), unsigned(c.usage), unsigned(c.anon), unsigned(c.shmem)
	row.File, row.Kernel, row.Swap = unsigned(less(c.file, c.shmem)), unsigned(c.kernel), unsigned(c.swap)
	row.OOMKills = r.kills(row, g)
	row.Percent = percent(float64(row.WorkingSet), float64(total))
	row.FromProcesses = !g.cgroups && row.Owner.Type != OwnerKernel
	if r.tree.sampled && row.Owner.Type != OwnerKernel || g.byOne && r.tree.seconds > 0 {
		rate, files := float64(c.grown)/r.tree.seconds, float64(c.grownShmem)/r.tree.seconds
		row.PerSecond, row.ShmemPerSecond = &rate, &files
	}
	// Few small ones without it do no harm: they count by their resident size.
	if g.pss > 0 && g.unread <= (g.pss+g.unread)/10 {
		pss := g.pss + g.unread
		row.PSS = &pss
	}
	if row.Owner.Type == OwnerPod || row.Owner.Type == OwnerWorkload {
		row.Container = mostBytes(g.containers)
		r.addRequests(&row, g)
	}
	if u := row.Fullest; u != nil && percent(float64(u.Held), float64(u.Limit)) >= riskPercent {
		row.Risk = "high"
	}
	row.Host = isHostOwner(row.Owner)
	row.Note = r.note(row)
	return row
}

// isHostOwner: it is in no pod, so that no pod's limit holds it.
func isHostOwner(o Owner) bool {
	return o.Type == OwnerUnit || o.Type == OwnerContainer || o.Type == OwnerCgroup && o.Cgroup != "kubepods"
}

// note says what a row is that no process has. Anonymous memory is some process's:
// where none is seen it lives in a pid namespace that is none of the node's.
func (r *memoryRanking) note(row MemoryRow) string {
	switch {
	case row.Owner.Type == OwnerKernel:
		return "charged to no cgroup"
	case row.Processes > 0:
		return ""
	case row.Owner.Cgroup == "/" && r.tree.root != "":
		return "outside of the node: the machine that it is a part of"
	case row.Anon >= row.Usage/4:
		return "of processes that are not seen from here"
	case row.Owner.Cgroup == "kubepods":
		return "left by pods that are gone: tmpfs, page cache"
	case row.Owner.Cgroup == "/":
		return "page cache and tmpfs of no other cgroup"
	}
	return "no process: page cache, tmpfs"
}

// mostBytes is the name with the most, of equals the first; "" where nobody has
// any.
func mostBytes(sizes map[string]uint64) string {
	best := ""
	for name, n := range sizes {
		if name != "" && (best == "" || n > sizes[best] || n == sizes[best] && name < best) {
			best = name
		}
	}
	return best
}
