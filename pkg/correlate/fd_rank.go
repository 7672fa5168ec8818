package correlate

import (
	"cmp"
	"sort"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// By is what a ranking groups processes by.
type By string

// Groupings.
const (
	ByPod       By = "pod"
	ByContainer By = "container"
	ByWorkload  By = "workload"
	ByProcess   By = "process"
	ByUnit      By = "unit"
	// ByUser groups by the host's uid: a container's root is the host's, too,
	// where the pod has no user namespace.
	ByUser By = "user"
	// ByKind has a row per kind of descriptor, over all processes.
	ByKind By = "kind"
)

// Groupings are all of them, as a flag takes them.
func Groupings() []string {
	return []string{string(ByPod), string(ByContainer), string(ByWorkload), string(ByProcess), string(ByUnit), string(ByUser), string(ByKind)}
}

// Order is what a ranking is sorted by.
type Order string

// Orders, the largest first.
const (
	SortCount  Order = "count"
	SortGrowth Order = "growth"
)

// Orders are all of them, as a flag takes them.
func Orders() []string { return []string{string(SortCount), string(SortGrowth)} }

// RankOptions say how a ranking is to be. The zero value is by pod and count.
type RankOptions struct {
	By     By
	Sort   Order
	Filter Filter
}

// RankFDs ranks owners by the descriptors that their processes hold.
func (n *Node) RankFDs(by By) FDRanking { return n.Rank(RankOptions{By: by}) }

// Rank ranks owners by the descriptors that their processes hold.
func (n *Node) Rank(o RankOptions) FDRanking {
	by := cmp.Or(o.By, ByPod)
	r := FDRanking{Node: n.Name(), Time: n.Time(), By: by, Files: n.fileUsage(), Rows: []FDRow{}, Gaps: n.Gaps()}
	if n.Report.Processes == nil {
		return r
	}
	r.FileTypes = n.Report.Processes.FileTypes
	r.Seconds = float64(n.Report.Processes.FDIntervalMillis) / 1000
	groups, seen := newFDGroups(n, by), newOwnerCount(n, by, o.Filter)
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if p.FDs == nil {
			if !p.Kernel && p.State != "Z" {
				r.Unread++
			}
			continue
		}
		r.Descriptors += p.FDs.Count
		exact := n.Blame(p).Owner
		if seen.matches(p, exact) {
			groups.add(p, exact)
		}
	}
	if r.Files != nil {
		r.Files.InNoTable = n.inNoTable(r.Files, r.Descriptors)
	}
	r.Filter = seen.result()
	r.Rows = groups.rows(r)
	sortRows(r.Rows, o.Sort)
	return r
}

// sortRows puts the largest first; what was not measured grows least.
func sortRows(rows []FDRow, order Order) {
	sort.Slice(rows, func(i, j int) bool {
		a, b := &rows[i], &rows[j]
		if order == SortGrowth {
			if c := cmp.Or(compareMeasured(a.PerSecond, b.PerSecond), cmp.Compare(growth(b), growth(a))); c != 0 {
				return c < 0
			}
		}
		return cmp.Or(b.Descriptors-a.Descriptors, cmp.Compare(a.Owner.Name(), b.Owner.Name()), cmp.Compare(a.Heaviest.PID, b.Heaviest.PID)) < 0
	})
}

func growth(r *FDRow) float64 {
	if r.PerSecond == nil {
		return 0
	}
	return *r.PerSecond
}

func compareMeasured(a, b *float64) int {
	switch {
	case a != nil && b == nil:
		return -1
	case a == nil && b != nil:
		return 1
	}
	return 0
}

// Time is the node's own when the report was begun; nil where it makes no sense.
func (n *Node) Time() *time.Time {
	t := time.Unix(n.Report.Node.Now, 0).UTC()
	if n.Report.Node.Now <= 0 || t.Year() > 9999 { // JSON has no later one
		return nil
	}
	return &t
}

// Name is the node's name: the API's, else its own hostname.
func (n *Node) Name() string {
	if n.Inventory != nil && n.Inventory.Node != "" {
		return n.Inventory.Node
	}
	return n.Report.Node.Hostname
}

func percent(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * part / whole
}

// mostOf is the largest group of descriptors, of equals the first; nil for none.
func mostOf(targets map[report.Target]int) *report.Target {
	var most *report.Target
	for t, count := range targets {
		t.Count = count
		if most == nil || cmp.Or(most.Count-t.Count, cmp.Compare(t.Pattern, most.Pattern), cmp.Compare(t.Kind, most.Kind)) < 0 {
			most = &t
		}
	}
	return most
}
