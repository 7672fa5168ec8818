package printer

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/compare"
	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// NodeDiff is what has become of a node between two reports.
type NodeDiff struct {
	compare.Node
	// Volumes is there where both reports have mounts.
	Volumes *MountsDiff `json:"volumes,omitempty"`
}

// Diffs prints what has become of each node, the worst news first.
func Diffs(w io.Writer, nodes []NodeDiff, s Style) error {
	for i, n := range nodes {
		if i > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		for _, part := range []func(io.Writer, NodeDiff, Style) error{diffHead, diffFindings, diffRest} {
			if err := part(w, n, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// diffHead says what has changed at all.
func diffHead(w io.Writer, n NodeDiff, s Style) error {
	name := s.bold()(n.Node.Node)
	switch n.State {
	case compare.Added:
		return s.printWrapped(w, "", name+": in the newer file only")
	case compare.Removed:
		return s.printWrapped(w, "", name+": in the older file only")
	}
	counts := map[compare.Change]int{}
	for _, f := range n.Findings {
		counts[f.Change]++
	}
	var parts []string
	for _, c := range []struct {
		change compare.Change
		text   string
	}{{compare.New, "new"}, {compare.Worse, "worse"}, {compare.Better, "better"}, {compare.Same, "as before"}, {compare.Resolved, "resolved"}} {
		if counts[c.change] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[c.change], c.text))
		}
	}
	text := name + ": no findings in either report, of what both tell"
	switch {
	case len(parts) > 0:
		text = name + ": findings: " + strings.Join(parts, ", ")
	case len(n.Totals) == 0:
		text = name + ": nothing that both reports tell"
	}
	return s.printWrapped(w, "", text+diffSpan(n.Node))
}

// diffSpan is the time between the reports.
func diffSpan(n compare.Node) string {
	text := ""
	if n.Before != nil && n.After != nil {
		text = fmt.Sprintf("; from %s to %s", n.Before.Format(time.RFC3339), n.After.Format(time.RFC3339))
	}
	if n.Seconds > 0 {
		text += ", " + humanSeconds(n.Seconds)
	}
	if n.Rebooted {
		text += ", rebooted in between"
	}
	return text
}

// diffFindings lists all, and tells those in full that are news.
func diffFindings(w io.Writer, n NodeDiff, s Style) error {
	t := tasksSection{most: len(n.Findings), columns: []column{{title: "FINDING"}, {title: "SEVERITY"}, {title: "RULE"}, {title: "WHAT", least: 24}}}
	var news []diagnose.Finding
	for _, f := range n.Findings {
		t.rows = append(t.rows, []string{changeWord(f), string(f.Severity), f.ID, f.Summary})
		if f.Change == compare.New || f.Change == compare.Worse {
			news = append(news, f.Finding)
		}
	}
	// Their number is bounded by that of the rules: --top is for owners.
	all := s
	all.Top = 0
	if err := t.print(w, all); err != nil {
		return err
	}
	return Findings(w, news, s)
}

func changeWord(f compare.Finding) string {
	switch f.Change {
	case compare.Worse, compare.Better:
		return fmt.Sprintf("%s, was %s", f.Change, f.Was)
	case compare.Same:
		return "as before"
	}
	return string(f.Change)
}

// diffRest is what has moved: the node's totals, owners, volumes; and what cannot be
// compared.
func diffRest(w io.Writer, n NodeDiff, s Style) error {
	if n.State != compare.Both {
		return nil
	}
	bounded := s // --top is of each thing
	bounded.Top = 0
	for _, t := range []tasksSection{diffTotals(n.Node), diffOwners(n.Node, "GREW", true, s), diffOwners(n.Node, "SHRANK", false, s)} {
		if err := t.print(w, bounded); err != nil {
			return err
		}
	}
	if v := n.Volumes; v != nil && len(v.Gone)+len(v.New)+len(v.Left) > 0 {
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
		if err := diffTable(w, v, s); err != nil {
			return err
		}
	}
	for _, g := range n.NotComparable {
		if err := s.printWrapped(w, "not compared  ", g.What+": "+g.Why); err != nil {
			return err
		}
	}
	for _, note := range n.Notes {
		if err := s.printWrapped(w, "note          ", note); err != nil {
			return err
		}
	}
	return nil
}

func diffTotals(n compare.Node) tasksSection {
	t := tasksSection{most: len(n.Totals), what: "totals of the node", columns: append([]column{{title: "NODE", least: 12}}, deltaColumns()...)}
	for _, total := range n.Totals {
		t.rows = append(t.rows, append([]string{total.Name}, deltaCells(total.Delta, "unknown")...))
	}
	return t
}

// ownersMoved of each thing are shown, unless --top asks for others.
const ownersMoved = 5

func diffOwners(n compare.Node, title string, grew bool, s Style) tasksSection {
	most := ownersMoved
	switch {
	case s.Top > 0:
		most = s.Top
	case s.Wide:
		most = math.MaxInt
	}
	t := tasksSection{most: math.MaxInt, what: "who " + strings.ToLower(title), columns: append([]column{{title: title, least: 14}, {title: "OWNER", least: 20}}, deltaColumns()...)}
	shown := map[string]int{}
	for _, o := range n.Owners {
		if o.Grew() != grew || shown[o.What] >= most {
			continue
		}
		shown[o.What]++
		none := "gone"
		if o.Before == nil {
			none = "none"
		}
		t.rows = append(t.rows, append([]string{o.What, ownerCell(o.Owner)}, deltaCells(o.Delta, none)...))
	}
	return t
}

func deltaColumns() []column {
	return []column{{title: "BEFORE", right: true}, {title: "NOW", right: true}, {title: "CHANGE", right: true}, {title: "%", right: true, drop: 1}, {title: "PER HOUR", right: true, drop: 2}}
}

// deltaCells: what is not there is none for an owner, and unknown for a total.
func deltaCells(d compare.Delta, none string) []string {
	amount := commaU
	if d.Unit == "bytes" {
		amount = correlate.Size
	}
	of := func(n *uint64) string {
		if n == nil {
			return none
		}
		return amount(*n)
	}
	cells := []string{of(d.Before), of(d.After), "", "", ""}
	if d.Before == nil || d.After == nil {
		return cells
	}
	cells[2] = signed(float64(d.Change), amount)
	if d.Percent != nil && d.Change != 0 {
		cells[3] = fmt.Sprintf("%+.1f%%", *d.Percent)
	}
	if d.PerHour != nil && math.Abs(*d.PerHour) >= 1 {
		cells[4] = signed(*d.PerHour, amount)
	}
	return cells
}

func signed(v float64, amount func(uint64) string) string {
	switch {
	case v < 0:
		return "-" + amount(uint64(min(-v, math.MaxInt64)))
	case v > 0:
		return "+" + amount(uint64(min(v, math.MaxInt64)))
	}
	return "0"
}
