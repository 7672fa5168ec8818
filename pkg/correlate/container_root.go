package correlate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// containerRoot is a container's root directory in the host's namespace.
type containerRoot struct {
	rootPath
	// ID is the container's, "" where nobody knows which it is.
	ID    string
	Owner *Owner
	// Why is ContainerDead or ContainerUnknown, "" where neither is certain;
	// Says is who says so.
	Why  LeakReason
	Says string
	// Asked is false where somebody who would know could not be asked.
	Asked bool
	// mounted: the root directory itself is a mount, of that filesystem.
	mounted bool
	fs      int
	copies  int
	// entries are the topmost mount points below it, as its processes see them.
	entries []string
	holders map[rootHolderKey]uint32 // of holderList
}

// maxEntries bounds the volumes that one container is looked for.
const maxEntries = 64

// addEntry takes what is mounted in the root directory; parents come first.
func (r *containerRoot) addEntry(point string) {
	if point != "" && len(r.entries) < maxEntries && r.entry(point) == point {
		r.entries = append(r.entries, point)
	}
}

// entry is the topmost mount point that a path is below.
func (r *containerRoot) entry(point string) string {
	for _, e := range r.entries {
		if isBelow(point, e) {
			return e
		}
	}
	return point
}

// liveness is who was at work when the report was made.
type liveness struct {
	processes  bool            // were listed
	namespaces bool            // were read
	containers map[string]bool // by id
	pods       map[string]bool // by UID
	// working are the pods, by UID, with more at work than the sandbox and what is
	// blocked in uninterruptible sleep, and containers with anything but the latter.
	working map[string]bool
	roots   map[int]bool // filesystems that are the root of a process
}

func (n *Node) liveness(mounts *report.Mounts) liveness {
	l := liveness{processes: n.Report.Processes != nil, containers: map[string]bool{}, pods: map[string]bool{}, working: map[string]bool{}, roots: map[int]bool{}}
	if l.processes {
		for i := range n.Report.Processes.List {
			l.addProcess(n, &n.Report.Processes.List[i])
		}
	}
	for _, ns := range mounts.Namespaces {
		if ns.Host {
			continue
		}
		l.namespaces = true
		for _, g := range ns.Groups {
			// The root itself is one mount, of one filesystem.
			if fs, err := strconv.Atoi(string(g.Filesystems)); g.Entry == "/" && err == nil {
				l.roots[fs] = true
			}
		}
	}
	for _, u := range mounts.Uses {
		if u.What == "root" {
			l.roots[u.FS] = true
		}
	}
	return l
}

func (l *liveness) addProcess(n *Node, p *report.Process) {
	if p.Kernel || p.State == "Z" || p.State == "X" {
		return
	}
	place := n.place(p)
	if p.Shim != nil && place.ContainerID == "" { // else it came out of a container, and only looks like one
		l.containers[p.Shim.ID] = true
	}
	if place.Monitor {
		return
	}
	o := n.ownerAt(place, p.Comm)
	if o.ContainerID != "" {
		l.containers[o.ContainerID] = true
		l.working[o.ContainerID] = l.working[o.ContainerID] || p.State != "D"
	}
	if o.PodUID == "" {
		return
	}
	l.pods[o.PodUID] = true // in no container of it: a sandbox of Kata's
	onNode, _ := n.nodeContainer(o.ContainerID)
	l.working[o.PodUID] = l.working[o.PodUID] || p.State != "D" && !onNode.Sandbox
}

// findRoots finds the container below whose root directory each mount stands.
func (j *mountJoin) findRoots() {
	byKey, byPath, families := containersByRoot(j.n.Report.Containers)
	points := map[string]int{}
	for i := range j.list {
		points[j.list[i].Point] = j.list[i].FS
	}
	for i := range j.list {
		r, ok := parseRootPath(j.list[i].Point + "/")
		id := byKey[r.Key]
		if !ok {
			if r.Path, id = rootAbove(j.list[i].Point, byPath); id == "" {
				continue
			}
			r.Key = id
		}
		fs, mounted := points[r.Path]
		if r.Namespace != "" {
			id = r.Key
		} else if id == "" && !mounted { // a directory of somebody's that has such a name
			continue
		}
		root := j.roots[r.Family+"/"+r.Key]
		if root == nil {
			root = &containerRoot{rootPath: r, ID: id, fs: -1}
			j.roots[r.Family+"/"+r.Key] = root
			j.rootList = append(j.rootList, root)
		}
		if mounted {
			root.mounted, root.fs = true, fs
		}
		j.at[i].root = root
		j.at[i].below = strings.TrimPrefix(j.list[i].Point, r.Path)
		if below := j.at[i].below; below != "" {
			root.copies++
			root.addEntry(below)
		}
	}
	for _, root := range j.rootList {
		j.judgeRoot(root, families[root.Family] || root.Namespace != "")
	}
}

// containersByRoot are the IDs of those that the runtime's files know: by the key in their
// root's path, or by the path where it has none; and the families of such paths.
func containersByRoot(c *report.Containers) (byKey, byPath map[string]string, families map[string]bool) {
	byKey, byPath, families = map[string]string{}, map[string]string{}, map[string]bool{}
	if c == nil {
		return byKey, byPath, families
	}
	for _, container := range c.List {
		if r, ok := parseRootPath(container.Rootfs + "/"); ok && r.Namespace == "" {
			byKey[r.Key], families[r.Family] = container.ID, true
		} else if container.Rootfs != "" {
			byPath[container.Rootfs] = container.ID
		}
	}
	return byKey, byPath, families
}

// rootAbove finds a root directory that only the runtime's files tell of.
func rootAbove(point string, byPath map[string]string) (string, string) {
	for end := len(point); end > 0 && len(byPath) > 0; end-- {
		if end == len(point) || point[end] == '/' {
			if id := byPath[point[:end]]; id != "" {
				return point[:end], id
			}
		}
	}
	return "", ""
}

// judgeRoot says whether a container is dead or unknown. One that ended a moment
// ago and whose pod is there keeps its root directory, and rightly so: it is
// started again, or kept for its logs. named: the runtime's files tell which
// container such a directory belongs to.
func (j *mountJoin) judgeRoot(r *containerRoot, named bool) {
	n := j.n
	onNode, known := n.nodeContainer(r.ID)
	owner := Owner{Type: OwnerContainer, ContainerID: r.Key}
	if r.ID != "" {
		owner = n.ownerAt(Place{ContainerID: r.ID}, "")
	}
	r.Owner, r.Asked = &owner, true
	if (onNode.State == "dead" || onNode.State == "removing") && !j.live.working[r.ID] { // docker rm -f stops it first
		r.Why, r.Says = ContainerDead, onNode.Runtime+" calls "+onNode.State
		return
	}
	if r.ID != "" && j.live.containers[r.ID] || r.mounted && j.live.roots[r.fs] {
		return
	}
	switch {
	case !j.live.processes:
		r.Asked = false
	case known && onNode.PodUID == "": // docker's or podman's own business
	case known:
		switch j.pod(onNode.PodUID) {
		case podGone:
			if r.copies > 0 { // of one that ended, cri-o leaves the root itself mounted for a while
				r.Why, r.Says = ContainerDead, "has no process, and its pod is gone"
			}
		case podUnasked:
			r.Asked = false
		}
	case n.Report.Containers == nil || len(n.Report.Containers.Unreadable) > 0:
		r.Asked = false
	case !named || !j.live.namespaces || n.podByContainer[r.ID] != nil && r.ID != "":
	case r.Namespace != "" && !slices.Contains([]string{"k8s.io", "moby"}, r.Namespace):
		// Somebody's own, in containerd's other namespaces.
	case r.copies > 0: // a build's or a pull's has none
		r.Why, r.Says = ContainerUnknown, "no runtime on the node knows"
	}
}
