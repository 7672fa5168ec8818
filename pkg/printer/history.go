package printer

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// History prints what a recorder has seen: the peak, who made it, each owner over
// time.
func History(w io.Writer, h *correlate.NodeHistory, s Style) error {
	p := historyPrinter{w: w, h: h, s: s, zone: time.UTC}
	if h.Zone != nil {
		p.zone = h.Zone
	}
	for _, step := range []func() error{p.head, p.gaps, p.moment, p.rows, p.processes, p.series, p.kills} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

type historyPrinter struct {
	w    io.Writer
	h    *correlate.NodeHistory
	s    Style
	zone *time.Location
}

func (p historyPrinter) line(prefix, text string) error { return p.s.printWrapped(p.w, prefix, text) }

// at is a time; with the day where the recording spans more than one.
func (p historyPrinter) at(t time.Time) string {
	start, end := p.h.Start.In(p.zone), p.h.End.In(p.zone)
	if start.Format(time.DateOnly) == end.Format(time.DateOnly) {
		return t.In(p.zone).Format(time.TimeOnly)
	}
	return t.In(p.zone).Format("01-02 15:04:05")
}

func (p historyPrinter) head() error {
	h := p.h
	lasted := h.End.Sub(h.Start)
	text := fmt.Sprintf("%s: recorded %s, from %s to %s %s, every %s", p.s.bold()(h.Node), humanSeconds(lasted.Seconds()),
		h.Start.In(p.zone).Format("2006-01-02 15:04:05"), p.at(h.End), h.End.In(p.zone).Format("MST"), humanSeconds(h.EverySeconds))
	jumps := 0
	for _, sample := range h.Samples {
		if sample.Jump {
			jumps++
		}
	}
	text += ", " + english.Plural(len(h.Samples), "sample", "")
	if jumps > 0 {
		text += fmt.Sprintf(", %s of them because the node's totals jumped", humanize.Comma(int64(jumps)))
	}
	if h.Until != nil {
		text += "; goes on until " + h.Until.In(p.zone).Format("2006-01-02 15:04")
	} else {
		text += "; it has ended"
	}
	if err := p.line("", text); err != nil {
		return err
	}
	cost := fmt.Sprintf("recording took %.1fs of CPU, %.2f %% of one core", h.Recorder.CPUSeconds, h.Recorder.CPUPercent)
	if n := h.Recorder.ResidentBytes; n > 0 {
		cost += ", and " + correlate.Size(n) + " of memory"
	}
	return p.line("", p.s.dim()(cost))
}

func (p historyPrinter) gaps() error {
	h := p.h
	if h.Merged > 0 {
		if err := p.line("coarser  ", fmt.Sprintf("%s of older times stand for several moments, up to %s, and hold the most that each owner had in them",
			english.Plural(h.Merged, "sample", ""), humanSeconds(h.CoarsestSeconds))); err != nil {
			return err
		}
	}
	const most = 5
	for _, g := range h.Gaps[:min(most, len(h.Gaps))] {
		text := fmt.Sprintf("nothing recorded from %s to %s (%s): the node slept, or could not be read", p.at(g.From), p.at(g.To), humanSeconds(g.Seconds))
		if g.ClockSeconds != 0 {
			text = fmt.Sprintf("the node's clock was set by %+.0fs between %s and %s", g.ClockSeconds, p.at(g.From), p.at(g.To))
		}
		if err := p.line("gap      ", text); err != nil {
			return err
		}
	}
	if left := len(h.Gaps) - most; left > 0 {
		if err := p.line("gap      ", fmt.Sprintf("… and %d more", left)); err != nil {
			return err
		}
	}
	if h.Missed == 0 {
		return nil
	}
	text := english.Plural(h.Missed, "sample", "") + " did not come about"
	if h.Why != "" {
		text += ": " + h.Why
	}
	return p.line("missed   ", text)
}

// amount is a number by the metric, with its unit where it has one.
func (p historyPrinter) amount(n uint64) string {
	if p.h.Metric == correlate.MetricMemory {
		return correlate.Size(n)
	}
	return commaU(n)
}

func (p historyPrinter) grown(n int64) string {
	if n < 0 {
		return "-" + p.amount(uint64(-n))
	}
	return "+" + p.amount(uint64(n))
}

// total is the node's number against its limit.
func (p historyPrinter) total(m correlate.HistoryMoment) string {
	what := map[correlate.Metric]string{correlate.MetricFD: " open files", correlate.MetricTasks: " threads"}[p.h.Metric]
	t := m.Total(p.h.Metric)
	if t == nil {
		return "the node's total is not known"
	}
	text := p.amount(*t) + what
	if m.Limit > 0 {
		text = fmt.Sprintf("%s of %s%s (%.1f %%)", p.amount(*t), p.amount(m.Limit), what, float64(*t)/float64(m.Limit)*100)
	}
	if p.h.Metric == correlate.MetricMemory {
		text += " used"
	}
	return text
}

// moment says how the node was then, and who had come to it.
func (p historyPrinter) moment() error {
	h, m := p.h, p.h.Moment
	name := "at"
	if h.Peak {
		name = "peak of " + string(h.Metric) + " at"
	}
	when := p.at(m.At)
	if m.Seconds > 0 {
		when += fmt.Sprintf(" (the most within %s)", humanSeconds(m.Seconds))
	}
	if err := p.line("\n", fmt.Sprintf("%s %s: %s", name, p.s.bold()(when), p.s.bold()(p.total(m)))); err != nil {
		return err
	}
	if others := p.totals(m); len(others) > 0 {
		if err := p.line("  ", strings.Join(others, ", ")); err != nil {
			return err
		}
	}
	if m.Before == nil || m.Growth <= 0 {
		return nil
	}
	text := fmt.Sprintf("%s since %s", p.grown(m.Growth), p.at(m.Before.At))
	switch share := p.topShare(m); {
	case share < 0.1: // of what the kernel has there is no owner, nor of what another node on this machine has
		text += "; no owner that was seen here accounts for it"
	default:
		top := m.Rows[0]
		text += fmt.Sprintf(": %s by %s", p.grown(top.Growth), p.s.bold()(ownerCell(top.Owner)))
		if top.Heaviest != nil {
			text += fmt.Sprintf(", %s of process %d %s", p.amount(top.Heaviest.Of(h.Metric)), top.Heaviest.PID, top.Heaviest.Comm)
		}
	}
	return p.line("  ", text)
}

// topShare is what the first row has of the growth.
func (p historyPrinter) topShare(m correlate.HistoryMoment) float64 {
	if len(m.Rows) == 0 {
		return 0
	}
	return float64(m.Rows[0].Growth) / float64(m.Growth)
}

// totals are the node's other numbers at a moment.
func (p historyPrinter) totals(m correlate.HistoryMoment) []string {
	var all []string
	add := func(n *uint64, form func(uint64) string, what string) {
		if n != nil {
			all = append(all, form(*n)+" "+what)
		}
	}
	if p.h.Metric != correlate.MetricMemory {
		add(m.Used, correlate.Size, "of memory used")
	}
	add(m.Available, correlate.Size, "available")
	add(m.WorkingSet, correlate.Size, "working set")
	add(m.Kernel, correlate.Size, "the kernel's own")
	if m.Swap != nil && *m.Swap > 0 {
		add(m.Swap, correlate.Size, "swapped")
	}
	if p.h.Metric != correlate.MetricFD {
		add(m.Files, commaU, "open files")
	}
	if p.h.Metric != correlate.MetricTasks {
		add(m.Tasks, commaU, "threads")
	}
	add(m.ProcessCount, commaU, "processes")
	add(m.Mounts, commaU, "mounts")
	if m.Load != nil {
		all = append(all, fmt.Sprintf("load %.2f", *m.Load))
	}
	if m.Pressure != nil {
		all = append(all, fmt.Sprintf("memory pressure %.2f %%", *m.Pressure))
	}
	if m.Unread != nil && *m.Unread > 0 {
		add(m.Unread, commaU, "processes that gave no answer")
	}
	return all
}
