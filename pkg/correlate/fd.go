package correlate

import (
	"cmp"
	"sort"

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
)

// Groupings are all of them, as a flag takes them.
func Groupings() []string {
	return []string{string(ByPod), string(ByContainer), string(ByWorkload), string(ByProcess), string(ByUnit)}
}

// FDRanking is who holds the node's file descriptors.
type FDRanking struct {
	Node string `json:"node"`
	// Files are the node's open files against its limit: absent where unreadable.
	Files *FileUsage `json:"files,omitempty"`
	By    By         `json:"by"`
	// Descriptors is the sum over all processes. A file that several
	// descriptors share, by fork or dup, is one open file.
	Descriptors int     `json:"descriptors"`
	Seconds     float64 `json:"seconds"` // between the two counts
	Rows        []FDRow `json:"rows"`
	// Unread is the number of processes whose descriptors could not be counted.
	Unread int `json:"unread,omitempty"`
	// Gaps are what else the answer lacks, and why.
	Gaps []report.Unreadable `json:"gaps,omitempty"`
}

// FDRow is one owner in the ranking.
type FDRow struct {
	Owner Owner `json:"owner"`
	// PID is set when ranked by process.
	PID         int     `json:"pid,omitempty"`
	Descriptors int     `json:"descriptors"`
	Percent     float64 `json:"percent"` // of all descriptors
	// PerSecond is the growth between the two counts, processes that came and
	// went included; nil where there was no first one.
	PerSecond *float64 `json:"perSecond,omitempty"`
	// SettledPerSecond is that of the processes that were there at both counts
	// and were not just starting up.
	SettledPerSecond float64  `json:"settledPerSecond"`
	Processes        int      `json:"processes"`
	Heaviest         Heaviest `json:"heaviest"`
	// Container holds the most of a pod's or workload's descriptors.
	Container string `json:"container,omitempty"`
	// Fastest is the settled process that gained most; nil where none did.
	Fastest *Fastest `json:"fastest,omitempty"`
	// Mostly is the largest group of descriptors; nil where not looked into.
	Mostly *report.Target `json:"mostly,omitempty"`
}

// Heaviest is the process with the most descriptors of an owner.
type Heaviest struct {
	PID         int    `json:"pid"`
	Comm        string `json:"comm"`
	Cmdline     string `json:"cmdline,omitempty"`
	Descriptors int    `json:"descriptors"`
}

// Fastest is the process that gained the most descriptors of an owner.
type Fastest struct {
	PID    int    `json:"pid"`
	Comm   string `json:"comm"`
	Gained int    `json:"gained"` // between the two counts
	// Steady: in no step between them did it lose any, and in most it gained.
	Steady      bool `json:"steady"`
	Descriptors int  `json:"descriptors"`
	// Mostly is the largest group of its descriptors; nil where not looked into.
	Mostly *report.Target `json:"mostly,omitempty"`
}

// RankFDs ranks owners by the descriptors that their processes hold.
func (n *Node) RankFDs(by By) FDRanking {
	r := FDRanking{Node: n.Name(), By: by, Files: n.fileUsage(), Rows: []FDRow{}, Gaps: n.Gaps()}
	if n.Report.Processes == nil {
		return r
	}
	r.Seconds = float64(n.Report.Processes.FDIntervalMillis) / 1000
	groups := map[groupKey]*fdGroup{}
	sole := n.soleCgroups()
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if p.FDs == nil {
			if !p.Kernel && p.State != "Z" {
				r.Unread++
			}
			continue
		}
		exact := n.Blame(p).Owner
		key := keyOf(by, p, exact)
		if groups[key] == nil {
			groups[key] = &fdGroup{row: FDRow{Owner: key.owner}, targets: map[report.Target]int{}, containers: map[string]int{}, cgroups: map[int]bool{}}
		}
		g := groups[key]
		g.add(p, exact.Container, n.startsUp(p))
		if by != ByProcess && p.Cgroup >= 0 && p.Cgroup < len(sole) && sole[p.Cgroup] {
			g.cgroups[p.Cgroup] = true
			g.inCgroups += p.FDs.Count
		} else {
			g.addGrowth(p)
		}
		r.Descriptors += p.FDs.Count
	}
	for _, g := range groups {
		for c := range g.cgroups {
			g.inCgroups -= n.Report.Processes.Cgroups[c].FDsBefore
		}
		r.Rows = append(r.Rows, g.finish(by, r))
	}
	sort.Slice(r.Rows, func(i, j int) bool {
		a, b := &r.Rows[i], &r.Rows[j]
		return cmp.Or(b.Descriptors-a.Descriptors, cmp.Compare(a.Owner.Name(), b.Owner.Name()), cmp.Compare(a.Heaviest.PID, b.Heaviest.PID)) < 0
	})
	return r
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
