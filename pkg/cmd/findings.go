package cmd

import (
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// findingsAbout are those whose IDs begin so, and those that explain one of these,
// as far as the filter shows whom they blame.
func (e env) findingsAbout(n *correlate.Node, prefix string, filter correlate.Filter) []diagnose.Finding {
	all := e.userCommands(diagnose.Diagnose(n))
	var causes []string
	for _, f := range all {
		if strings.HasPrefix(f.ID, prefix) {
			causes = append(causes, f.CausedBy...)
		}
	}
	return slices.DeleteFunc(all, func(f diagnose.Finding) bool {
		if f.Subject != nil && !n.Shows(filter, *f.Subject) {
			return true
		}
		return !strings.HasPrefix(f.ID, prefix) && !slices.Contains(causes, f.ID)
	})
}
