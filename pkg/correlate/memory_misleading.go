package correlate

import (
	"fmt"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// misleading says where a process of the host works in a pod's directory: that is
// what people look at first, and whom they then blame. A search or backup walks
// through all of them.
func (n *Node) misleading(p *report.Process, o Owner) string {
	if !isHostOwner(o) {
		return ""
	}
	for _, h := range []struct{ what, path string }{{"working directory", p.Memory.Cwd}, {"executable", p.Memory.Exe}} {
		passed, where, ok := n.podOfPath(h.path)
		if !ok || passed == o {
			continue
		}
		title := passed.Name()
		if passed.Type == OwnerPod && passed.Pod != "" {
			title = "pod " + title
		}
		return fmt.Sprintf("its %s is in %s of %s (%s), but its cgroup is %s: the memory is not the pod's", h.what, where, title, h.path, cgroupName(o, n.place(p)))
	}
	return ""
}

// podOfPath is the pod or container whose directory a path leads through, under
// whatever name the kubelet's directory is there, or a container's root.
func (n *Node) podOfPath(path string) (o Owner, where string, ok bool) {
	path = strings.TrimSuffix(path, " (deleted)")
	if id := n.containerOfPath(path); id != "" {
		return n.ownerAt(Place{ContainerID: id}, ""), "the root directory", true
	}
	if m := podDir.FindStringSubmatch(path + "/"); m != nil {
		return n.podOwner(m[1], "", report.Container{}), "a directory", true
	}
	return Owner{}, "", false
}

// containerOfPath is the id of the container whose root directory a path is
// below; "" where no runtime on the node knows one.
func (n *Node) containerOfPath(path string) string {
	r, parsed := parseRootPath(path + "/")
	if parsed && r.Namespace != "" && n.isContainer(r.Key) {
		return r.Key
	}
	for id, c := range n.containers {
		if c.Rootfs == "" {
			continue
		}
		if isBelow(path, c.Rootfs) {
			return id
		}
		if own, ok := parseRootPath(c.Rootfs + "/"); parsed && ok && own.Key == r.Key {
			return id
		}
	}
	return ""
}

// cgroupName is where a process lives, for a sentence.
func cgroupName(o Owner, place Place) string {
	if o.Type == OwnerUnit {
		return o.Unit + "'s"
	}
	return place.Path
}
