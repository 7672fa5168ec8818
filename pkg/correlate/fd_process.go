package correlate

import (
	"cmp"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// ProcessFDs is one process's descriptors in full.
type ProcessFDs struct {
	Node string `json:"node"`
	// Time when the look began, by the node's clock.
	Time    *time.Time `json:"time,omitempty"`
	Process Identity   `json:"process"`
	// Descriptors is absent for a kernel thread, a zombie, and where it could
	// not be read.
	Descriptors *int `json:"descriptors,omitempty"`
	// PerSecond is the growth over Seconds; absent where the process was not
	// there at the first count.
	PerSecond *float64 `json:"perSecond,omitempty"`
	Seconds   float64  `json:"seconds"`
	Steps     []int    `json:"steps,omitempty"` // counts at regular moments
	// Limit is its RLIMIT_NOFILE, PerProcessMax what that may be raised to,
	// fs.nr_open.
	Limit         *LimitUse `json:"limit,omitempty"`
	PerProcessMax *uint64   `json:"perProcessMax,omitempty"`

	Kinds     []report.Counted `json:"kinds"`
	Targets   []report.Target  `json:"targets"`
	Sockets   []SocketRow      `json:"sockets"`
	ExecFIFOs []FIFORow        `json:"execFIFOs"`
	// FileTypes is as in FDRanking.
	FileTypes *int `json:"fileTypes,omitempty"`
	// Inotify is its own, InotifyUser what its user has of the allowance.
	Inotify     *report.Inotify `json:"inotify,omitempty"`
	InotifyUser *InotifyUse     `json:"inotifyUser,omitempty"`
	// Gaps are what the answer lacks, and why.
	Gaps []report.Unreadable `json:"gaps,omitempty"`
}

// SocketRow are sockets that go the same way, with whoever is at the other end.
type SocketRow struct {
	report.SocketGroup
	// PeerOwner is that of Peer, or the pod of this node that has the remote
	// address.
	PeerOwner *Owner `json:"peerOwner,omitempty"`
}

// FIFORow are pipes of exec sessions in one container.
type FIFORow struct {
	report.ExecFIFOs
	Subject Owner `json:"subject"`
}

// ProcessFDs looks at a process by its pid or the id of one of its threads,
// which share its descriptors. ok is false where the node has no such process.
func (n *Node) ProcessFDs(id int) (ProcessFDs, bool) {
	p, _ := n.processOf(id)
	if p == nil {
		return ProcessFDs{}, false
	}
	identity, _ := n.Whois(id)
	a := ProcessFDs{Node: n.Name(), Time: n.Time(), Process: identity, Gaps: n.Gaps(),
		Seconds: float64(n.Report.Processes.FDIntervalMillis) / 1000, FileTypes: n.Report.Processes.FileTypes,
		Kinds: []report.Counted{}, Targets: []report.Target{}, Sockets: []SocketRow{}, ExecFIFOs: []FIFORow{}}
	if n.Report.OpenFiles != nil {
		a.PerProcessMax = n.Report.OpenFiles.PerProcessMax
	}
	if p.FDs == nil {
		return a, true
	}
	a.Descriptors, a.Steps, a.Limit, a.Inotify = &p.FDs.Count, p.FDs.Steps, limitUse(p), p.FDs.Inotify
	if p.FDs.Before != nil && a.Seconds > 0 {
		rate := float64(p.FDs.Count-*p.FDs.Before) / a.Seconds
		a.PerSecond = &rate
	}
	a.Kinds = append(a.Kinds, p.FDs.Kinds...)
	a.Targets = append(a.Targets, p.FDs.Targets...)
	for _, g := range p.FDs.Sockets {
		a.Sockets = append(a.Sockets, SocketRow{g, n.otherEnd(g)})
	}
	for _, e := range p.FDs.ExecFIFOs {
		a.ExecFIFOs = append(a.ExecFIFOs, FIFORow{e, n.fifoOwner(e.ContainerID, p)})
	}
	slices.SortStableFunc(a.ExecFIFOs, func(x, y FIFORow) int { return cmp.Or(y.Sessions-x.Sessions, y.Count-x.Count) })
	if p.UID != nil && a.Inotify != nil {
		a.InotifyUser = n.inotifyOf(*p.UID)
	}
	return a, true
}

func (n *Node) inotifyOf(uid int) *InotifyUse {
	for _, u := range n.Inotify() {
		if u.UID == uid {
			return &u
		}
	}
	return nil
}

// otherEnd is who is at the other end of sockets; nil where nobody can tell.
func (n *Node) otherEnd(g report.SocketGroup) *Owner {
	if g.Peer == nil {
		return n.podAt(g.Remote)
	}
	if p := n.processes[g.Peer.PID]; p != nil {
		o := n.Blame(p).Owner
		return &o
	}
	return nil
}
