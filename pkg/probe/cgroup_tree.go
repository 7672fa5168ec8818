//go:build linux

package probe

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

// cgroupTree finds cgroups in the node's hierarchy of a controller. A pod with a cgroup namespace
// of its own sees paths and the mount's root from there, cgroup_namespaces(7):
//
//	/../../../system.slice/cron.service    at a mount whose root is /../../..
//	/../cri-containerd-<id>.scope          in the probe's own pod
type cgroupTree struct {
	root   *hostfs.Root
	of     string // the controller
	mount  hostfs.CgroupMount
	ownPID int
	own    []string // the probe's cgroup from the root, see above
	sought bool
}

// controller is what /proc/PID/cgroup has in the line of this hierarchy.
func (p *cgroupTree) controller() string {
	if p.mount.V2 {
		return ""
	}
	return p.of
}

// cgroupMount is where the host has a controller: the hierarchy of v1, where there
// is one. In a copy of the mount table, thousands of lines on, it is no other.
func cgroupMount(fs hostfs.FS, proc *hostfs.Proc, controller string) (found hostfs.CgroupMount, ok bool, err error) {
	const patience = 1000 // lines to look for one of v1
	lines := 0
	err = proc.EachLine(strconv.Itoa(rootPID(fs))+"/mountinfo", func(line []byte) bool {
		if m, is := hostfs.ParseCgroupMount(line, controller); is && (!ok || !m.V2) {
			found, ok = m, true
		}
		lines++
		return !ok || found.V2 && lines < patience
	})
	return found, ok, err
}

// locate gives the directory of a cgroup below the mount point, and its path
// from the root of the hierarchy.
func (p *cgroupTree) locate(cgroup string) (dir, shown string, ok bool) {
	cgroup = strings.TrimSuffix(cgroup, " (deleted)")
	depth, below := cutUp(p.mount.Root)
	up, rest := cutUp(cgroup)
	switch {
	case depth == 0 && up == 0:
		if p.mount.Root == "/" {
			return cgroup, cgroup, true
		}
		dir, ok = strings.CutPrefix(cgroup+"/", p.mount.Root+"/")
		return path.Clean("/" + dir), cgroup, ok
	case below != "" || up > depth:
		return "", "", false
	}
	above := p.above(depth)
	if len(above) < depth-up {
		return "", "", false
	}
	dir = path.Join("/", path.Join(above[:depth-up]...), rest)
	return dir, dir, true
}

// cutUp counts the leading "..".
func cutUp(cgroup string) (up int, rest string) {
	rest = strings.TrimPrefix(cgroup, "/")
	for rest == ".." || strings.HasPrefix(rest, "../") {
		up++
		rest = strings.TrimPrefix(rest[len(".."):], "/")
	}
	return up, rest
}

// above is the probe's own cgroup by its elements: the one so deep that has this
// process in it. Nothing that the process sees of itself says so.
func (p *cgroupTree) above(depth int) []string {
	if !p.sought {
		p.sought = true
		left := maxOwnCgroupTries
		p.own, _ = p.seek(nil, depth, &left)
	}
	return p.own
}

// maxOwnCgroupTries bounds the directories that are looked at.
const maxOwnCgroupTries = 4096

func (p *cgroupTree) seek(at []string, depth int, left *int) ([]string, bool) {
	dir := path.Join(p.mount.Point, path.Join(at...))
	if *left--; *left < 0 {
		return nil, false
	}
	if len(at) == depth {
		b, err := p.root.ReadFile(dir+"/cgroup.procs", 1<<20)
		return at, err == nil && slices.Contains(strings.Fields(string(b)), strconv.Itoa(p.ownPID))
	}
	names, err := p.root.ReadDirNames(dir, maxOwnCgroupTries)
	if err != nil {
		return nil, false
	}
	for _, name := range names {
		if !onTheWay(name, len(at)+1 == depth) {
			continue
		}
		next := append(append([]string{}, at...), name)
		if found, ok := p.seek(next, depth, left); ok {
			return found, true
		}
	}
	return nil, false
}

// onTheWay says whether a cgroup of this name may lead to a pod's container, or
// be one.
func onTheWay(name string, last bool) bool {
	if last {
		return strings.HasSuffix(name, ".scope") || hostfs.IsContainerID(name[max(len(name)-64, 0):])
	}
	return strings.HasSuffix(name, ".slice") || strings.HasPrefix(name, "pod") || strings.Contains(name, "kube") ||
		name == "besteffort" || name == "burstable" || strings.Contains(name, ".slice:")
}
