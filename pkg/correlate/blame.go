package correlate

import "github.com/nodedoc/kubectl-nodedoc/pkg/report"

// Blame is an owner with how it was found.
type Blame struct {
	Owner Owner
	Place Place
	// By names the rule: cgroup, ancestor (it left its container's cgroup) or
	// shim (a runtime's helper, started for that container).
	By string
	// Ancestor is the process that decided, where it is not the cgroup.
	Ancestor int
}

// Ways in which an owner is found.
const (
	ByCgroup   = "cgroup"
	ByAncestor = "ancestor"
	ByShim     = "shim"
)

// maxAncestors bounds the walk up: the node chose the pids.
const maxAncestors = 4096

// Blame finds the owner of a process. The cgroup decides; cwd, exe and open
// files never do. A process that the cgroup places on the host may have left
// its container's cgroup, or be a zombie that v1 put back into the root: then
// the nearest ancestor that lives in a container decides, or the shim above.
func (n *Node) Blame(p *report.Process) Blame {
	b := Blame{Place: n.place(p), By: ByCgroup}
	switch {
	case p.Kernel:
		b.Owner = Owner{Type: OwnerKernel}
		return b
	case b.Place.ContainerID != "" || b.Place.PodUID != "" || p.Shim != nil:
		b.Owner = n.ownerAt(b.Place, p.Comm)
		return b
	}
	up := n.processes[p.PPID]
	for range maxAncestors {
		if up == nil || up.PID == 1 || up == p {
			break
		}
		place := n.place(up)
		switch {
		case place.ContainerID != "" && !place.Monitor:
			b.Owner, b.By, b.Ancestor = n.ownerAt(place, up.Comm), ByAncestor, up.PID
			return b
		case up.Shim != nil:
			b.Owner, b.By, b.Ancestor = n.ownerAt(Place{Path: place.Path, ContainerID: up.Shim.ID}, up.Comm), ByShim, up.PID
			return b
		}
		up = n.processes[up.PPID]
	}
	b.Owner = n.ownerAt(b.Place, p.Comm)
	return b
}
