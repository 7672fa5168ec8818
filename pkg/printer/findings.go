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
		if err := finding(w, f, s); err != nil {
			return err
		}
	}
	return nil
}

func finding(w io.Writer, f diagnose.Finding, s Style) error {
	severity := s.paint(color.FgYellow, color.Bold)
	if f.Severity == diagnose.Critical {
		severity = s.paint(color.FgRed, color.Bold)
	}
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
	for _, r := range f.Remedy {
		if err := s.printWrapped(w, "  do       ", r); err != nil {
			return err
		}
	}
	return nil
}
