package printer

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// page is a document of one of the printers.
type page func(Style) (document.Document, error)

func sickCheckups() []Checkup {
	nodes := []Checkup{
		{Node: "node-1", State: NodeAnswered, Findings: []diagnose.Finding{}},
		{Node: "node-2", State: NodeFailed, Reason: "its pod did not start within 60s"},
		{Node: "node-43", State: NodeAnswered, Findings: append(taskFindings(), sickFindings()...), Failed: []string{"memory: gave up after 30s"},
			Totals: []Total{{Name: "threads", Value: 32_100, Max: 32_768}, {Name: "memory", Value: 30 << 30, Max: 32 << 30, Unit: "bytes"}, {Name: "mounts", Value: 26_522}}},
	}
	for i := range nodes {
		nodes[i].Judge()
	}
	return nodes
}

func pages() map[string]page {
	samples := []report.FileSample{{Allocated: 82_212}, {AtMillis: 1500, Allocated: 92_218}, {AtMillis: 3000, Allocated: 92_224}}
	ranking := sickRanking()
	at := nightBegan
	ranking.Time = &at
	return map[string]page{
		"fd":      func(s Style) (document.Document, error) { return FDPage(ranking, samples, sickFindings(), s) },
		"memory":  func(s Style) (document.Document, error) { return MemoryPage(nightOfIncident(), nightFindings(), s) },
		"tasks":   func(s Style) (document.Document, error) { return TasksPage(sickTasks(), taskFindings(), s) },
		"pipes":   func(s Style) (document.Document, error) { return PipesPage(sickPipes(), nil, s) },
		"runtime": func(s Style) (document.Document, error) { return RuntimePage(sickRuntime(), nil, s) },
		"mounts": func(s Style) (document.Document, error) {
			return MountsPage([]MountsNode{sickMounts("node-43", 12)}, s)
		},
		"mounts-fleet": func(s Style) (document.Document, error) {
			return MountsPage(append(deadNodes(), healthyMounts("node-1"), sickMounts("node-43", 12)), s)
		},
		"leaked": func(s Style) (document.Document, error) {
			return LeakedPage([]MountsNode{sickMounts("node-43", 12)}, s)
		},
		"history": func(s Style) (document.Document, error) { return HistoryPage(recordedNight(), s) },
		"pid":     func(s Style) (document.Document, error) { return FDProcessPage(javaFDs(), nil, s) },
		"whois": func(s Style) (document.Document, error) {
			return WhoisPage("node-43", []correlate.Identity{javaIdentity()}, nil, s)
		},
		"checkup": func(s Style) (document.Document, error) { return CheckupsPage(sickCheckups(), s) },
	}
}

// What a terminal is told stands in a page, too; what a page is, a golden file shows
// as Markdown.
func TestPages(t *testing.T) {
	for name, page := range pages() {
		t.Run(name, func(t *testing.T) {
			d, err := page(Style{})
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if err := document.Markdown(&text, d); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "page-"+name+".md")
			if *update {
				if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if text.String() != string(want) {
				t.Errorf("got\n%s\nwant\n%s", text.String(), want)
			}
		})
	}
}

func TestPagesInHTML(t *testing.T) {
	charts := map[string]int{"fd": 1, "history": 2}
	for name, page := range pages() {
		d, err := page(Style{Wide: true})
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := document.HTML(&text, d); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(text.String(), `<svg class="chart"`); got != charts[name] {
			t.Errorf("%s: %d charts, want %d", name, got, charts[name])
		}
		if strings.Contains(text.String(), "\x1b") {
			t.Errorf("%s has colours of a terminal", name)
		}
	}
}

// A symptom is read behind its cause, also in a page.
func TestCheckupPageHasSymptomsUnderCauses(t *testing.T) {
	d, err := CheckupsPage(sickCheckups(), Style{Wide: true})
	if err != nil || len(d.Sections) != 2 || d.Sections[1].Title != "node-43" {
		t.Fatalf("got %+v, %v", d, err)
	}
	depths := map[string]int{}
	for _, f := range d.Sections[1].Findings {
		depths[f.ID] = f.Depth
	}
	if depths[diagnose.FDNodeLimit] != 1 || depths[diagnose.ExecFIFOs] != 0 {
		t.Errorf("got %v", depths)
	}
}

// A line that rises by less than can be seen is not drawn.
func TestFlatCharts(t *testing.T) {
	ranking := sickRanking()
	ranking.Time = &nightBegan
	for most, drawn := range map[uint64]bool{100_000: false, 100_900: false, 102_000: true} {
		part := filesChart(ranking, []report.FileSample{{Allocated: 100_000}, {AtMillis: 1500, Allocated: 100_000}, {AtMillis: 3000, Allocated: most}})
		if (part.Chart != nil) != drawn {
			t.Errorf("%d: drawn is %v", most, part.Chart != nil)
		}
	}
}
