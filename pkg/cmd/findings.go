package cmd

import (
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// findings are what all rules say, by the thresholds in force.
func (e env) findings(n *correlate.Node) []diagnose.Finding {
	var limits diagnose.Thresholds
	if e.thresholds != nil {
		limits = e.thresholds.inForce
	}
	return e.userCommands(diagnose.Diagnose(n, limits))
}

// findingsAbout are those whose IDs begin so, as a report may hold more than was asked
// for, and those that explain one of these,
// as far as the filter shows whom they blame.
func (e env) findingsAbout(n *correlate.Node, filter correlate.Filter, prefixes ...string) []diagnose.Finding {
	all := e.findings(n)
	about := func(f diagnose.Finding) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(f.ID, prefix) })
	}
	var causes []string
	for _, f := range all {
		if about(f) {
			causes = append(causes, f.CausedBy...)
		}
	}
	return slices.DeleteFunc(all, func(f diagnose.Finding) bool {
		if f.Subject != nil && !n.Shows(filter, *f.Subject) {
			return true
		}
		return !about(f) && !slices.Contains(causes, f.ID)
	})
}
