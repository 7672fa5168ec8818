package correlate

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// ZombieRow are ended processes that their parent does not reap by wait(2).
type ZombieRow struct {
	// Owner is the parent's, which is to blame.
	Owner   Owner  `json:"owner"`
	PID     int    `json:"pid"` // the parent's; 0: outside of what the probe sees
	Comm    string `json:"comm,omitempty"`
	Cmdline string `json:"cmdline,omitempty"`
	Count   int    `json:"count"`
	// OldestSeconds is how long ago the oldest of them started; when it ended
	// nobody knows.
	OldestSeconds float64 `json:"oldestSeconds,omitempty"`
	// Commands are the names that they had, the most frequent first.
	Commands []report.Counted `json:"commands"`
}

// isZombie: of a process whose first thread has ended before others only that one
// is a zombie.
func isZombie(p *report.Process) bool { return p.State == "Z" && p.Threads <= 1 && !p.Kernel }

func (n *Node) zombies() []ZombieRow {
	byParent := map[int][]*report.Process{}
	for i := range n.Report.Processes.List {
		if p := &n.Report.Processes.List[i]; isZombie(p) {
			byParent[p.PPID] = append(byParent[p.PPID], p)
		}
	}
	list := make([]ZombieRow, 0, len(byParent))
	for pid, children := range byParent {
		list = append(list, n.zombieRow(pid, children))
	}
	slices.SortFunc(list, func(a, b ZombieRow) int { return cmp.Or(b.Count-a.Count, a.PID-b.PID) })
	return list
}

func (n *Node) zombieRow(parent int, children []*report.Process) ZombieRow {
	row := ZombieRow{PID: parent, Count: len(children)}
	if p := n.processes[parent]; p != nil {
		row.Owner, row.Comm, row.Cmdline = n.Blame(p).Owner, p.Comm, p.Cmdline
	} else {
		row.Owner = n.Blame(children[0]).Owner
	}
	names := map[string]int{}
	for _, c := range children {
		names[c.Comm]++
		row.OldestSeconds = max(row.OldestSeconds, n.age(c))
	}
	row.Commands = sortedKinds(names)
	const most = 10
	row.Commands = row.Commands[:min(most, len(row.Commands))]
	return row
}
