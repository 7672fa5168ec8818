package printer

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
)

// CheckupPage is what all rules say of nodes as a document, the worst node first.
func CheckupPage(nodes []Checkup) document.Document {
	d := document.Document{Title: "Checkup of " + english.Plural(len(nodes), "node", "")}
	if len(nodes) == 1 {
		d.Title = "Checkup of " + nodes[0].Node
	}
	nodes = slices.Clone(nodes)
	slices.SortStableFunc(nodes, func(a, b Checkup) int { return cmp.Compare(badness(b), badness(a)) })
	for _, n := range nodes {
		d.Sections = append(d.Sections, checkupSection(n))
	}
	return d
}

// badness counts critical findings before all warnings; no answer comes before health.
func badness(c Checkup) int {
	sum := 0
	if c.State != NodeAnswered {
		sum = 1
	}
	for _, f := range c.Findings {
		if f.Severity == diagnose.Critical {
			sum += 1000
		} else {
			sum += 2
		}
	}
	return sum
}

func checkupSection(c Checkup) document.Section {
	s := document.Section{Title: c.Node, Findings: documentFindings(c.Findings)}
	switch {
	case c.State != NodeAnswered:
		s.Summary = "no answer: " + cmp.Or(c.Reason, string(c.State))
		return s
	case len(c.Findings) == 0 && len(c.Failed) == 0:
		s.Summary = "healthy: no rule found anything"
	case len(c.Findings) == 0:
		s.Summary = "nothing found, but not all was checked"
	default:
		s.Summary = english.Plural(len(c.Findings), "finding", "")
	}
	if len(c.Totals) > 0 {
		t := &document.Table{Columns: []document.Column{{Title: "TOTAL", Type: document.Text}, {Title: "IS", Type: document.Number}, {Title: "OF", Type: document.Number}, {Title: "USED", Type: document.Number}}}
		for _, total := range c.Totals {
			t.Rows = append(t.Rows, totalCells(total))
		}
		s.Parts = append(s.Parts, document.Part{Title: "The node’s totals", Table: t})
	}
	if len(c.Failed) > 0 {
		part := document.Part{Title: "Not checked"}
		for _, f := range c.Failed {
			part.Lines = append(part.Lines, document.Line{Text: f})
		}
		s.Parts = append(s.Parts, part)
	}
	return s
}

func totalCells(t Total) []string {
	amount := commaU
	if t.Unit == "bytes" {
		amount = size
	}
	cells := []string{t.Name, amount(t.Value), "", ""}
	if t.Max > 0 {
		cells[2], cells[3] = amount(t.Max), fmt.Sprintf("%.1f%%", 100*float64(t.Value)/float64(t.Max))
	}
	return cells
}
