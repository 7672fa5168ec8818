package correlate

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

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
	kinds            map[string]int
	// containers and holders count the descriptors of each.
	containers map[string]int
	holders    map[Owner]int
}

func newFDGroup(key groupKey) *fdGroup {
	return &fdGroup{row: FDRow{Owner: key.owner}, targets: map[report.Target]int{}, kinds: map[string]int{},
		containers: map[string]int{}, holders: map[Owner]int{}, cgroups: map[int]bool{}}
}

func (g *fdGroup) add(n *Node, p *report.Process, exact Owner) {
	g.hold(p, exact, p.FDs.Count)
	g.containers[exact.Container] += p.FDs.Count
	if p.FDs.Before != nil && !n.startsUp(p) {
		g.settled += p.FDs.Count - *p.FDs.Before
		g.addGain(p, p.FDs.Count-*p.FDs.Before, n.Age(p.PID))
	}
	if use := limitUse(p); use != nil && (g.row.Fullest == nil || use.Percent > g.row.Fullest.Percent) {
		g.row.Fullest = use
	}
	for _, t := range p.FDs.Targets {
		g.targets[report.Target{Kind: t.Kind, Pattern: t.Pattern}] += t.Count
	}
	for _, k := range p.FDs.Kinds {
		g.kinds[k.Name] += k.Count
	}
}

// hold counts what a process holds of the row's descriptors.
func (g *fdGroup) hold(p *report.Process, exact Owner, count int) {
	g.row.Processes++
	g.row.Descriptors += count
	exact.Container, exact.ContainerID, exact.Sandbox = "", "", false
	g.holders[exact] += count
	if count > g.row.Heaviest.Descriptors || g.row.Heaviest.PID == 0 {
		g.row.Heaviest = Heaviest{PID: p.PID, Comm: p.Comm, Cmdline: p.Cmdline, Descriptors: count}
	}
}

func (g *fdGroup) addGrowth(p *report.Process) {
	if p.FDs.Before != nil {
		g.matched++
		g.grown += p.FDs.Count - *p.FDs.Before
	}
}

func (g *fdGroup) addGain(p *report.Process, gained int, age float64) {
	if gained <= 0 || g.row.Fastest != nil && gained <= g.row.Fastest.Gained {
		return
	}
	g.row.Fastest = &Fastest{PID: p.PID, Comm: p.Comm, AgeSeconds: age, Gained: gained, Descriptors: p.FDs.Count, Steady: rises(p.FDs.Steps)}
	if len(p.FDs.Targets) > 0 {
		g.row.Fastest.Mostly = &p.FDs.Targets[0]
	}
}

func (g *fdGroup) finish(by By, key groupKey, r FDRanking) FDRow {
	row := g.row
	switch {
	case by == ByProcess:
		row.PID = row.Heaviest.PID
	case by == ByUser && row.Owner.Type == OwnerUser:
		row.UID = &key.uid
	}
	if row.Owner.Type == OwnerPod || row.Owner.Type == OwnerWorkload {
		row.Container = most(g.containers)
	}
	if by == ByUser || by == ByKind {
		row.HeldMostBy = mostHolding(g.holders)
	}
	row.Percent = percent(float64(row.Descriptors), float64(r.Descriptors))
	if (g.matched > 0 || len(g.cgroups) > 0) && r.Seconds > 0 {
		rate := float64(g.inCgroups+g.grown) / r.Seconds
		row.PerSecond, row.SettledPerSecond = &rate, float64(g.settled)/r.Seconds
	}
	row.Mostly, row.Kinds = mostOf(g.targets), sortedKinds(g.kinds)
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

func mostHolding(counts map[Owner]int) *Owner {
	var best *Owner
	for o, count := range counts {
		if best == nil || cmp.Or(counts[*best]-count, cmp.Compare(o.Name(), best.Name()), cmp.Compare(o.PodUID, best.PodUID)) < 0 {
			best = &o
		}
	}
	return best
}

func sortedKinds(counts map[string]int) []report.Counted {
	list := make([]report.Counted, 0, len(counts))
	for name, count := range counts {
		list = append(list, report.Counted{Name: name, Count: count})
	}
	slices.SortFunc(list, func(a, b report.Counted) int {
		return cmp.Or(b.Count-a.Count, cmp.Compare(a.Name, b.Name))
	})
	return list
}
