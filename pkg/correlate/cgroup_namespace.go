package correlate

import (
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// rootDepths is how far above the probe's own cgroup the node's root lies, by
// controllers; 0 where the probe is in the host's cgroup namespace. On cgroup
// v2 a pod without privileges has a namespace of its own, and the kernel writes
// every path as it is seen from there, cgroup_namespaces(7):
//
//	0::/../../../../system.slice/cron.service
//
// Kernel threads live in the root, and process 1 in or just below it: the ".."
// of their paths lead all the way up. No other process says so.
func rootDepths(p *report.Processes) map[string]int {
	depths := map[string]int{}
	for _, process := range p.List {
		if !process.Kernel && process.PID != 1 || process.Cgroup < 0 || process.Cgroup >= len(p.Cgroups) {
			continue
		}
		for _, e := range p.Cgroups[process.Cgroup].Entries {
			up, _ := cutUp(e.Path)
			depths[e.Controllers] = max(depths[e.Controllers], up)
		}
	}
	return depths
}

// fromRoot are the paths of a process as the node itself has them.
func fromRoot(c report.Cgroup, depths map[string]int) report.Cgroup {
	entries := make([]report.CgroupEntry, len(c.Entries))
	for i, e := range c.Entries {
		e.Path = pathFromRoot(e.Path, depths[e.Controllers])
		entries[i] = e
	}
	c.Entries = entries
	return c
}

// pathFromRoot gives a path back as it is where what lies between the root and
// its first element does not show. systemd's slices name all that are above
// them, so there it does:
//
//	/../../../../system.slice/cron.service  ->  /system.slice/cron.service
//	/../../../kubepods-burstable.slice/…    ->  /kubepods.slice/kubepods-burstable.slice/…
//	/../cri-containerd-<id>.scope               of the probe's own pod
func pathFromRoot(path string, depth int) string {
	up, rest := cutUp(path)
	if up == 0 || up > depth {
		return path
	}
	if up == depth {
		return "/" + rest
	}
	above := slicesAbove(before(rest, "/"))
	if len(above) != depth-up {
		return path
	}
	return "/" + strings.Join(append(above, rest), "/")
}

// cutUp counts the leading "..".
func cutUp(path string) (up int, rest string) {
	rest = strings.TrimPrefix(path, "/")
	for rest == ".." || strings.HasPrefix(rest, "../") {
		up++
		rest = strings.TrimPrefix(rest[len(".."):], "/")
	}
	return up, rest
}

// slicesAbove are the slices that systemd.slice(5) says a slice is in: of
// "a-b-c.slice" they are a.slice and a-b.slice. A '-' in a name is escaped.
func slicesAbove(slice string) []string {
	name, ok := strings.CutSuffix(slice, ".slice")
	if !ok {
		return nil
	}
	var above []string
	for i, c := range name {
		if c == '-' && i > 0 {
			above = append(above, name[:i]+".slice")
		}
	}
	return above
}
