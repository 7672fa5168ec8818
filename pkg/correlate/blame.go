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
	case b.Place.ContainerID != "" || b.Place.PodUID != "":
		b.Owner = n.ownerAt(b.Place, p.Comm)
		return b
	}
	up := n.decidingAncestor(p)
	if p.Shim != nil && up == nil {
		b.Owner = n.ownerAt(b.Place, p.Comm)
		return b
	}
	switch {
	case up == nil:
		b.Owner = n.ownerAt(b.Place, p.Comm)
	case up.Shim != nil && !n.place(up).Monitor && b.Place.Path != "" && b.Place.Path != n.place(up).Path:
		// A runtime's helper lives in its shim's cgroup. This came out of the
		// pod; of which container of it nobody can tell any more.
		b.Owner, b.By, b.Ancestor = n.ownerAt(Place{Path: n.place(up).Path, ContainerID: up.Shim.ID}, up.Comm), ByAncestor, up.PID
		b.Owner.Container, b.Owner.ContainerID, b.Owner.Sandbox = "", "", false
	case up.Shim != nil:
		b.Owner, b.By, b.Ancestor = n.ownerAt(Place{Path: n.place(up).Path, ContainerID: up.Shim.ID}, up.Comm), ByShim, up.PID
	default:
		b.Owner, b.By, b.Ancestor = n.ownerAt(n.place(up), up.Comm), ByAncestor, up.PID
	}
	return b
}

// decidingAncestor is the nearest ancestor of a host process that lives in a
// container or is a shim; nil where there is none. What a walk finds holds for
// all that it passed, so that a chain of 300,000 processes is walked once.
func (n *Node) decidingAncestor(p *report.Process) *report.Process {
	var passed []int
	var found *report.Process
	for at := p; ; {
		known, done := n.ancestors[at.PID]
		if done {
			found = known
			break
		}
		n.ancestors[at.PID] = nil // ends a loop that the node made up
		passed = append(passed, at.PID)
		up := n.processes[at.PPID]
		if up == nil || up.PID == 1 {
			break
		}
		if place := n.place(up); up.Shim != nil || place.ContainerID != "" && !place.Monitor {
			found = up
			break
		}
		at = up
	}
	for _, pid := range passed {
		n.ancestors[pid] = found
	}
	return found
}
