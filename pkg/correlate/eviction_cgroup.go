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
	var found *report.MemoryCgroup
	best := -1
	for i := range n.Report.Memory.Cgroups {
		c := &n.Report.Memory.Cgroups[i]
		base := path.Base(c.Path)
		if base != "kubepods" && base != "kubepods.slice" && !strings.HasSuffix(base, "-kubepods.slice") || ParseCgroupPath(path.Dir(c.Path)).PodUID != "" {
			continue
		}
		known := n.podsBelow(c.Path)
		if root := path.Clean("/" + config.CgroupRoot); root != "/" && path.Dir(c.Path) == root {
			known = math.MaxInt
		}
		if found == nil || known > best || known == best && strings.Count(c.Path, "/") < strings.Count(found.Path, "/") {
			found, best = c, known
		}
	}
	return found
}

// podsBelow counts cgroups of pods that the node or the API server knows.
func (n *Node) podsBelow(dir string) int {
	count := 0
	for i := range n.Report.Memory.Cgroups {
		c := &n.Report.Memory.Cgroups[i]
		if !strings.HasPrefix(c.Path, dir+"/") {
			continue
		}
		uid := ParseCgroupPath(c.Path[len(path.Dir(dir)):]).PodUID
		if _, recorded := n.podRecords[uid]; uid != "" && (recorded || n.podByUID[uid] != nil) {
			count++
		}
	}
	return count
}

func workingSetOf(c *report.MemoryCgroup) uint64 {
	return notNegative(amount(c.Usage) - amount(c.InactiveFile))
}
