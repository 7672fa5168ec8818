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
	if p, ok := w.(*parts); ok {
		p.findings(findings)
		return nil
	}
	for _, f := range findings {
		if err := finding(w, f, s); err != nil {
			return err
		}
	}
	return nil
}

func severityPaint(severity diagnose.Severity, s Style) func(string) string {
	if severity == diagnose.Critical {
		return s.paint(color.FgRed, color.Bold)
	}
	return s.paint(color.FgYellow, color.Bold)
}

func finding(w io.Writer, f diagnose.Finding, s Style) error {
	severity := severityPaint(f.Severity, s)
	head := strings.ToUpper(string(f.Severity))
	if _, err := fmt.Fprintf(w, "\n%s %s\n", severity(head), s.dim()(f.ID)); err != nil {
		return err
	}
	if err := s.printWrapped(w, "  ", f.Summary); err != nil {
		return err
	}
	for _, e := range f.Evidence {
		if err := s.printWrapped(w, "  because  ", e); err != nil {
			return err
		}
	}
	if len(f.CausedBy) > 0 {
		if err := s.printWrapped(w, "  cause    ", "see "+strings.Join(f.CausedBy, ", ")); err != nil {
			return err
		}
	}
	for _, step := range f.Remedy {
		if err := remedy(w, step, s); err != nil {
			return err
		}
	}
	return nil
}

// remedy prints a step; its command stands whole on a line, to be copied.
func remedy(w io.Writer, step diagnose.Step, s Style) error {
	if p, ok := w.(*parts); ok {
		p.line("do", step.Do)
		p.run(step.Run)
		return nil
	}
	const prefix = "  do       "
	if step.Run == "" {
		return s.printWrapped(w, prefix, step.Do)
	}
	if err := s.printWrapped(w, prefix, step.Do+":"); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "           "+s.bold()(step.Run))
	return err
}
