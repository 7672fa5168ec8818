package correlate

import (
	"cmp"
	"math"
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

// FileUsage is fs.file-nr against fs.file-max. systemd sets the limit to
// LONG_MAX, which is none: see Unlimited.
type FileUsage struct {
	Used    uint64  `json:"used"`
	Max     uint64  `json:"max"`
	Percent float64 `json:"percent"`
	// PerSecond is the growth over Seconds; Steady: in no step of it did the
	// number fall, and it rose in most.
	PerSecond float64 `json:"perSecond"`
	Seconds   float64 `json:"seconds"`
	Steady    bool    `json:"steady"`
	// FullInSeconds at that rate; nil where it does not grow.
	FullInSeconds *float64 `json:"fullInSeconds,omitempty"`
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

func percent(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * part / whole
}

// Unlimited says whether the limit is beyond what memory could hold: a file
// takes some 200 bytes of the kernel's.
func (u FileUsage) Unlimited() bool { return u.Max >= 1<<48 }

// Forecast is when the node will be full, where a short sample can tell: it
// rose steadily over a second or more, and the node is half full or has less
// than an hour left. Healthy nodes, too, open files for some seconds in a row.
func (u FileUsage) Forecast() (seconds float64, ok bool) {
	if u.FullInSeconds == nil || !u.Steady || u.Seconds < 1 || u.Unlimited() {
		return 0, false
	}
	return *u.FullInSeconds, u.Percent >= 50 || *u.FullInSeconds < 3600
}

func (n *Node) fileUsage() *FileUsage {
	f := n.Report.OpenFiles
	if f == nil || f.Max == nil || len(f.Samples) == 0 {
		return nil
	}
	first, last := f.Samples[0], f.Samples[len(f.Samples)-1]
	u := &FileUsage{Used: min(last.Allocated, math.MaxInt64), Max: min(*f.Max, math.MaxInt64), Percent: percent(float64(last.Allocated), float64(*f.Max)),
		Seconds: float64(last.AtMillis-first.AtMillis) / 1000}
	if u.Seconds <= 0 {
		return u
	}
	u.PerSecond = (float64(last.Allocated) - float64(first.Allocated)) / u.Seconds
	counts := make([]int, len(f.Samples))
	for i, sample := range f.Samples {
		counts[i] = int(min(sample.Allocated, math.MaxInt64))
	}
	u.Steady = rises(counts)
	if u.PerSecond > 0 && u.Max > u.Used {
		left := float64(u.Max-u.Used) / u.PerSecond
		u.FullInSeconds = &left
	}
	return u
}

// rises tells growth from a passing wave: no step falls, and more than half of
// them rise.
func rises(counts []int) bool {
	up := 0
	for i := 1; i < len(counts); i++ {
		switch {
		case counts[i] < counts[i-1]:
			return false
		case counts[i] > counts[i-1]:
			up++
		}
	}
	return 2*up > len(counts)-1
}
