package correlate

import (
	"math"
	"path"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// podsMemory is the cgroup of all pods of this kubelet: below its cgroupRoot, else
// where most pods are that belong to this node. A machine may hold several nodes,
// and a node that runs in a container has its own.
func (n *Node) podsMemory() *report.MemoryCgroup {
	config, _, _ := n.kubeletConfig()
	root := path.Clean("/" + config.CgroupRoot)
	var found *report.MemoryCgroup
	best, below := -1, n.podsBelow()
	for i := range n.Report.Memory.Cgroups {
		c := &n.Report.Memory.Cgroups[i]
		if !isPodsCgroup(c.Path) || ParseCgroupPath(path.Dir(c.Path)).PodUID != "" {
			continue
		}
		known := below[c.Path]
		if root != "/" && path.Dir(c.Path) == root {
			known = math.MaxInt
		}
		if found == nil || known > best || known == best && strings.Count(c.Path, "/") < strings.Count(found.Path, "/") {
			found, best = c, known
		}
	}
	return found
}

func isPodsCgroup(dir string) bool {
	return isPods(path.Base(dir))
}

// podsBelow counts, by cgroup of all pods, those below it that are a pod's which
// the node or the API server knows.
func (n *Node) podsBelow() map[string]int {
	below := map[string]int{}
	for i := range n.Report.Memory.Cgroups {
		p := n.Report.Memory.Cgroups[i].Path
		for dir := parentOf(p); len(dir) > 1; dir = parentOf(dir) {
			if !isPodsCgroup(dir) {
				continue
			}
			uid := ParseCgroupPath(p[max(strings.LastIndexByte(dir, '/'), 0):]).PodUID
			if _, recorded := n.podRecords[uid]; uid != "" && (recorded || n.podByUID[uid] != nil) {
				below[dir]++
			}
		}
	}
	return below
}

func workingSetOf(c *report.MemoryCgroup) uint64 {
	return notNegative(amount(c.Usage) - amount(c.InactiveFile))
}
