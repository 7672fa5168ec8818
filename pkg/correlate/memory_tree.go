package correlate

import (
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// memoryNode is a memory cgroup in its place.
type memoryNode struct {
	*report.MemoryCgroup
	owner Owner
	// total includes what is below, as the kernel counts. own is what the cgroups
	// below it do not have: what its own processes were charged, and what is left
	// of cgroups that are gone.
	total, own memoryCounts
}

// memoryTree is the hierarchy with the memory controller.
type memoryTree struct {
	nodes  []memoryNode
	at     map[string]int // by path
	parent []int          // -1: the root
	// root is that of the node itself, "" that of the hierarchy, see nodeRoot.
	root string
	// sampled: there were two looks.
	sampled bool
	seconds float64
}

// memoryTree is built once.
func (n *Node) memoryTree() *memoryTree {
	if n.memory == nil {
		n.memory = n.newMemoryTree()
	}
	return n.memory
}

func (n *Node) newMemoryTree() *memoryTree {
	t := &memoryTree{at: map[string]int{}}
	r := n.Report.Memory
	if r == nil {
		return t
	}
	t.root = n.nodeRoot()
	if len(r.Samples) > 1 {
		t.seconds = float64(r.Samples[len(r.Samples)-1].AtMillis-r.Samples[0].AtMillis) / 1000
	}
	for i := range r.Cgroups {
		c := &r.Cgroups[i]
		if _, twice := t.at[c.Path]; twice || c.Path == "" {
			continue
		}
		t.at[c.Path] = len(t.nodes)
		t.sampled = t.sampled || c.UsageBefore != nil || c.AnonBefore != nil
		t.nodes = append(t.nodes, memoryNode{MemoryCgroup: c, owner: n.memoryOwner(t, c.Path)})
	}
	if len(t.nodes) == 0 { // no memory controller: all is in one, and processes tell the rest
		t.at["/"], t.sampled = 0, true
		t.nodes = append(t.nodes, memoryNode{MemoryCgroup: &report.MemoryCgroup{Path: "/"}, owner: n.memoryOwner(t, "/")})
	}
	t.sampled = t.sampled && t.seconds > 0
	t.sum(r)
	return t
}

// nodeRoot is the cgroup that a node lives in which is a container or a namespace
// of its machine (kind), and may see the machine's other cgroups: all its processes
// are in there. Kernel threads are seen by the machine's own node only.
func (n *Node) nodeRoot() string {
	if p := n.Report.Processes; p == nil || p.KernelThreads > 0 || n.processes[1] == nil || len(p.List) < 2 {
		return ""
	}
	return n.commonCgroup()
}

// outside: it is the machine's, and not the node's.
func (t *memoryTree) outside(path string) bool { return t.root != "" && !isBelow(path, t.root) }

// memoryOwner is whose cgroup it is. kubepods and its classes are one: what is in
// them and in no pod. So is all that is outside of the node.
func (n *Node) memoryOwner(t *memoryTree, path string) Owner {
	if t.outside(path) {
		return Owner{Type: OwnerCgroup, Cgroup: "/"}
	}
	o := n.ownerAt(n.parsePath(path), "")
	if o.Type == OwnerCgroup && n.isKubepods(path) {
		o.Cgroup = "kubepods"
	}
	return o
}

// sum fills in totals and what is each cgroup's own.
func (t *memoryTree) sum(r *report.Memory) {
	t.parent = make([]int, len(t.nodes))
	deepest := make([]int, 0, len(t.nodes))
	for i := range t.nodes {
		t.parent[i] = t.above(t.nodes[i].Path)
		deepest = append(deepest, i)
	}
	slices.SortStableFunc(deepest, func(a, b int) int { return depth(t.nodes[b].Path) - depth(t.nodes[a].Path) })
	below := make([]memoryCounts, len(t.nodes))
	for _, i := range deepest {
		node := &t.nodes[i]
		node.total = countsOf(node.MemoryCgroup, below[i], t.sampled)
		if node.Path == "/" {
			node.total = rootCounts(node.total, node.MemoryCgroup, r.Info)
			below[i].usage -= below[i].kernel
			below[i].kernel = 0
		}
		node.own = node.total.beyond(below[i])
		if r.NoHierarchy && node.Path != "/" && node.total.usage < below[i].usage {
			node.own = node.total // it does not count what is below
		}
		if up := t.parent[i]; up >= 0 {
			whole := node.own // the same as total, but for parents that do not count their children
			whole.add(below[i])
			below[up].add(whole)
		}
	}
}

// rootCounts: the root's counters are those of the node's user memory; the
// kernel's own is told apart from /proc/meminfo, see kernelRow. Where it has no
// memory.stat (v2 before 5.8), that stands for it.
func rootCounts(t memoryCounts, c *report.MemoryCgroup, info report.MemInfo) memoryCounts {
	if c.Anon == nil {
		t.anon = bytesOr(info.AnonPages, t.anon)
	}
	if c.File == nil {
		t.file = bytesOr(info.Cached, t.file) + bytesOr(info.Buffers, 0)
	}
	if c.Shmem == nil {
		t.shmem = bytesOr(info.Shmem, t.shmem)
	}
	if c.InactiveFile == nil {
		t.inactive = bytesOr(info.InactiveFile, t.inactive)
	}
	t.usage, t.kernel = t.anon+t.file, 0
	return t
}

// above is the nearest cgroup that holds a path's, and is in the report.
func (t *memoryTree) above(p string) int {
	for p = parentOf(p); p != ""; p = parentOf(p) {
		if i, ok := t.at[p]; ok {
			return i
		}
	}
	return -1
}

// maxCgroupPath is PATH_MAX: who claims a longer one has it looked up in the root.
const maxCgroupPath = 4096

// parentOf is path.Dir of a clean path, "" for the root's. That of a path of
// somebody's, all of it slashes, would take the square of its length.
func parentOf(p string) string {
	i := strings.LastIndexByte(p, '/')
	switch {
	case i < 0 || p == "/":
		return ""
	case i == 0 || i > maxCgroupPath:
		return "/"
	}
	return p[:i]
}

// find is the cgroup at a path, or the nearest one around it.
func (t *memoryTree) find(p string) int {
	if i, ok := t.at[p]; ok {
		return i
	}
	return t.above(p)
}

func depth(p string) int {
	if p == "/" {
		return 0
	}
	return strings.Count(p, "/")
}

// memoryNodes gives for each of report.Processes.Cgroups its memory cgroup, the
// root where there is none, -1 without a root. systemd's own hierarchy may know a
// service that has no cgroup in the memory controller's, as without
// MemoryAccounting= on v1.
func (n *Node) memoryNodes(t *memoryTree) []int {
	p := n.Report.Processes
	nodes := make([]int, len(p.Cgroups))
	depths := rootDepths(p)
	for i, c := range p.Cgroups {
		nodes[i] = t.find("/")
		for _, e := range fromRoot(c, depths).Entries {
			if n.Report.Memory.CgroupVersion == 2 && e.Controllers == "" || slices.Contains(strings.Split(e.Controllers, ","), "memory") {
				nodes[i] = t.find(strings.TrimSuffix(e.Path, " (deleted)"))
			}
		}
	}
	return nodes
}
