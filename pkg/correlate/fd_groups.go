package correlate

import (
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// fdGroups collects the rows of a ranking.
type fdGroups struct {
	n      *Node
	by     By
	sole   []bool // see soleCgroups
	groups map[groupKey]*fdGroup
}

func newFDGroups(n *Node, by By) *fdGroups {
	return &fdGroups{n: n, by: by, sole: n.soleCgroups(), groups: map[groupKey]*fdGroup{}}
}

func (g *fdGroups) group(key groupKey) *fdGroup {
	if g.groups[key] == nil {
		g.groups[key] = newFDGroup(key)
	}
	return g.groups[key]
}

// add counts a process of owner exact.
func (g *fdGroups) add(p *report.Process, exact Owner) {
	if g.by == ByKind {
		g.addKinds(p, exact)
		return
	}
	row := g.group(g.n.keyOf(g.by, p, exact))
	row.add(g.n, p, exact)
	// The processes of a cgroup are one owner's, but not one user's.
	whole := g.by != ByProcess && g.by != ByUser
	if whole && p.Cgroup >= 0 && p.Cgroup < len(g.sole) && g.sole[p.Cgroup] {
		row.cgroups[p.Cgroup] = true
		row.inCgroups += p.FDs.Count
		return
	}
	row.addGrowth(p)
}

// addKinds counts a process's descriptors by what they are. They were looked at
// after they were counted: what opened or closed between is left out.
func (g *fdGroups) addKinds(p *report.Process, exact Owner) {
	if len(p.FDs.Kinds) == 0 {
		if p.FDs.Count > 0 {
			g.group(groupKey{owner: Owner{Type: OwnerKind}}).hold(p, exact, p.FDs.Count)
		}
		return
	}
	for _, k := range p.FDs.Kinds {
		row := g.group(groupKey{owner: Owner{Type: OwnerKind, Kind: k.Name}})
		row.hold(p, exact, k.Count)
		for _, t := range p.FDs.Targets {
			if t.Kind == k.Name {
				row.targets[report.Target{Kind: t.Kind, Pattern: t.Pattern}] += t.Count
			}
		}
	}
}

func (g *fdGroups) rows(r FDRanking) []FDRow {
	rows := make([]FDRow, 0, len(g.groups))
	for key, row := range g.groups {
		for c := range row.cgroups {
			row.inCgroups -= g.n.Report.Processes.Cgroups[c].FDsBefore
		}
		rows = append(rows, row.finish(g.by, key, r))
	}
	return rows
}
