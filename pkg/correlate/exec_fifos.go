package correlate

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// ExecFIFOs are a runtime's named pipes for exec sessions of one container,
// held open by one process.
type ExecFIFOs struct {
	report.ExecFIFOs
	Holder  *report.Process
	Subject Owner // whose exec sessions they are
}

// ExecFIFOs lists them, most sessions first.
func (n *Node) ExecFIFOs() []ExecFIFOs {
	var list []ExecFIFOs
	if n.Report.Processes == nil {
		return nil
	}
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if p.FDs == nil {
			continue
		}
		for _, e := range p.FDs.ExecFIFOs {
			list = append(list, ExecFIFOs{ExecFIFOs: e, Holder: p, Subject: n.fifoOwner(e.ContainerID, p)})
		}
	}
	slices.SortStableFunc(list, func(a, b ExecFIFOs) int {
		return cmp.Or(b.Sessions-a.Sessions, b.Count-a.Count, a.Holder.PID-b.Holder.PID)
	})
	return list
}

// fifoOwner is the container that the pipe's path names, if the host holds the
// pipe or that very container: any other has a root directory of its own, and
// may make such pipes there under a victim's id. Else it is the holder's own.
func (n *Node) fifoOwner(containerID string, holder *report.Process) Owner {
	held := n.Blame(holder).Owner
	inContainer := held.Type == OwnerPod || held.Type == OwnerContainer
	if n.isContainer(containerID) && (!inContainer || held.ContainerID == containerID) {
		return n.ownerAt(Place{ContainerID: containerID}, "")
	}
	if inContainer || containerID == "" {
		return held
	}
	return Owner{Type: OwnerContainer, ContainerID: containerID}
}
