package printer

import (
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// Findings prints conclusions: who, how we know, what to do. None: nothing.
func Findings(w io.Writer, findings []diagnose.Finding, s Style) error {
	for _, f := range findings {
		if err := finding(w, f, f.CausedBy, "", s); err != nil {
			return err
		}
	}
	return nil
}

// tree prints symptoms below their causes, indented.
func tree(w io.Writer, branches []diagnose.Branch, s Style) error { return treeAt(w, branches, "", s) }

func treeAt(w io.Writer, branches []diagnose.Branch, indent string, s Style) error {
	for _, b := range branches {
		if err := finding(w, b.Finding, b.Others, indent, s); err != nil {
			return err
		}
		if err := treeAt(w, b.Symptoms, indent+symptomIndent, s); err != nil {
			return err
		}
	}
	return nil
}

const symptomIndent = "    "

func severityPaint(severity diagnose.Severity, s Style) func(string) string {
	if severity == diagnose.Critical {
		return s.paint(color.FgRed, color.Bold)
	}
	return s.paint(color.FgYellow, color.Bold)
}

// finding prints one; what is indented is a symptom of what stands above. See are
// others that explain it.
func finding(w io.Writer, f diagnose.Finding, see []string, indent string, s Style) error {
	head := severityPaint(f.Severity, s)(strings.ToUpper(string(f.Severity))) + " " + s.dim()(f.ID)
	if indent != "" {
		head = strings.TrimSuffix(indent, "  ") + "└ " + head
	}
	if _, err := fmt.Fprintf(w, "\n%s\n", head); err != nil {
		return err
	}
	if err := s.printWrapped(w, indent+"  ", f.Summary); err != nil {
		return err
	}
	for _, e := range f.Evidence {
		if err := s.printWrapped(w, indent+"  because  ", e); err != nil {
			return err
		}
	}
	if len(see) > 0 {
		if err := s.printWrapped(w, indent+"  cause    ", "see "+strings.Join(see, ", ")); err != nil {
			return err
		}
	}
	for _, step := range f.Remedy {
		if err := remedy(w, step, indent, s); err != nil {
			return err
		}
	}
	return nil
}

// remedy prints a step; its command stands whole on a line, to be copied.
func remedy(w io.Writer, step diagnose.Step, indent string, s Style) error {
	prefix := indent + "  do       "
	if step.Run == "" {
		return s.printWrapped(w, prefix, step.Do)
	}
	if err := s.printWrapped(w, prefix, step.Do+":"); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, indent+"           "+s.bold()(step.Run))
	return err
}
