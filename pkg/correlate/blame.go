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
	place := n.place(p)
	switch {
	case p.Kernel:
		return Blame{Owner: Owner{Type: OwnerKernel}, Place: place, By: ByCgroup}
	case place.PodUID == "" && place.ContainerID != "" && place.ContainerID != n.runsIn && !n.isContainer(place.ContainerID):
		return n.blameNested(p, place)
	case place.ContainerID != "" || place.PodUID != "" || place.System != "":
		return Blame{Owner: n.ownerAt(place, p.Comm), Place: place, By: ByCgroup}
	}
	up := n.decidingAncestor(p)
	switch {
	case up == nil:
		return Blame{Owner: n.ownerAt(place, p.Comm), Place: place, By: ByCgroup}
	case up.Shim != nil:
		return n.blameShim(place, up)
	}
	return Blame{Owner: n.ownerAt(n.place(up), up.Comm), Place: place, By: ByAncestor, Ancestor: up.PID}
}

// blameNested is for a container of which neither the node's runtime nor the API
// server knows: one of a docker in a pod that has the host's /sys/fs/cgroup makes its
// cgroups beside the pod's (/docker/<id>). Then the nearest ancestor in a pod decides.
func (n *Node) blameNested(p *report.Process, place Place) Blame {
	up := p
	for range maxChain {
		if up = n.processes[up.PPID]; up == nil || up.PID == 1 {
			break
		}
		if at := n.place(up); at.PodUID != "" && !at.Monitor {
			return Blame{Owner: n.ownerAt(at, up.Comm), Place: place, By: ByAncestor, Ancestor: up.PID}
		}
	}
	return Blame{Owner: n.ownerAt(place, p.Comm), Place: place, By: ByCgroup}
}

// blameShim is for a host process below a shim. A runtime's helper lives in its
// shim's cgroup. What lives elsewhere came out of the pod, and of which of its
// containers nobody can tell any more.
func (n *Node) blameShim(place Place, shim *report.Process) Blame {
	at := n.place(shim)
	b := Blame{Owner: n.ownerAt(Place{Path: at.Path, ContainerID: shim.Shim.ID}, shim.Comm), Place: place, By: ByShim, Ancestor: shim.PID}
	if !at.Monitor && place.Path != "" && place.Path != at.Path {
		b.By = ByAncestor
		b.Owner.Container, b.Owner.ContainerID, b.Owner.Sandbox = "", "", false
	}
	return b
}

// shimAbove is the nearest shim among the ancestors of a process.
func (n *Node) shimAbove(p *report.Process) *report.Process {
	up := n.processes[p.PPID]
	for range maxChain {
		if up == nil || up.Shim != nil {
			return up
		}
		up = n.processes[up.PPID]
	}
	return nil
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
