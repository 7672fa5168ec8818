package correlate

import (
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// groupKey is what a row of a ranking stands for.
type groupKey struct {
	owner Owner
	pid   int // ranked by process
}

// keyOf gives the row that a process of owner o counts towards.
func keyOf(by By, p *report.Process, o Owner) groupKey {
	if by != ByContainer && by != ByProcess && o.Type == OwnerPod {
		o.Container, o.ContainerID, o.Sandbox = "", "", false
	}
	switch {
	case by == ByProcess:
		return groupKey{owner: o, pid: p.PID}
	case by == ByWorkload && o.Workload != "" && !o.Static:
		o = Owner{Type: OwnerWorkload, Namespace: o.Namespace, Workload: o.Workload}
	case by == ByUnit && o.Type == OwnerPod:
		o = Owner{Type: OwnerCgroup, Cgroup: "kubepods"}
	}
	return groupKey{owner: o}
}

// soleCgroups are those all of whose processes belong to one owner, so that the
// sums of two counts can be compared: not the root, where without systemd all
// daemons live, nor one into which a container's process has moved.
func (n *Node) soleCgroups() []bool {
	sole := make([]bool, len(n.places))
	for i := range sole {
		sole[i] = true
	}
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if p.Cgroup < 0 || p.Cgroup >= len(sole) || p.Kernel {
			continue
		}
		if b := n.Blame(p); b.By != ByCgroup || b.Owner.Command != "" {
			sole[p.Cgroup] = false
		}
	}
	return sole
}

// startupSeconds: a process opens its files when it starts. What is younger is
// not held against it.
const startupSeconds = 60

func (n *Node) startsUp(p *report.Process) bool {
	return n.Report.Node.ClockTicks > 0 && n.Age(p.PID) < startupSeconds
}

// fdGroup sums up the processes of a row.
type fdGroup struct {
	row FDRow
	// inCgroups is the growth of whole cgroups, grown that of single processes
	// that were there at both counts, matched how many these are.
	cgroups          map[int]bool
	inCgroups, grown int
	matched          int
	settled          int // growth of processes that are past their start
	targets          map[report.Target]int
	// containers counts the descriptors of each.
	containers map[string]int
}

func (g *fdGroup) add(p *report.Process, container string, startsUp bool) {
	g.row.Processes++
	g.row.Descriptors += p.FDs.Count
	g.containers[container] += p.FDs.Count
	if p.FDs.Before != nil && !startsUp {
		g.settled += p.FDs.Count - *p.FDs.Before
		g.addGain(p, p.FDs.Count-*p.FDs.Before)
	}
	if p.FDs.Count > g.row.Heaviest.Descriptors || g.row.Heaviest.PID == 0 {
		g.row.Heaviest = Heaviest{PID: p.PID, Comm: p.Comm, Cmdline: p.Cmdline, Descriptors: p.FDs.Count}
	}
	for _, t := range p.FDs.Targets {
		g.targets[report.Target{Kind: t.Kind, Pattern: t.Pattern}] += t.Count
	}
}

func (g *fdGroup) addGrowth(p *report.Process) {
	if p.FDs.Before != nil {
		g.matched++
		g.grown += p.FDs.Count - *p.FDs.Before
	}
}

func (g *fdGroup) addGain(p *report.Process, gained int) {
	if gained <= 0 || g.row.Fastest != nil && gained <= g.row.Fastest.Gained {
		return
	}
	g.row.Fastest = &Fastest{PID: p.PID, Comm: p.Comm, Gained: gained, Descriptors: p.FDs.Count, Steady: rises(p.FDs.Steps)}
	if len(p.FDs.Targets) > 0 {
		g.row.Fastest.Mostly = &p.FDs.Targets[0]
	}
}

func (g *fdGroup) finish(by By, r FDRanking) FDRow {
	row := g.row
	if by == ByProcess {
		row.PID = row.Heaviest.PID
	}
	if row.Owner.Type == OwnerPod || row.Owner.Type == OwnerWorkload {
		row.Container = most(g.containers)
	}
	row.Percent = percent(float64(row.Descriptors), float64(r.Descriptors))
	if (g.matched > 0 || len(g.cgroups) > 0) && r.Seconds > 0 {
		rate := float64(g.inCgroups+g.grown) / r.Seconds
		row.PerSecond, row.SettledPerSecond = &rate, float64(g.settled)/r.Seconds
	}
	for t, count := range g.targets {
		t.Count = count
		if row.Mostly == nil || t.Count > row.Mostly.Count || t.Count == row.Mostly.Count && t.Pattern < row.Mostly.Pattern {
			row.Mostly = &t
		}
	}
	return row
}

// most is the name with the highest count, of equals the first.
func most(counts map[string]int) string {
	best := ""
	for name, count := range counts {
		if best == "" || count > counts[best] || count == counts[best] && name < best {
			best = name
		}
	}
	return best
}
