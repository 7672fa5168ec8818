package correlate

import (
	"fmt"
	"regexp"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// notes say what an expert would warn of.
func (n *Node) notes(p *report.Process, b Blame) []string {
	var notes []string
	add := func(format string, a ...any) { notes = append(notes, fmt.Sprintf(format, a...)) }
	switch b.Owner.PodState {
	case PodGone:
		add("the API server has no such pod on this node any more: it is an orphan, or about to end")
	case PodReplaced:
		add("the API server has another pod under this name now; this process belongs to the former one, UID %s", b.Owner.PodUID)
	}
	if p.Blocked {
		add("reading it blocks: it waits in the kernel, most likely in an execve that closes files of a dead filesystem (FUSE, NFS); ps and lsof hang on it, too")
	}
	if b.Owner.Static {
		add("static pod: made from a file or URL by the kubelet; its cgroup has the config hash %s for a UID", b.Owner.PodUID)
	}
	if text := attribution(p, b); text != "" {
		add("%s", text)
	}
	if b.Place.Monitor {
		add("the runtime's monitor of the container, not part of it")
	}
	if b.Place.System != "" {
		add("container %s (LXC or systemd-nspawn) has a system of its own: units and pods that its cgroup names are not this node's", b.Place.System)
	}
	switch {
	case b.Place.Outer == "":
	case b.Owner.ContainerID == b.Place.Outer:
		add("inside that container its cgroup names pod %s: a node in a container (kind), or a name that somebody chose", b.Place.PodUID)
	default:
		add("the whole node runs inside container %s of its host", ShortID(b.Place.Outer))
	}
	if b.By == ByCgroup && b.Owner.Type == OwnerPod {
		notes = append(notes, n.foreignShim(p, b.Owner)...)
	}
	return append(notes, n.hints(p, b.Owner)...)
}

// attribution says by what a process is its owner's, where not by its cgroup.
func attribution(p *report.Process, b Blame) string {
	switch {
	case b.By == ByAncestor && p.State == "Z":
		return fmt.Sprintf("a zombie: its parent has not reaped it; attributed to the container of process %d above it", b.Ancestor)
	case b.By == ByAncestor && b.Place.Path == "":
		return fmt.Sprintf("its cgroup could not be read; attributed to the container of process %d above it", b.Ancestor)
	case b.By == ByAncestor && b.Owner.ContainerID == "" && b.Owner.Type == OwnerPod:
		return fmt.Sprintf("it has left its container's cgroup (now %s); attributed to the pod of shim %d above it", b.Place.Path, b.Ancestor)
	case b.By == ByAncestor:
		return fmt.Sprintf("it has left its container's cgroup (now %s); attributed to the container of process %d above it", b.Place.Path, b.Ancestor)
	case b.By == ByShim:
		return fmt.Sprintf("a helper of the container runtime, started by shim %d for this container", b.Ancestor)
	}
	return ""
}

// foreignShim speaks up where cgroup and parentage disagree: root may move any
// process into any cgroup.
func (n *Node) foreignShim(p *report.Process, owner Owner) []string {
	shim := n.shimAbove(p)
	if shim == nil {
		if n.hasShim(owner) {
			return []string{"no shim of that pod is above it: somebody has moved it from the host into this cgroup, and the pod pays for its memory"}
		}
		return nil
	}
	parent := n.ownerAt(Place{ContainerID: shim.Shim.ID}, "")
	if parent.Type != OwnerPod || parent.PodUID == owner.PodUID {
		return nil
	}
	return []string{fmt.Sprintf("it descends from shim %d of pod %s: somebody has moved it into this cgroup", shim.PID, parent.Name())}
}

// hasShim says whether some other process of this container descends from a shim.
// A runtime without any (gVisor, Kata), or one that could not be read, has none.
func (n *Node) hasShim(owner Owner) bool {
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if at := n.place(p); at.PodUID != "" && at.ContainerID == owner.ContainerID && n.shimAbove(p) != nil {
			return true
		}
	}
	return false
}

// podDir finds a pod's directory of the kubelet in a path, whatever its root.
var podDir = regexp.MustCompile(`/pods/([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/`)

// hints names a cwd or exe in a pod's directory where the cgroup says otherwise:
// a search or backup job that walks the tree is not the pod it passes through.
func (n *Node) hints(p *report.Process, owner Owner) []string {
	var notes []string
	if p.Detail == nil {
		return nil
	}
	for _, h := range []struct{ what, path string }{{"working directory", p.Detail.Cwd}, {"executable", p.Detail.Exe}} {
		m := podDir.FindStringSubmatch(h.path + "/")
		if m == nil || m[1] == owner.PodUID {
			continue
		}
		passed := n.podOwner(m[1], "", report.Container{})
		notes = append(notes, fmt.Sprintf("its %s lies in a directory of pod %s, but its cgroup says %s: the pod is not to blame", h.what, passed.Name(), owner.Name()))
	}
	return notes
}
