package printer

import (
	"io"

	"github.com/nodedoc/kubectl-nodedoc/pkg/compare"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
)

// DiffPage is Diffs as a document: of findings those that are resolved last.
func DiffPage(nodes []NodeDiff, s Style) (document.Document, error) {
	d := document.Document{Title: "What has changed on " + comma(len(nodes)) + " nodes"}
	if len(nodes) == 1 {
		d.Title = "What has changed on " + nodes[0].Node.Node
	}
	for _, n := range nodes {
		section, err := sectionOf(n.Node.Node, n.After, func(w io.Writer) error {
			if err := diffHead(w, n, s); err != nil {
				return err
			}
			return diffRest(w, n, s)
		})
		if err != nil {
			return d, err
		}
		for _, f := range n.Findings {
			section.Findings = append(section.Findings, documentChange(f))
		}
		d.Sections = append(d.Sections, section)
	}
	return d, nil
}

// documentChange: what is resolved needs no remedy.
func documentChange(f compare.Finding) document.Finding {
	out := documentFindings([]diagnose.Finding{f.Finding})[0]
	out.Mark = changeWord(f)
	if f.Change == compare.Resolved {
		out.Severity, out.Mark, out.Remedy = document.Gone, "was "+string(f.Severity), nil
	}
	return out
}
