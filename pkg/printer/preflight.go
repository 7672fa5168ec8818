package printer

import (
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Preflight is what a user's access comes to.
type Preflight struct {
	// OK: some node, or the one that was asked for, can be examined.
	OK      bool   `json:"ok"`
	Verdict string `json:"verdict"`
	// Next are the steps where it is not OK, or not all of it.
	Next []string `json:"next,omitempty"`
	// Facts were asked for, in their order.
	Facts  []Fact           `json:"facts"`
	Notes  []string         `json:"notes,omitempty"`
	Rights []PreflightRight `json:"rights"`
}

// Fact is one thing that was found, about the server, a node or the pod.
type Fact struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// PreflightRight is what some command needs, and whether the user has it.
type PreflightRight struct {
	Verbs     []string `json:"verbs"`
	Resources []string `json:"resources"`
	Group     string   `json:"group,omitempty"`
	Namespace string   `json:"namespace,omitempty"` // absent: all of them, or the thing has none
	Required  bool     `json:"required"`
	// Granted is absent where it could not be asked; then Unknown is why.
	Granted *bool    `json:"granted,omitempty"`
	Missing []string `json:"missing,omitempty"`
	Unknown string   `json:"unknown,omitempty"`
	Without string   `json:"without"` // what is lost without it
}

// PrintPreflight prints the verdict, the next step, what was found, and each right.
func PrintPreflight(w io.Writer, p Preflight, s Style) error {
	paint := s.paint(color.FgGreen, color.Bold)
	if !p.OK {
		paint = s.paint(color.FgRed, color.Bold)
	}
	if _, err := fmt.Fprintln(w, paint(report.Clean(p.Verdict))); err != nil {
		return err
	}
	lines := make([]Fact, 0, len(p.Next)+len(p.Facts)+len(p.Notes))
	for _, text := range p.Next {
		lines = append(lines, Fact{"next", text})
	}
	lines = append(lines, p.Facts...)
	for _, text := range p.Notes {
		lines = append(lines, Fact{"note", text})
	}
	for _, r := range p.Rights {
		lines = append(lines, r.lost()...)
	}
	width := 0
	for _, f := range lines {
		width = max(width, len(f.Name))
	}
	for _, f := range lines {
		if err := s.printWrapped(w, fmt.Sprintf("  %-*s  ", width, f.Name), report.Clean(f.Text)); err != nil {
			return err
		}
	}
	return printRights(w, p.Rights, s)
}

// printRights prints a table where all of it fits, as what is cut off of a right's name or
// of what it is for is just what is looked for; else each right in lines of its own.
func printRights(w io.Writer, rights []PreflightRight, s Style) error {
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	columns := []column{{title: "YOU MAY"}, {title: "RIGHT"}, {title: "IN"}, {title: "WITHOUT IT"}}
	rows := make([][]string, 0, len(rights))
	for _, r := range rights {
		row := []string{r.answer(), r.name(), r.Namespace, r.Without}
		if r.Required {
			row[3] = "required: " + r.Without
		}
		for i := range row {
			row[i] = report.Clean(row[i])
		}
		rows = append(rows, row)
	}
	width := s.tableWidth()
	if width == 0 || newTable(columns, rows).total() <= width {
		return printTable(w, columns, rows, 0, s.bold())
	}
	return listRights(w, rows, s)
}

func listRights(w io.Writer, rows [][]string, s Style) error {
	const title = "YOU MAY"
	answers := len(title)
	for _, row := range rows {
		answers = max(answers, len(row[0]))
	}
	if _, err := fmt.Fprintln(w, s.bold()(fmt.Sprintf("%-*s  RIGHT, AND WHAT IS LOST WITHOUT IT", answers, title))); err != nil {
		return err
	}
	for _, row := range rows {
		right := row[1]
		if row[2] != "" {
			right += " in " + row[2]
		}
		if err := s.printWrapped(w, fmt.Sprintf("%-*s  ", answers, row[0]), right); err != nil {
			return err
		}
		if err := s.printWrapped(w, strings.Repeat(" ", answers+4), row[3]); err != nil {
			return err
		}
	}
	return nil
}

// lost is told before all rights of what the user may not do.
func (r PreflightRight) lost() []Fact {
	where := ""
	if r.Namespace != "" {
		where = " in " + r.Namespace
	}
	switch {
	case r.Granted == nil:
		return []Fact{{"unknown", r.name() + where + ": " + r.Unknown}}
	case *r.Granted:
		return nil
	}
	return []Fact{{"missing", strings.Join(r.Missing, ", ") + where + ": without it " + r.Without}}
}

func (r PreflightRight) answer() string {
	switch {
	case r.Granted == nil:
		return "unknown"
	case *r.Granted:
		return "yes"
	case len(r.Missing) < len(r.Verbs)*len(r.Resources):
		return "not " + strings.Join(r.Missing, ", ")
	}
	return "no"
}

// name is as kubectl create role takes it, e.g. "get,list replicasets.apps".
func (r PreflightRight) name() string {
	resources := make([]string, len(r.Resources))
	for i, resource := range r.Resources {
		if resources[i] = resource; r.Group != "" {
			resources[i] += "." + r.Group
		}
	}
	return strings.Join(r.Verbs, ",") + " " + strings.Join(resources, ",")
}
