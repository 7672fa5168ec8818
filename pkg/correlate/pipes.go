package correlate

import (
	"cmp"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// UsualPipePages are those of a pipe that nobody has changed, PIPE_DEF_BUFFERS.
const UsualPipePages = 16

// pipeRowsOfUser are named of each.
const pipeRowsOfUser = 3

// NodePipes is who holds a node's pipes, against what the kernel grants one user,
// and who waits in one.
type NodePipes struct {
	Node string `json:"node"`
	// Time when the look began, by the node's clock.
	Time *time.Time `json:"time,omitempty"`
	// UserPagesSoft and UserPagesHard are fs.pipe-user-pages-*, 0: no limit; nil: this
	// kernel has none.
	UserPagesSoft *uint64 `json:"userPagesSoft,omitempty"`
	UserPagesHard *uint64 `json:"userPagesHard,omitempty"`
	PageBytes     uint64  `json:"pageBytes"`
	// Users, the fullest first.
	Users []PipeUser `json:"users"`

	By     By             `json:"by"`
	Filter *PipesFiltered `json:"filter,omitempty"`
	Rows   []PipeRow      `json:"rows"`
	// Waits are who waits in a pipe at two looks, LookedSeconds apart: container
	// runtimes' programs first, then the longest.
	Waits []PipeWait `json:"waits"`
	// Programs are the low-level runtimes on the node's disk, looked for where somebody waits.
	Programs      []report.RuntimeProgram `json:"programs,omitempty"`
	LookedSeconds float64                 `json:"lookedSeconds,omitempty"`
	// WaitsLeft were not looked at; of Unread processes the pipes are missing.
	WaitsLeft int `json:"waitsLeft,omitempty"`
	Unread    int `json:"unread,omitempty"`

	Gaps []report.Unreadable `json:"gaps,omitempty"`
}

// PipeCount is a number of pipes with their pages. A pipe whose capacity is not
// known counts with the usual one: then it is Estimated.
type PipeCount struct {
	Pipes     int    `json:"pipes"`
	Pages     uint64 `json:"pages"`
	Estimated bool   `json:"estimated,omitempty"`
	// Small are those with two pages or fewer, by their makers' wish or since their
	// user was over the limit.
	Small int `json:"small,omitempty"`
}

// PipeUser is a user of the host. The root of every container without a user
// namespace of its pod's is one and the same, uid 0.
type PipeUser struct {
	UID  int    `json:"uid"`
	Name string `json:"name"`
	PipeCount
	// Percent is Pages of the soft limit; 0 where there is none.
	Percent float64 `json:"percent"`
	// Rows are the pods and units that hold the most, a few.
	Rows []PipeRow `json:"rows"`
	// Mapped is the range of a user namespace that the UID lies in; nil: the host's.
	Mapped *report.IDRange `json:"mapped,omitempty"`
}

// PipeRow is one owner in the ranking. A pipe that two owners hold counts in both.
type PipeRow struct {
	Owner Owner `json:"owner"`
	PipeCount
	// Percent is Pages of the soft limit.
	Percent   float64 `json:"percent"`
	Container string  `json:"container,omitempty"`
	// Users are the names of those that hold them.
	Users    []string     `json:"users"`
	Heaviest PipeHeaviest `json:"heaviest"`
}

// PipeHeaviest is the process with the most pipes of an owner.
type PipeHeaviest struct {
	PID     int    `json:"pid"`
	Comm    string `json:"comm"`
	Cmdline string `json:"cmdline,omitempty"`
	Pipes   int    `json:"pipes"`
}

// PipesFiltered says what a filter let through.
type PipesFiltered struct {
	Namespace string `json:"namespace,omitempty"`
	Selector  string `json:"selector,omitempty"`
	Matched   int    `json:"matched"` // of Of owners
	Of        int    `json:"of"`
	Pipes     int    `json:"pipes"`
}

// String is the filter as the flags have it.
func (f PipesFiltered) String() string {
	return Filtered{Namespace: f.Namespace, Selector: f.Selector}.String()
}

// PipeOptions say how the answer is to be. The zero value is by pod, unfiltered.
type PipeOptions struct {
	By     By
	Filter Filter
}

// PipeGroupings are what pipes can be ranked by.
func PipeGroupings() []string {
	return []string{string(ByPod), string(ByContainer), string(ByWorkload), string(ByUnit), string(ByUser)}
}

// Pipes ranks owners by their pipes, and says who waits in one.
func (n *Node) Pipes(o PipeOptions) NodePipes {
	p := NodePipes{Node: n.Name(), Time: n.Time(), By: cmp.Or(o.By, ByPod), Gaps: n.Gaps(), Users: []PipeUser{}, Rows: []PipeRow{}, Waits: []PipeWait{}}
	r := n.Report.Pipes
	if r == nil || n.Report.Processes == nil {
		return p
	}
	p.UserPagesSoft, p.UserPagesHard, p.PageBytes = r.UserPagesSoft, r.UserPagesHard, r.PageBytes
	p.LookedSeconds, p.WaitsLeft, p.Unread = float64(r.LookedMillis)/1000, r.Left, r.Unread
	for _, u := range r.Users {
		count := countPipes(u.PipeSum)
		rows, _ := n.pipeRows(&p, ByPod, Filter{}, &u.UID)
		p.Users = append(p.Users, PipeUser{UID: u.UID, Name: n.userName(u.UID), PipeCount: count, Percent: p.percentOfSoft(count.Pages), Rows: rows[:min(pipeRowsOfUser, len(rows))], Mapped: u.Mapped})
	}
	slices.SortStableFunc(p.Users, func(a, b PipeUser) int { return cmp.Compare(b.Pages, a.Pages) })
	p.addRows(n, o.Filter)
	p.Waits = n.pipeWaits()
	if p.Programs = r.Programs; p.Programs == nil && n.Report.Runtime != nil {
		p.Programs = n.Report.Runtime.Programs
	}
	if !o.Filter.empty() {
		p.Waits = slices.DeleteFunc(p.Waits, func(w PipeWait) bool { return !n.Shows(o.Filter, w.Owner) })
	}
	return p
}

func countPipes(s report.PipeSum) PipeCount {
	unknown := max(s.Pipes-s.Known, 0)
	return PipeCount{Pipes: s.Pipes, Pages: s.Pages + uint64(unknown)*UsualPipePages, Estimated: unknown > 0, Small: s.Small}
}

func (p *NodePipes) percentOfSoft(pages uint64) float64 {
	if p.UserPagesSoft == nil || *p.UserPagesSoft == 0 {
		return 0
	}
	return percent(float64(pages), float64(*p.UserPagesSoft))
}

// pipeGroup sums up the holders of a row.
type pipeGroup struct {
	row        PipeRow
	containers map[string]int
	shown      bool
}

func (p *NodePipes) addRows(n *Node, f Filter) {
	var of int
	p.Rows, of = n.pipeRows(p, p.By, f, nil)
	if f.empty() {
		return
	}
	p.Filter = &PipesFiltered{Namespace: f.Namespace, Matched: len(p.Rows), Of: of}
	if f.Selector != nil {
		p.Filter.Selector = f.Selector.String()
	}
	for _, row := range p.Rows {
		p.Filter.Pipes += row.Pipes
	}
}

// pipeRows are the rows that a filter shows, of so many; of one user only, where uid
// is given.
func (n *Node) pipeRows(p *NodePipes, by By, f Filter, uid *int) (rows []PipeRow, of int) {
	groups := map[groupKey]*pipeGroup{}
	for _, h := range n.Report.Pipes.Holders {
		process := n.processes[h.Process]
		if process == nil || uid != nil && *uid != h.UID {
			continue
		}
		exact := n.Blame(process).Owner
		key := n.keyOf(by, process, exact)
		g := groups[key]
		if g == nil {
			g = &pipeGroup{row: PipeRow{Owner: key.owner}, containers: map[string]int{}}
			groups[key] = g
		}
		g.add(h, process, exact, n.userName(h.UID))
		g.shown = g.shown || n.Shows(f, exact)
	}
	rows = make([]PipeRow, 0, len(groups))
	for _, g := range groups {
		if !g.shown {
			continue
		}
		if g.row.Owner.Type == OwnerPod || g.row.Owner.Type == OwnerWorkload {
			g.row.Container = most(g.containers)
		}
		slices.Sort(g.row.Users)
		g.row.Percent = p.percentOfSoft(g.row.Pages)
		rows = append(rows, g.row)
	}
	slices.SortFunc(rows, func(a, b PipeRow) int {
		return cmp.Or(cmp.Compare(b.Pages, a.Pages), b.Pipes-a.Pipes, cmp.Compare(a.Owner.Name(), b.Owner.Name()), cmp.Compare(a.Owner.PodUID, b.Owner.PodUID), cmp.Compare(a.Owner.ContainerID, b.Owner.ContainerID))
	})
	return rows, len(groups)
}

func (g *pipeGroup) add(h report.PipeHolder, p *report.Process, exact Owner, user string) {
	count := countPipes(h.PipeSum)
	g.row.Pipes += count.Pipes
	g.row.Pages += count.Pages
	g.row.Small += count.Small
	g.row.Estimated = g.row.Estimated || count.Estimated
	g.containers[exact.Container] += count.Pipes
	if !slices.Contains(g.row.Users, user) {
		g.row.Users = append(g.row.Users, user)
	}
	if h.Most > g.row.Heaviest.Pipes {
		g.row.Heaviest = PipeHeaviest{PID: p.PID, Comm: p.Comm, Cmdline: p.Cmdline, Pipes: h.Most}
	}
}
