package printer

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// unit is what a column of the metric is called.
func (p historyPrinter) unit() string {
	return map[correlate.Metric]string{correlate.MetricMemory: "MEMORY", correlate.MetricFD: "DESCRIPTORS", correlate.MetricTasks: "THREADS"}[p.h.Metric]
}

// rows are the owners at the moment, those that grew most first.
func (p historyPrinter) rows() error {
	m := p.h.Moment
	out := tasksSection{most: max(p.s.Top, 1), what: "owners", columns: []column{{title: p.unit(), right: true}, {title: "GROWTH", right: true}, {title: "OWNER", least: 20},
		{title: "WORKLOAD", least: 10, drop: 1}, {title: "LARGEST", least: 12, drop: 2}}}
	for _, row := range m.Rows {
		if row.Of(p.h.Metric) == 0 && row.Growth == 0 {
			continue
		}
		growth, largest := "", ""
		if m.Before != nil && row.Growth != 0 {
			growth = p.grown(row.Growth)
		}
		if e := row.Heaviest; e != nil {
			largest = fmt.Sprintf("%s %d %s", p.amount(e.Of(p.h.Metric)), e.PID, command(e.Comm, e.Cmdline, p.s))
		}
		out.rows = append(out.rows, []string{p.amount(row.Of(p.h.Metric)), growth, ownerCell(row.Owner), row.Owner.Workload, largest})
	}
	if left := m.Left.Of(p.h.Metric); left > 0 {
		out.rows = append(out.rows, []string{p.amount(left), "", "(others, too many to keep)", "", ""})
	}
	return out.print(p.w, p.s)
}

// processes are the largest at the moment.
func (p historyPrinter) processes() error {
	out := tasksSection{most: 8, what: "processes", columns: []column{{title: p.unit(), right: true}, {title: "PID", right: true}, {title: "STARTED", drop: 1},
		{title: "OWNER", least: 16}, {title: "CONTAINER", least: 9, drop: 2}, {title: "COMMAND", least: 16}}}
	for _, e := range p.h.Moment.Processes {
		if e.Of(p.h.Metric) == 0 {
			continue
		}
		started, line := "", e.Comm
		if e.Started != nil {
			started = e.Started.In(p.zone).Format("01-02 15:04:05")
		}
		if e.Cmdline != "" {
			line = e.Cmdline
		}
		out.rows = append(out.rows, []string{p.amount(e.Of(p.h.Metric)), fmt.Sprint(e.PID), started, ownerCell(e.Owner), e.Container, shorten(line, 80)})
	}
	return out.print(p.w, p.s)
}

// series draws each owner over the whole time.
func (p historyPrinter) series() error {
	slots := 24
	if p.s.Width == 0 || p.s.Width >= 120 || p.s.Wide {
		slots = 48
	}
	out := tasksSection{most: 10, what: "owners", columns: []column{{title: "OWNER", least: 18}, {title: "OVER TIME"}, {title: "MOST", right: true}, {title: "AT"}}}
	node := make([]uint64, len(p.h.Samples))
	known := true
	for i, s := range p.h.Samples {
		if t := s.Total(p.h.Metric); t != nil {
			node[i] = *t
		} else {
			known = false
		}
	}
	if known {
		out.rows = append(out.rows, p.drawn("(the whole node)", node, slots))
	}
	for _, s := range p.h.Owners {
		values := make([]uint64, len(p.h.Samples))
		for _, point := range s.Points {
			values[point.Sample] = point.Of(p.h.Metric)
		}
		if row := p.drawn(ownerCell(s.Owner), values, slots); row != nil {
			out.rows = append(out.rows, row)
		}
	}
	return out.print(p.w, p.s)
}

// drawn is a row of the most in each slot of the time; nil: it never had anything.
func (p historyPrinter) drawn(name string, values []uint64, slots int) []string {
	start, span := p.h.Start, p.h.End.Sub(p.h.Start)
	slot := func(i int) int {
		if span <= 0 {
			return 0
		}
		return min(slots-1, max(0, int(float64(p.h.Samples[i].At.Sub(start))/float64(span)*float64(slots))))
	}
	slots = min(slots, len(values))
	line := make([]float64, slots)
	for i := range line {
		line[i] = -1
	}
	most, at := uint64(0), 0
	for i, v := range values {
		line[slot(i)] = max(line[slot(i)], float64(v))
		if v > most {
			most, at = v, i
		}
	}
	if most == 0 {
		return nil
	}
	for i := 1; i < slots; i++ { // between two samples it is as it was
		if line[i] < 0 && !p.inGap(start.Add(time.Duration(float64(span)*(float64(i)+0.5)/float64(slots)))) {
			line[i] = line[i-1]
		}
	}
	return []string{name, sparkline(line, float64(most)), p.amount(most), p.at(p.h.Samples[at].At)}
}

func (p historyPrinter) inGap(t time.Time) bool {
	for _, g := range p.h.Gaps {
		if t.After(g.From) && t.Before(g.To) {
			return true
		}
	}
	return false
}

// kills are those of the kernel's OOM killer while it recorded.
func (p historyPrinter) kills() error {
	out := tasksSection{most: 10, what: "OOM kills", columns: []column{{title: "OOM KILL"}, {title: "PID", right: true}, {title: "VICTIM", least: 10}, {title: "RESIDENT", right: true},
		{title: "OWNER", least: 18}, {title: "NO MEMORY IN", least: 10}}}
	for _, k := range p.h.OOMKills {
		resident, size := uint64(0), ""
		for _, part := range []*uint64{k.Kill.AnonRSS, k.Kill.FileRSS, k.Kill.ShmemRSS} {
			if part != nil {
				resident, size = resident+*part, "?"
			}
		}
		if size != "" {
			size = correlate.Size(resident)
		}
		out.rows = append(out.rows, []string{p.at(k.At), fmt.Sprint(k.Kill.PID), k.Kill.Comm, size, ownerCell(k.Owner), k.Kill.Constraint})
	}
	if err := out.print(p.w, p.s); err != nil {
		return err
	}
	if n := p.h.OOMCount; n != nil && *n > int64(len(p.h.OOMKills)) {
		return p.line("note     ", fmt.Sprintf("the kernel has killed %s for memory meanwhile, %d of them are told above", humanize.Comma(*n), len(p.h.OOMKills)))
	}
	return nil
}
