package printer

import (
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// Findings prints conclusions: who, how we know, what to do; and where there is more
// about them. None: nothing.
func Findings(w io.Writer, findings []diagnose.Finding, s Style) error {
	if err := eachFinding(w, findings, s); err != nil {
		return err
	}
	return explainHint(w, findings, s)
}

func eachFinding(w io.Writer, findings []diagnose.Finding, s Style) error {
	if p, ok := w.(*parts); ok {
		p.findings(findings)
		return nil
	}
	for _, f := range findings {
		if err := finding(w, f, seeAll("see ", f.CausedBy), "", s); err != nil {
			return err
		}
	}
	return nil
}

// explainHint says once, below all findings, where their rules are explained.
func explainHint(w io.Writer, findings []diagnose.Finding, s Style) error {
	if _, document := w.(*parts); document || len(findings) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return s.printWrapped(w, "", s.dim()("how it is computed, and what may fool it: kubectl nodedoc explain "+findings[0].ID))
}

// tree prints symptoms below their causes, indented.
func tree(w io.Writer, branches []diagnose.Branch, s Style) error {
	if p, ok := w.(*parts); ok {
		p.tree(branches, 0)
		return nil
	}
	return treeAt(w, branches, "", s)
}

func treeAt(w io.Writer, branches []diagnose.Branch, indent string, s Style) error {
	for _, b := range branches {
		if err := finding(w, b.Finding, seeAll("also ", b.Others), indent, s); err != nil {
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

// seeAll names findings that explain one.
func seeAll(how string, ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return how + strings.Join(ids, ", ")
}

// finding prints one; what is indented is a symptom of what stands above. Cause is
// what else is said of why.
func finding(w io.Writer, f diagnose.Finding, cause, indent string, s Style) error {
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
	if cause != "" {
		if err := s.printWrapped(w, indent+"  cause    ", cause); err != nil {
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
	if p, ok := w.(*parts); ok {
		p.line("do", step.Do)
		p.run(step.Run)
		return nil
	}
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
