package printer

import (
	"fmt"
	"io"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
)

// CheckupsPage is Checkups as a document: of several nodes a table, then each that is not
// healthy, the worst first.
func CheckupsPage(nodes []Checkup, s Style) (document.Document, error) {
	nodes = WorstFirst(nodes)
	if len(nodes) == 1 {
		section, err := checkupSection(nodes[0], s)
		return document.Document{Title: "Checkup of " + nodes[0].Node, Sections: []document.Section{section}}, err
	}
	d := document.Document{Title: "Checkup of " + english.Plural(len(nodes), "node", "")}
	rows := make([][]string, 0, len(nodes))
	for _, n := range nodes {
		rows = append(rows, checkupCells(n, s))
	}
	all, err := sectionOf("all nodes", nil, func(w io.Writer) error { return printTable(w, checkupColumns(), rows, 0, s.bold()) })
	d.Sections = append(d.Sections, all)
	for i, n := range nodes {
		if err != nil || s.Top > 0 && i >= s.Top {
			break
		}
		if len(n.Findings) == 0 && len(n.Failed) == 0 {
			continue
		}
		var section document.Section
		section, err = checkupSection(n, s)
		d.Sections = append(d.Sections, section)
	}
	return d, err
}

// checkupSection is what checkup says of a node, and its totals as a table.
func checkupSection(c Checkup, s Style) (document.Section, error) {
	totals := c.Totals
	if c.Health != Healthy { // there they are all that is said
		c.Totals = nil
	}
	section, err := sectionOf(c.Node, c.Time, func(w io.Writer) error { return checkup(w, c, s) })
	if len(totals) == 0 {
		return section, err
	}
	t := &document.Table{Columns: []document.Column{{Title: "TOTAL", Type: document.Text}, {Title: "IS", Type: document.Number}, {Title: "OF", Type: document.Number}, {Title: "USED", Type: document.Number}}}
	for _, total := range totals {
		t.Rows = append(t.Rows, totalCells(total))
	}
	section.Parts = append(section.Parts, document.Part{Title: "The node’s totals", Table: t})
	return section, err
}

func totalCells(t Total) []string {
	amount := commaU
	if t.Unit == "bytes" {
		amount = correlate.Size
	}
	cells := []string{t.Name, amount(t.Value), "", ""}
	if t.Max > 0 {
		cells[2], cells[3] = amount(t.Max), fmt.Sprintf("%.1f%%", 100*float64(t.Value)/float64(t.Max))
	}
	return cells
}

// tree takes symptoms behind their causes, and how deep they are.
func (p *parts) tree(branches []diagnose.Branch, depth int) {
	for _, b := range branches {
		f := b.Finding
		f.CausedBy = b.Others
		list := documentFindings([]diagnose.Finding{f})
		list[0].Depth = depth
		p.section.Findings = append(p.section.Findings, list...)
		p.tree(b.Symptoms, depth+1)
	}
}
