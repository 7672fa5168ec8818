package printer

import (
	"fmt"
	"io"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// Vitals prints what the API server, and the kubelet through it, tell of a node on
// which nothing was run.
func Vitals(w io.Writer, v inventory.VitalsAnswer, s Style) error {
	head := s.bold()(v.Node) + ": by the API server and the kubelet alone"
	if v.Verdict != "" {
		head += ": " + severityPaint(diagnose.Critical, s)(v.Verdict)
	}
	if err := s.printWrapped(w, "", head); err != nil {
		return err
	}
	return facts(w, v.Facts, s)
}

// vitalsSection is Vitals below another answer about the same node.
func vitalsSection(w io.Writer, v *inventory.VitalsAnswer, s Style) error {
	if v == nil {
		return nil
	}
	head := "By the API server and the kubelet"
	if v.Verdict != "" {
		head += ": " + severityPaint(diagnose.Critical, s)(v.Verdict)
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	if err := s.printWrapped(w, "", head); err != nil {
		return err
	}
	return facts(w, v.Facts, s)
}

// facts prints each on a line, those of one source that are in order on one.
func facts(w io.Writer, all []inventory.Fact, s Style) error {
	printed := map[string]bool{}
	for i, f := range all {
		source, text := f.Source, f.Text
		switch {
		case f.Severity != "":
			source = severityPaint(diagnose.Severity(f.Severity), s)(source)
		case printed[f.Source]:
			continue
		default:
			printed[f.Source] = true
			for _, more := range all[i+1:] {
				if more.Severity == "" && more.Source == f.Source {
					text += "; " + more.Text
				}
			}
		}
		if err := s.printWrapped(w, "  ", source+": "+text); err != nil {
			return err
		}
	}
	return nil
}
