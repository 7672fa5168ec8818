package printer

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/fatih/color"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// Checkups prints what was found on nodes, the worst first: of several a table, then
// the details of those that are not healthy, of so many as the style's Top says.
func Checkups(w io.Writer, nodes []Checkup, s Style) error {
	nodes = WorstFirst(nodes)
	if len(nodes) == 1 {
		if err := checkup(w, nodes[0], s); err != nil {
			return err
		}
		return explainHint(w, nodes[0].firstTold(), s)
	}
	rows := make([][]string, 0, len(nodes))
	for _, n := range nodes {
		rows = append(rows, checkupCells(n, s))
	}
	if err := printTable(w, checkupColumns(), rows, s.tableWidth(), s.bold()); err != nil {
		return err
	}
	told, err := checkupDetails(w, nodes, s)
	if err != nil {
		return err
	}
	return explainHint(w, told, s)
}

// checkupDetails tells of the first of those that are not healthy, and returns the
// findings that it begins with.
func checkupDetails(w io.Writer, nodes []Checkup, s Style) (told []diagnose.Finding, err error) {
	shown, more := 0, 0
	for _, n := range nodes {
		if len(n.Findings) == 0 && len(n.Failed) == 0 {
			continue
		}
		if s.Top > 0 && shown == s.Top {
			more++
			continue
		}
		shown++
		if _, err := fmt.Fprintln(w); err != nil {
			return nil, err
		}
		if err := checkup(w, n, s); err != nil {
			return nil, err
		}
		told = append(told, n.firstTold()...)
	}
	if more == 0 {
		return told, nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return nil, err
	}
	text := fmt.Sprintf("… and %s to tell of: --top 0 shows all, kubectl nodedoc checkup NODE one", english.Plural(more, "more node", ""))
	return told, s.printWrapped(w, "", s.dim()(text))
}

// firstTold is the finding that the details begin with; none: nil.
func (c Checkup) firstTold() []diagnose.Finding {
	if branches := diagnose.Tree(c.Findings); len(branches) > 0 {
		return []diagnose.Finding{branches[0].Finding}
	}
	return nil
}

func checkupColumns() []column {
	return []column{
		{title: "NODE", least: 12},
		{title: "STATE"},
		{title: "CRITICAL", right: true, drop: 2},
		{title: "WARNINGS", right: true, drop: 1},
		{title: "FILES", right: true},
		{title: "THREADS", right: true},
		{title: "MEMORY", right: true},
		{title: "FIRST CAUSE", least: 20},
	}
}

// checkupCells: a healthy node has its figures in place of a cause.
func checkupCells(c Checkup, s Style) []string {
	cells := []string{c.Node, checkupState(c), countCell(c.count(diagnose.Critical)), countCell(len(c.Findings) - c.count(diagnose.Critical))}
	for _, name := range []string{TotalOpenFiles, TotalThreads, TotalMemory} {
		share := ""
		if s.Wide {
			share = totalPercent(c.Totals, name)
		}
		cells = append(cells, share)
	}
	return append(cells, firstCause(c))
}

func checkupState(c Checkup) string {
	switch c.State {
	case NodeAnswered:
		return string(c.Health)
	case NodeFailed:
		return "no answer"
	}
	return string(c.State)
}

// firstCause is what matters most of a node, in a line.
func firstCause(c Checkup) string {
	switch {
	case c.State != NodeAnswered:
		return cmp.Or(c.Reason, string(c.State))
	case len(c.RootCauses) > 0:
		return c.Findings[c.RootCauses[0]].Summary
	case len(c.Failed) > 0:
		return "not checked: " + strings.Join(c.Failed, "; ")
	}
	return totalsShort(c.Totals)
}

// checkup prints one node: a healthy one in a line, unless that is too long.
func checkup(w io.Writer, c Checkup, s Style) error {
	if c.Health == Healthy {
		text := s.bold()(c.Node) + " is " + s.paint(color.FgGreen)("healthy")
		if totals := totalsText(c.Totals); totals != "" {
			text += ": " + totals
		}
		return s.printWrapped(w, "", text)
	}
	head := s.bold()(c.Node)
	switch counts := findingCounts(c, s); {
	case c.State != NodeAnswered:
		head += ": " + strings.Join(nonEmpty(checkupState(c), counts), ", ")
	case counts != "":
		head += ": " + counts
	default:
		head += ": nothing found, and not all was checked"
	}
	if err := s.printWrapped(w, "", head); err != nil {
		return err
	}
	if c.State != NodeAnswered && c.Reason != "" {
		if err := s.printWrapped(w, "  reason   ", c.Reason); err != nil {
			return err
		}
	}
	if totals := totalsText(c.Totals); totals != "" {
		if err := s.printWrapped(w, "  ", totals); err != nil {
			return err
		}
	}
	for _, f := range c.Failed {
		if err := s.printWrapped(w, "  "+s.paint(color.FgYellow)("not checked")+"  ", f); err != nil {
			return err
		}
	}
	return tree(w, diagnose.Tree(c.Findings), s)
}

func findingCounts(c Checkup, s Style) string {
	var parts []string
	if n := c.count(diagnose.Critical); n > 0 {
		parts = append(parts, severityPaint(diagnose.Critical, s)(fmt.Sprintf("%s critical", comma(n))))
	}
	if n := c.count(diagnose.Warning); n > 0 {
		parts = append(parts, severityPaint(diagnose.Warning, s)(english.Plural(n, "warning", "")))
	}
	return strings.Join(parts, ", ")
}

func nonEmpty(texts ...string) []string {
	var kept []string
	for _, t := range texts {
		if t != "" {
			kept = append(kept, t)
		}
	}
	return kept
}
