package correlate

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// taskGroup sums up the processes of a row.
type taskGroup struct {
	row        TaskRow
	containers map[string]int
	shown      bool
}

// rankTasks fills in the rows, and the sums of programs' processes and threads.
func (n *Node) rankTasks(t *NodeTasks, f Filter) {
	groups := map[groupKey]*taskGroup{}
	group := func(key groupKey) *taskGroup {
		if groups[key] == nil {
			groups[key] = &taskGroup{row: TaskRow{Owner: key.owner, PID: key.pid}, containers: map[string]int{}}
			if key.owner.Type == OwnerUser {
				groups[key].row.UID = &key.uid
			}
		}
		return groups[key]
	}
	blocked := map[int]int{}
	for _, b := range t.Blocked {
		blocked[b.PID] += b.Threads
	}
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if p.Kernel { // a requested one; all are in the sum
			continue
		}
		exact := n.Blame(p).Owner
		t.Processes++
		t.Threads += max(p.Threads, 1)
		shows := n.Shows(f, exact)
		g := group(n.keyOf(t.By, p, exact))
		g.shown = g.shown || shows
		if shows || t.By != ByUser { // a user's processes are many owners'
			g.add(p, exact, blocked[p.PID])
		}
	}
	kernel := Owner{Type: OwnerKernel}
	if t.KernelThreads > 0 {
		g := group(groupKey{owner: kernel})
		g.row.Tasks += t.KernelThreads
		for _, k := range t.Kernel {
			g.row.Blocked += k.Blocked
		}
		g.shown = f.empty()
	}
	limits := limitsByOwner(t.Limits, t.By)
	total := t.Threads + t.KernelThreads
	if t.Usage != nil {
		total = max(total, int(min(t.Usage.Total, 1<<40)))
	}
	t.Rows = finishTasks(groups, limits, total)
	t.Filter = n.tasksFiltered(f, t.Rows, len(groups))
}

func (g *taskGroup) add(p *report.Process, exact Owner, blocked int) {
	threads := max(p.Threads, 1)
	g.row.Processes++
	g.row.Tasks += threads
	g.row.Blocked += blocked
	if isZombie(p) {
		g.row.Zombies++
	}
	g.containers[exact.Container] += threads
	if h := g.row.Heaviest; threads > h.Threads {
		g.row.Heaviest = TaskHeaviest{PID: p.PID, Comm: p.Comm, Cmdline: p.Cmdline, Threads: threads}
	}
}

func finishTasks(groups map[groupKey]*taskGroup, limits map[Owner]*TaskLimitUse, total int) []TaskRow {
	rows := make([]TaskRow, 0, len(groups))
	for key, g := range groups {
		if !g.shown {
			continue
		}
		row := g.row
		if row.Owner.Type == OwnerPod || row.Owner.Type == OwnerWorkload {
			row.Container = most(g.containers)
		}
		row.Percent = percent(float64(row.Tasks), float64(total))
		row.Limit = limits[key.owner]
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b TaskRow) int {
		return cmp.Or(b.Tasks-a.Tasks, cmp.Compare(a.Owner.Name(), b.Owner.Name()), cmp.Compare(a.Owner.PodUID, b.Owner.PodUID),
			cmp.Compare(a.Owner.ContainerID, b.Owner.ContainerID), cmp.Compare(a.PID, b.PID))
	})
	return rows
}

func (n *Node) tasksFiltered(f Filter, rows []TaskRow, of int) *TasksFiltered {
	if f.empty() {
		return nil
	}
	out := &TasksFiltered{Namespace: f.Namespace, Matched: len(rows), Of: of}
	if f.Selector != nil {
		out.Selector = f.Selector.String()
	}
	for _, row := range rows {
		out.Tasks += row.Tasks
	}
	return out
}

// String is the filter as the flags have it.
func (f TasksFiltered) String() string {
	return Filtered{Namespace: f.Namespace, Selector: f.Selector}.String()
}
