package correlate

import (
	"cmp"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// HistoryMoment is who had what in one sample, and who had come to it since an
// earlier one.
type HistoryMoment struct {
	Sample int `json:"sample"` // index into Samples
	HistorySample
	// Before is the sample that growth is counted from: the lowest of the minutes
	// before; nil: it is the first.
	Before *HistorySample `json:"before,omitempty"`
	// Growth of the node's total since; 0 where one of the two is not known.
	Growth int64 `json:"growth"`
	// Limit is the node's own: memory, fs.file-max, threads; 0: unknown.
	Limit uint64 `json:"limit,omitempty"`
	// Rows are the owners, those that grew most first.
	Rows []HistoryRow `json:"rows"`
	// Processes are the largest by the metric.
	Processes []HistoryProcess `json:"processes"`
}

// HistoryRow is one owner at a moment.
type HistoryRow struct {
	Owner Owner `json:"owner"`
	HistoryValue
	// Growth of what it is ranked by.
	Growth int64 `json:"growth"`
	// Heaviest is its largest process among those that were noted.
	Heaviest      *HistoryProcess `json:"heaviest,omitempty"`
	FromProcesses bool            `json:"fromProcesses,omitempty"`
}

// HistoryProcess is one process at a moment.
type HistoryProcess struct {
	Owner     Owner      `json:"owner"`
	Container string     `json:"container,omitempty"`
	PID       int        `json:"pid"`
	PPID      int        `json:"ppid,omitempty"`
	Comm      string     `json:"comm"`
	Cmdline   string     `json:"cmdline,omitempty"`
	Started   *time.Time `json:"started,omitempty"`
	RSS       uint64     `json:"rss"`
	FDs       uint64     `json:"fds"`
	Threads   uint64     `json:"threads"`
}

// Of is what it has by a metric.
func (p HistoryProcess) Of(m Metric) uint64 {
	return HistoryValue{Memory: p.RSS, FDs: p.FDs, Tasks: p.Threads}.Of(m)
}

// Total is the node's own number by a metric; nil: it is not known.
func (s HistorySample) Total(m Metric) *uint64 {
	switch m {
	case MetricFD:
		return s.Files
	case MetricTasks:
		return s.Tasks
	}
	return s.Used
}

// sum of what owners had, where the node has no total.
func (h *history) size(i int, m Metric) uint64 {
	if t := h.out.Samples[i].Total(m); t != nil {
		return *t
	}
	v := h.out.Samples[i].Left
	for _, o := range h.samples[i].Owners {
		v.add(o)
	}
	return v.Of(m)
}

// peak is the sample with the most; of equal ones the first, and one moment rather
// than the worst of several.
func (h *history) peak(m Metric) int {
	best := 0
	for i := range h.samples {
		a, b := h.size(i, m), h.size(best, m)
		if a > b || a == b && h.samples[i].Count == 1 && h.samples[best].Count > 1 {
			best = i
		}
	}
	return best
}

// beforeWindow is how far back the begin of a growth is sought.
const beforeWindow = 15 * time.Minute

// before is the lowest sample of the minutes before one, the latest of equals.
func (h *history) before(at int, m Metric) int {
	best := max(at-1, 0)
	for i := at - 1; i >= 0; i-- {
		back := time.Duration(h.samples[at].Uptime-h.samples[i].Uptime) * time.Millisecond
		if back > beforeWindow && i < at-1 {
			break
		}
		if h.size(i, m) < h.size(best, m) {
			best = i
		}
	}
	return best
}

func (h *history) moment(m Metric, at int) HistoryMoment {
	limits := map[Metric]uint64{MetricMemory: h.r.MemTotal, MetricFD: h.r.FileMax, MetricTasks: h.r.TasksMax}
	out := HistoryMoment{Sample: at, HistorySample: h.out.Samples[at], Limit: limits[m], Rows: []HistoryRow{}}
	from := h.before(at, m)
	if from != at {
		out.Before = &h.out.Samples[from]
		out.Growth = int64(h.size(at, m)) - int64(h.size(from, m))
	}
	out.Processes = h.processesAt(at, m)
	for _, s := range h.out.Owners {
		row, there := s.rowAt(at, from, m)
		if !there {
			continue
		}
		for i := range out.Processes {
			if out.Processes[i].Owner == s.Owner {
				row.Heaviest = &out.Processes[i]
				break
			}
		}
		out.Rows = append(out.Rows, row)
	}
	slices.SortStableFunc(out.Rows, func(a, b HistoryRow) int {
		return cmp.Or(cmp.Compare(max(b.Growth, 0), max(a.Growth, 0)), cmp.Compare(b.Of(m), a.Of(m)))
	})
	return out
}

func (s HistorySeries) rowAt(at, from int, m Metric) (row HistoryRow, there bool) {
	row = HistoryRow{Owner: s.Owner, FromProcesses: s.FromProcesses}
	var before uint64
	for _, p := range s.Points {
		if p.Sample == from {
			before = p.Of(m)
		}
		if p.Sample == at {
			row.HistoryValue, there = p.HistoryValue, true
		}
	}
	if from != at {
		row.Growth = int64(row.Of(m)) - int64(before)
	}
	return row, there
}

// processesAt are those of a sample, the largest first.
func (h *history) processesAt(at int, m Metric) []HistoryProcess {
	out := make([]HistoryProcess, 0, len(h.samples[at].Processes))
	boot := h.r.NowMillis - h.r.UptimeMillis
	for _, s := range h.samples[at].Processes {
		p := h.Report.Processes.List[s.Process]
		e := HistoryProcess{Owner: Owner{Type: OwnerUnknown}, PID: p.PID, PPID: p.PPID, Comm: p.Comm, Cmdline: p.Cmdline, RSS: s.RSS, FDs: s.FDs, Threads: s.Threads}
		if p.Cgroup > report.KernelCgroup && p.Cgroup < len(h.owners) {
			e.Owner = h.owners[p.Cgroup]
			e.Container = h.ownerAt(h.places[p.Cgroup], "").Container
		}
		if ticks := h.Report.Node.ClockTicks; ticks > 0 && p.StartTicks > 0 && p.StartTicks < 1<<50 {
			e.Started = new(h.time(boot + int64(p.StartTicks)*1000/int64(ticks)))
		}
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b HistoryProcess) int { return cmp.Or(cmp.Compare(b.Of(m), a.Of(m)), a.PID-b.PID) })
	return out
}
