package printer

import (
	"cmp"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// Checkup is what all rules say of one node, or why nothing is said. Findings are
// in the rules' order, critical ones first; CausedBy names what explains a symptom.
type Checkup struct {
	Node string `json:"node"`
	// Time when the look began, by the node's clock.
	Time     *time.Time         `json:"time,omitempty"`
	State    NodeState          `json:"state"`
	Reason   string             `json:"reason,omitempty"` // why there is no answer
	Health   Health             `json:"health"`
	Findings []diagnose.Finding `json:"findings"`
	// RootCauses are the indexes of those findings that no other explains, the one
	// with the worst symptoms first.
	RootCauses []int `json:"rootCauses"`
	// Totals are the node's figures that the rules look at first; one that could not
	// be read is absent.
	Totals []Total `json:"totals,omitempty"`
	// Failed are the collectors of which there is nothing, and what the API server was
	// asked in vain, with the reason: what they look after was not checked.
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

// Health is what a checkup comes to.
type Health string

// Healths, the worst first. What was not checked is not healthy.
const (
	HealthCritical Health = "critical"
	HealthWarning  Health = "warning"
	// HealthUnknown: there is no answer of the node.
	HealthUnknown Health = "unknown"
	// HealthIncomplete: nothing was found, and not all was checked.
	HealthIncomplete Health = "incomplete"
	Healthy          Health = "healthy"
)

// Judge fills in what follows from the rest.
func (c *Checkup) Judge() {
	c.RootCauses = []int{}
	for _, b := range diagnose.Tree(c.Findings) {
		c.RootCauses = append(c.RootCauses, b.Index)
	}
	switch {
	case c.count(diagnose.Critical) > 0:
		c.Health = HealthCritical
	case len(c.Findings) > 0:
		c.Health = HealthWarning
	case c.State != NodeAnswered:
		c.Health = HealthUnknown
	case len(c.Failed) > 0:
		c.Health = HealthIncomplete
	default:
		c.Health = Healthy
	}
}

func (c *Checkup) count(severity diagnose.Severity) int {
	n := 0
	for _, f := range c.Findings {
		if f.Severity == severity {
			n++
		}
	}
	return n
}

// WorstFirst orders nodes: by health, by the number of findings, by name.
func WorstFirst(nodes []Checkup) []Checkup {
	healths := []Health{HealthCritical, HealthWarning, HealthUnknown, HealthIncomplete, Healthy}
	rank := func(c Checkup) int {
		if c.State == NodeSkipped { // nobody has asked for it
			return len(healths)
		}
		return slices.Index(healths, c.Health)
	}
	nodes = slices.Clone(nodes)
	slices.SortStableFunc(nodes, func(a, b Checkup) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), b.count(diagnose.Critical)-a.count(diagnose.Critical), len(b.Findings)-len(a.Findings), cmp.Compare(a.Node, b.Node))
	})
	return nodes
}
