package correlate

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxMemoryProcesses = 20
	// Smaller processes are not asked why they run.
	explainedRSS = 64 << 20
)

// memoryProcesses are the largest, of the owners that a filter lets through.
func (n *Node) memoryProcesses(o MemoryOptions) []MemoryProcess {
	list := []MemoryProcess{}
	if n.Report.Processes == nil {
		return list
	}
	var largest []*report.Process
	for i := range n.Report.Processes.List {
		if p := &n.Report.Processes.List[i]; !p.Kernel && p.RSSBytes > 0 && n.Shows(o.Filter, n.Blame(p).Owner) {
			largest = append(largest, p)
		}
	}
	slices.SortStableFunc(largest, func(a, b *report.Process) int {
		if o.Sort == SortGrowth {
			return cmp.Or(cmp.Compare(measured(n.processGrowth(b)), measured(n.processGrowth(a))), cmp.Compare(b.RSSBytes, a.RSSBytes))
		}
		return cmp.Compare(b.RSSBytes, a.RSSBytes)
	})
	for _, p := range largest[:min(len(largest), maxMemoryProcesses)] {
		b := n.Blame(p)
		m := n.memoryProcess(p, b.Owner)
		if isHostOwner(b.Owner) && p.RSSBytes >= explainedRSS {
			m.Background = n.memoryBackground(p, b)
		}
		list = append(list, m)
	}
	return list
}

// memoryProcess is one process with what it has.
func (n *Node) memoryProcess(p *report.Process, o Owner) MemoryProcess {
	m := MemoryProcess{Owner: o, PID: p.PID, Comm: p.Comm, Cmdline: p.Cmdline, RSS: unsigned(p.RSSBytes), Age: n.age(p), PerSecond: n.processGrowth(p)}
	if p.Memory != nil {
		m.PSS, m.Swap, m.ScoreAdj = p.Memory.PSS, unsigned(bytesOr(p.Memory.Swap, 0)), p.Memory.OOMScoreAdj
		m.Misleading = n.misleading(p, o)
	}
	return m
}

// processGrowth is nil for a process that was not there at the first look.
func (n *Node) processGrowth(p *report.Process) *float64 {
	seconds := n.memoryTree().seconds
	if p.Memory == nil || p.Memory.RSSBefore == nil || seconds <= 0 {
		return nil
	}
	rate := float64(p.RSSBytes-bytesOr(p.Memory.RSSBefore, 0)) / seconds
	return &rate
}

// memoryBackground is why a process of the host runs; nil where nothing tells.
func (n *Node) memoryBackground(p *report.Process, b Blame) *Background {
	bg := n.background(p, b)
	if bg.Unit == nil && bg.Timers == nil && bg.Cron == nil && bg.Session == nil && bg.Login == nil && bg.SiblingsTotal == 0 {
		return nil
	}
	return &bg
}
