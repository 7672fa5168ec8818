package printer

import (
	"io"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
)

// ownersDrawn over time: more lines nobody tells apart.
const ownersDrawn = 5

// HistoryPage is History as a document.
func HistoryPage(h *correlate.NodeHistory, s Style) (document.Document, error) {
	node, owners := historyCharts(h)
	return pageOf("History of "+h.Node+": "+string(h.Metric), h.Node, &h.End, func(w io.Writer) error { return History(w, h, s) }, node, owners)
}

// historyCharts draw the whole node, and the first owners.
func historyCharts(h *correlate.NodeHistory) (node, owners document.Part) {
	unit := ""
	if h.Metric == correlate.MetricMemory {
		unit = "bytes"
	}
	whole := document.Series{Name: "the whole node"}
	for i, sample := range h.Samples {
		if t := sample.Total(h.Metric); t != nil {
			whole.Points = append(whole.Points, document.Point{At: sample.At, Value: float64(*t), Gap: i > 0 && gapBetween(h, h.Samples[i-1].At, sample.At)})
		}
	}
	name := "asked for, "
	if h.Peak {
		name = "peak, "
	}
	chart := document.Chart{Unit: unit, Zone: h.Zone, Marks: []document.Mark{{At: h.Moment.At, Name: name}}}
	total := chart
	total.Max, total.Series = float64(h.Moment.Limit), []document.Series{whole}
	for _, k := range h.OOMKills {
		if len(total.Marks) < 5 {
			total.Marks = append(total.Marks, document.Mark{At: k.At, Name: "OOM kill of " + k.Kill.Comm + ","})
		}
	}
	for _, o := range h.Owners[:min(len(h.Owners), ownersDrawn)] {
		chart.Series = append(chart.Series, ownerSeries(h, o))
	}
	title := map[correlate.Metric]string{correlate.MetricMemory: "Memory used", correlate.MetricFD: "Open files", correlate.MetricTasks: "Threads"}[h.Metric]
	return document.Part{Title: title + ", the whole node", Chart: &total}, document.Part{Title: title + ", by owner", Chart: &chart}
}

// ownerSeries: in a sample without it an owner had nothing.
func ownerSeries(h *correlate.NodeHistory, o correlate.HistorySeries) document.Series {
	values := make([]uint64, len(h.Samples))
	for _, p := range o.Points {
		values[p.Sample] = p.Of(h.Metric)
	}
	s := document.Series{Name: ownerCell(o.Owner)}
	for i, sample := range h.Samples {
		s.Points = append(s.Points, document.Point{At: sample.At, Value: float64(values[i]), Gap: i > 0 && gapBetween(h, h.Samples[i-1].At, sample.At)})
	}
	return s
}

func gapBetween(h *correlate.NodeHistory, from, to time.Time) bool {
	for _, g := range h.Gaps {
		if !g.From.Before(from) && !g.To.After(to) {
			return true
		}
	}
	return false
}

// after is so many milliseconds later.
func after(t time.Time, millis int64) time.Time {
	return t.Add(time.Duration(millis) * time.Millisecond)
}
