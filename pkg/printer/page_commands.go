package printer

import (
	"fmt"
	"io"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// FDPage is FD as a document.
func FDPage(r correlate.FDRanking, samples []report.FileSample, findings []diagnose.Finding, s Style) (document.Document, error) {
	return pageOf("File descriptors of "+r.Node, r.Node, r.Time, func(w io.Writer) error { return FD(w, r, findings, s) },
		barsOf("Descriptors by owner", r.Rows, func(row correlate.FDRow) document.Bar {
			return document.Bar{Label: rowOwner(row), Value: float64(row.Descriptors), Shown: withRate(comma(row.Descriptors), rate(row.PerSecond))}
		}), filesChart(r, samples))
}

// filesChart is the node's open files over the samples of one look.
func filesChart(r correlate.FDRanking, samples []report.FileSample) document.Part {
	if r.Time == nil || len(samples) < 3 || flat(samples) {
		return document.Part{}
	}
	c := &document.Chart{Series: []document.Series{{Name: "open files"}}}
	if r.Files != nil && !r.Files.Unlimited() {
		c.Max = float64(r.Files.Max)
	}
	for _, sample := range samples {
		c.Series[0].Points = append(c.Series[0].Points, document.Point{At: after(*r.Time, sample.AtMillis), Value: float64(sample.Allocated)})
	}
	return document.Part{Title: "Open files of the node while it was looked at", Chart: c}
}

// flat: a line within a hundredth of its height shows nothing.
func flat(samples []report.FileSample) bool {
	least, most := samples[0].Allocated, samples[0].Allocated
	for _, s := range samples {
		least, most = min(least, s.Allocated), max(most, s.Allocated)
	}
	return most-least < most/100
}

// FDProcessPage is FDProcess as a document.
func FDProcessPage(a correlate.ProcessFDs, findings []diagnose.Finding, s Style) (document.Document, error) {
	return pageOf(fmt.Sprintf("Descriptors of process %d on %s", a.Process.PID, a.Node), a.Node, nil, func(w io.Writer) error { return FDProcess(w, a, findings, s) },
		barsOf("Descriptors by kind", a.Kinds, func(k report.Counted) document.Bar {
			return document.Bar{Label: k.Name, Value: float64(k.Count), Shown: comma(k.Count)}
		}))
}

// MemoryPage is Memory as a document.
func MemoryPage(m correlate.NodeMemory, findings []diagnose.Finding, s Style) (document.Document, error) {
	return pageOf("Memory of "+m.Node, m.Node, m.Time, func(w io.Writer) error { return Memory(w, m, findings, s) },
		barsOf("Memory by owner", m.Rows, func(row correlate.MemoryRow) document.Bar {
			return document.Bar{Label: ownerCell(row.Owner), Value: float64(row.WorkingSet), Shown: withRate(correlate.Size(row.WorkingSet), growthCell(row.PerSecond, m.Seconds))}
		}))
}

// TasksPage is Tasks as a document.
func TasksPage(t correlate.NodeTasks, findings []diagnose.Finding, s Style) (document.Document, error) {
	return pageOf("Processes and threads of "+t.Node, t.Node, t.Time, func(w io.Writer) error { return Tasks(w, t, findings, s) },
		barsOf("Threads by owner", t.Rows, func(row correlate.TaskRow) document.Bar {
			return document.Bar{Label: ownerCell(row.Owner), Value: float64(row.Tasks), Shown: comma(row.Tasks)}
		}))
}

// PipesPage is Pipes as a document.
func PipesPage(p correlate.NodePipes, findings []diagnose.Finding, s Style) (document.Document, error) {
	return pageOf("Pipes of "+p.Node, p.Node, p.Time, func(w io.Writer) error { return Pipes(w, p, findings, s) },
		barsOf("Pages of pipes by owner", p.Rows, func(row correlate.PipeRow) document.Bar {
			return document.Bar{Label: ownerCell(row.Owner), Value: float64(row.Pages), Shown: pagesCell(row.PipeCount) + " pages"}
		}))
}

// RuntimePage is Runtime as a document.
func RuntimePage(r correlate.NodeRuntime, findings []diagnose.Finding, s Style) (document.Document, error) {
	return pageOf("Container runtime of "+r.Node, r.Node, r.Time, func(w io.Writer) error { return Runtime(w, r, findings, s) })
}

// KubeletPage is Kubelet as a document.
func KubeletPage(k correlate.NodeKubelet, findings []diagnose.Finding, s Style) (document.Document, error) {
	return pageOf("Kubelet of "+k.Node, k.Node, k.Time, func(w io.Writer) error { return Kubelet(w, k, findings, s) })
}

// WhoisPage is Whois as a document, a section for each process.
func WhoisPage(node string, list []correlate.Identity, gaps []report.Unreadable, s Style) (document.Document, error) {
	d := document.Document{Title: english.Plural(len(list), "process", "processes") + " of " + node}
	if len(list) == 1 {
		d.Title = fmt.Sprintf("Process %d of %s", list[0].Asked, node)
	}
	for i := range list {
		missing := gaps
		if i < len(list)-1 { // they are of all
			missing = nil
		}
		section, err := sectionOf(fmt.Sprintf("%d %s", list[i].Asked, list[i].Comm), nil, func(w io.Writer) error { return Whois(w, node, list[i:i+1], missing, s) })
		if err != nil {
			return d, err
		}
		d.Sections = append(d.Sections, section)
	}
	return d, nil
}

// ProcessesPage is Processes as a document.
func ProcessesPage(node string, rows []correlate.ProcessRow, notes []string, gaps []report.Unreadable, s Style) (document.Document, error) {
	return pageOf("Processes of "+node, node, nil, func(w io.Writer) error { return Processes(w, rows, notes, gaps, s) })
}
