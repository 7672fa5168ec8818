package correlate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// BlockedRow are threads of one process that wait in the same kernel function,
// in uninterruptible sleep (D): no signal reaches them, at most SIGKILL.
type BlockedRow struct {
	Owner   Owner  `json:"owner"`
	PID     int    `json:"pid"`
	TID     int    `json:"tid"` // of one of them
	Comm    string `json:"comm"`
	Cmdline string `json:"cmdline,omitempty"`
	Threads int    `json:"threads"`
	Kernel  bool   `json:"kernel,omitempty"`
	Wchan   string `json:"wchan,omitempty"`
	// WaitsFor is what that usually means; "" where no rule says. It says nothing
	// of who is to blame for the wait.
	WaitsFor string `json:"waitsFor,omitempty"`
	// StayedSeconds is for how long they wait at least, as seen. 0: they run in
	// between.
	StayedSeconds float64 `json:"stayedSeconds"`
	// Stayed counts those that did not run at all between the two looks.
	Stayed int `json:"stayed"`
	// Retrying counts those that did run, as rarely as who only asks a server again that
	// does not respond; see SilentSeconds.
	Retrying int `json:"retrying,omitempty"`
	// Server is that of the filesystem, Volumes are those of the pod on it, one of which
	// it waits for: by what the pod, or else the node, has mounted. "" and none where
	// that does not tell.
	Server  string   `json:"server,omitempty"`
	Volumes []string `json:"volumes,omitempty"`
	// SilentSeconds is for how long the server has not responded by the kernel's log,
	// SaidSeconds how long ago it last said so; nil: it says nothing of the sort, or not
	// when.
	SilentSeconds *float64 `json:"silentSeconds,omitempty"`
	SaidSeconds   *float64 `json:"saidSeconds,omitempty"`
	// LoggedSeconds is the longest wait of one of these that the kernel's log tells
	// of; whether it ran since, nobody knows.
	LoggedSeconds int64 `json:"loggedSeconds,omitempty"`
}

type blockedKey struct {
	pid         int
	wchan, what string
	kernel      bool
}

func (n *Node) blockedTasks() []BlockedRow {
	rows := map[blockedKey]*BlockedRow{}
	servers := n.waitedServers()
	for _, b := range n.Report.Tasks.Blocked {
		wchan, what := waitsOf(b.Wchan, n.stackOf(b))
		key := blockedKey{b.PID, wchan, what, b.Kernel}
		if rows[key] == nil {
			rows[key] = n.blockedRow(b)
			rows[key].Wchan, rows[key].WaitsFor = wchan, what
			servers.addTo(rows[key])
		}
		rows[key].add(b)
		if b.StayedMillis <= 0 && servers.retries(rows[key], b.Switched) {
			rows[key].Retrying++
		}
	}
	list := make([]BlockedRow, 0, len(rows))
	for _, row := range rows {
		list = append(list, *row)
	}
	slices.SortFunc(list, func(a, b BlockedRow) int {
		return cmp.Or(cmp.Compare(b.LoggedSeconds, a.LoggedSeconds), cmp.Compare(b.StayedSeconds, a.StayedSeconds), b.Stayed-a.Stayed, b.Retrying-a.Retrying, b.Threads-a.Threads, a.PID-b.PID, cmp.Compare(a.Wchan, b.Wchan))
	})
	return list
}

func (n *Node) blockedRow(b report.BlockedTask) *BlockedRow {
	row := &BlockedRow{Owner: Owner{Type: OwnerUnknown}, PID: b.PID, TID: b.TID, Comm: b.Comm, Kernel: b.Kernel}
	switch p := n.processes[b.PID]; {
	case b.Kernel:
		row.Owner = Owner{Type: OwnerKernel}
	case p != nil:
		row.Owner, row.Comm, row.Cmdline = n.Blame(p).Owner, p.Comm, p.Cmdline
	}
	return row
}

// stackOf are the functions that a task came through, the innermost first.
func (n *Node) stackOf(b report.BlockedTask) []string {
	if stacks := n.Report.Tasks.Stacks; b.Stack > 0 && b.Stack <= len(stacks) {
		return strings.Fields(stacks[b.Stack-1])
	}
	return nil
}

// Waiting are those that stayed, or only retry.
func (r *BlockedRow) Waiting() int { return r.Stayed + r.Retrying }

func (r *BlockedRow) add(b report.BlockedTask) {
	r.Threads++
	if b.StayedMillis > 0 {
		r.Stayed++
	}
	r.StayedSeconds = max(r.StayedSeconds, float64(b.StayedMillis)/1000)
	r.LoggedSeconds = max(r.LoggedSeconds, b.LoggedSeconds)
}
