package printer

import (
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// Checkup is what all rules say of one node, or why nothing is said. Findings are
// in the rules' order, critical ones first; CausedBy names what explains a symptom.
type Checkup struct {
	Node     string             `json:"node"`
	State    NodeState          `json:"state"`
	Reason   string             `json:"reason,omitempty"` // why there is no answer
	Findings []diagnose.Finding `json:"findings"`
	// Totals are the node's figures that the rules look at first; one that could not
	// be read is absent.
	Totals []Total `json:"totals,omitempty"`
	// Failed are the collectors of which there is nothing, with the reason: what they
	// look after was not checked.
	Failed []string `json:"failed,omitempty"`
}

// Total is one figure of a node.
type Total struct {
	Name  string `json:"name"` // such as "open files"
	Value uint64 `json:"value"`
	// Max is what it may be; 0: there is no limit, or it is not known.
	Max uint64 `json:"max,omitempty"`
	// Unit is "bytes", or "" for a count.
	Unit string `json:"unit,omitempty"`
}
