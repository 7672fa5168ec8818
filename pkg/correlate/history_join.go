package correlate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// history is what a NodeHistory is made of.
type history struct {
	*Node
	r       *report.Recording
	samples []report.Sample
	owners  []Owner // by cgroup
	summed  map[int]bool
	out     NodeHistory
}

// errNoMoment: the recording does not reach there.
var errNoMoment = errors.New("nothing was recorded then")

// History is what was recorded, with the peak of a metric, or with the moment next
// to around where that is not nil. It fails on samples that are none, and on a time
// that was not recorded.
func (n *Node) History(metric Metric, around *time.Time) (*NodeHistory, error) {
	p, r := n.Report.Processes, n.Report.Recording
	if r == nil || p == nil {
		return nil, errors.New("the report holds no recording: make one with history --save")
	}
	samples, err := report.UnpackSamples(r.Samples, len(p.Cgroups), len(p.List))
	if err != nil {
		return nil, err
	}
	if len(samples) == 0 {
		return nil, errors.New("nothing has been recorded yet")
	}
	h := &history{Node: n, r: r, samples: samples, summed: map[int]bool{}}
	for _, c := range r.FromProcesses {
		h.summed[c] = true
	}
	h.nameOwners()
	h.describe(metric)
	h.series()
	h.kills()
	at := h.peak(metric)
	if around != nil {
		if at, err = h.nearest(*around); err != nil {
			return nil, err
		}
	}
	h.out.Peak = around == nil
	h.out.Moment = h.moment(metric, at)
	return &h.out, nil
}

// nameOwners: a pod is one owner, whichever of its containers it is.
func (h *history) nameOwners() {
	h.owners = make([]Owner, len(h.places))
	for i := range h.places {
		if i == report.KernelCgroup {
			h.owners[i] = Owner{Type: OwnerKernel}
			continue
		}
		o := h.ownerAt(h.places[i], "")
		if o.Type == OwnerPod {
			o.Container, o.ContainerID, o.Sandbox = "", "", false
		}
		h.owners[i] = o
	}
}

// time is a node's word for it: what is no date of this age, JSON does not know.
func (h *history) time(millis int64) time.Time {
	const end = 253402300799000 // the year 9999's
	return time.UnixMilli(min(max(millis, 0), end)).UTC()
}

func (h *history) describe(metric Metric) {
	r, last := h.r, h.samples[len(h.samples)-1]
	h.out = NodeHistory{Node: h.Name(), Metric: metric, Start: h.time(h.samples[0].At), End: h.time(last.At + last.Span),
		EverySeconds: float64(r.EveryMillis) / 1000, Missed: r.Missed, Why: r.LastMiss, Gaps: []HistoryGap{}, OOMKills: []HistoryKill{},
		Recorder: HistoryCost{Version: h.Report.Probe.Version, CPUSeconds: float64(r.CPUMillis) / 1000, ResidentBytes: r.ResidentBytes}}
	if lasted := last.Uptime + last.Span - h.samples[0].Uptime; lasted > 0 {
		h.out.Recorder.CPUPercent = float64(r.CPUMillis) / float64(lasted) * 100
	}
	if !r.Ended {
		h.out.Until = new(h.time(r.StartMillis + r.ForSeconds*1000))
	}
	if first, then := h.samples[0].Totals[report.TotalOOMKills], last.Totals[report.TotalOOMKills]; first >= 0 && then >= first {
		h.out.OOMCount = new(then - first)
	}
	for i := range h.samples {
		s := &h.samples[i]
		h.out.Samples = append(h.out.Samples, h.sample(s))
		if s.Count > 1 {
			h.out.Merged++
			h.out.CoarsestSeconds = max(h.out.CoarsestSeconds, float64(s.Span)/1000)
		}
		if i > 0 {
			h.gap(&h.samples[i-1], s)
		}
	}
}

// gap notes a time without a sample, and a clock that was set. A sample that took
// long, and one that was given up, is no gap.
func (h *history) gap(a, b *report.Sample) {
	const usual = 3 // times the interval, and the longest that one may take
	passed := b.Uptime - a.Uptime - a.Span
	clock := b.At - a.At - a.Span - passed
	g := HistoryGap{From: h.time(a.At + a.Span), To: h.time(b.At), Seconds: float64(passed) / 1000}
	if clock > 5000 || clock < -5000 {
		g.ClockSeconds = float64(clock) / 1000
	}
	if passed > usual*h.r.EveryMillis+30_000 || g.ClockSeconds != 0 {
		h.out.Gaps = append(h.out.Gaps, g)
	}
}

func (h *history) sample(s *report.Sample) HistorySample {
	number := func(t report.Total) *uint64 {
		if v := s.Totals[t]; v >= 0 {
			return new(uint64(v))
		}
		return nil
	}
	hundredth := func(t report.Total) *float64 {
		if v := s.Totals[t]; v >= 0 {
			return new(float64(v) / 100)
		}
		return nil
	}
	out := HistorySample{At: h.time(s.At), Seconds: float64(s.Span) / 1000, Jump: s.Jump,
		Available: number(report.TotalAvailable), Free: number(report.TotalFree), WorkingSet: number(report.TotalWorkingSet),
		Kernel: number(report.TotalKernel), Swap: number(report.TotalSwapUsed), Files: number(report.TotalFiles),
		Tasks: number(report.TotalTasks), ProcessCount: number(report.TotalProcesses), Unread: number(report.TotalUnread),
		Mounts: number(report.TotalMounts), Load: hundredth(report.TotalLoad), Pressure: hundredth(report.TotalPressure),
		OOMKills: number(report.TotalOOMKills)}
	left := cmp.Or(out.Available, out.Free)
	if left != nil && *left <= h.r.MemTotal {
		out.Used = new(h.r.MemTotal - *left)
	}
	out.Left.add(s.Left)
	return out
}

// series sums up the cgroups of each owner, sample by sample.
func (h *history) series() {
	at := map[Owner]int{}
	for i := range h.samples {
		for _, o := range h.samples[i].Owners {
			owner := h.owners[o.Cgroup]
			k, known := at[owner]
			if !known {
				k = len(h.out.Owners)
				at[owner] = k
				h.out.Owners = append(h.out.Owners, HistorySeries{Owner: owner})
			}
			s := &h.out.Owners[k]
			s.FromProcesses = s.FromProcesses || h.summed[o.Cgroup]
			if last := len(s.Points) - 1; last < 0 || s.Points[last].Sample != i {
				s.Points = append(s.Points, HistoryPoint{Sample: i})
			}
			s.Points[len(s.Points)-1].add(o)
		}
	}
	most := func(s HistorySeries) (most uint64) {
		for _, p := range s.Points {
			most = max(most, p.Of(h.out.Metric))
		}
		return most
	}
	slices.SortStableFunc(h.out.Owners, func(a, b HistorySeries) int { return cmp.Compare(most(b), most(a)) })
}

// kills are those of the log that the recorder has kept.
func (h *history) kills() {
	if h.Report.OOM == nil {
		return
	}
	boot := h.r.NowMillis - h.r.UptimeMillis
	for _, k := range h.Report.OOM.Kills {
		if k.At == nil || !(*k.At >= 0 && *k.At < 1e10) {
			continue
		}
		at := h.time(boot + int64(*k.At*1000))
		h.out.OOMKills = append(h.out.OOMKills, HistoryKill{At: at, Owner: h.ownerAt(h.parsePath(k.Cgroup), k.Comm), Kill: k})
	}
}

// nearest is the sample next to a time.
func (h *history) nearest(t time.Time) (int, error) {
	best, distance := 0, time.Duration(1<<62)
	for i, s := range h.out.Samples {
		end := s.At.Add(time.Duration(s.Seconds * float64(time.Second)))
		d := max(s.At.Sub(t), t.Sub(end), 0)
		if d < distance {
			best, distance = i, d
		}
	}
	if limit := max(time.Minute, 2*time.Duration(h.r.EveryMillis)*time.Millisecond); distance > limit {
		const form = time.RFC3339
		return 0, fmt.Errorf("%w: %s is %s away from the next sample; recorded is %s to %s", errNoMoment, t.UTC().Format(form),
			distance.Round(time.Second), h.out.Start.Format(form), h.out.End.Format(form))
	}
	return best, nil
}
