// Package compare says what has become of a node between two saved reports: which
// findings are new or resolved, and who has grown. It is pure, as the rules are.
package compare

import (
	"slices"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// NodeState says in which of the two files a node is.
type NodeState string

// States of nodes.
const (
	Both    NodeState = "both"
	Added   NodeState = "added"   // in the newer one only
	Removed NodeState = "removed" // in the older one only
)

// Node is what has become of one node. Nothing that is in one report only is compared:
// what nobody looked at is neither none nor gone, see NotComparable.
type Node struct {
	Node  string    `json:"node"`
	State NodeState `json:"state"`
	// Before and After are the reports' times, by the node's clock; nil: not known.
	Before *time.Time `json:"before,omitempty"`
	After  *time.Time `json:"after,omitempty"`
	// Seconds lie between them; 0 where that is not known, or the clock went backwards.
	Seconds float64 `json:"seconds,omitempty"`
	// Rebooted: the node has been started anew in between, so that all processes are others.
	Rebooted bool `json:"rebooted,omitempty"`

	Findings []Finding `json:"findings"`
	Totals   []Total   `json:"totals"`
	Owners   []Owner   `json:"owners"`
	// NotComparable is what one of the two cannot tell, and why.
	NotComparable []Gap `json:"notComparable,omitempty"`
	// Notes say what may mislead.
	Notes []string `json:"notes,omitempty"`
}

// Gap is something that cannot be compared.
type Gap struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// Options say how owners are told apart, and which thresholds rules have.
type Options struct {
	By     correlate.By
	Limits diagnose.Thresholds
}

// Groupings are what owners can be compared by: what a process id or a container's
// id stands for, another report does not have.
func Groupings() []string {
	return []string{string(correlate.ByPod), string(correlate.ByWorkload), string(correlate.ByUnit)}
}

// Nodes compares nodes by their names, those with the worst news first.
func Nodes(before, after []*correlate.Node, o Options) []Node {
	older := map[string]*correlate.Node{}
	for _, n := range before {
		older[n.Name()] = n
	}
	out, newer := []Node{}, map[string]bool{}
	for _, n := range after {
		newer[n.Name()] = true
		if then := older[n.Name()]; then != nil {
			out = append(out, compareNode(then, n, o))
			continue
		}
		out = append(out, Node{Node: n.Name(), State: Added, After: n.Time(), Findings: []Finding{}, Totals: []Total{}, Owners: []Owner{}})
	}
	for _, n := range before {
		if !newer[n.Name()] {
			newer[n.Name()] = true // once
			out = append(out, Node{Node: n.Name(), State: Removed, Before: n.Time(), Findings: []Finding{}, Totals: []Total{}, Owners: []Owner{}})
		}
	}
	slices.SortStableFunc(out, func(a, b Node) int {
		if d := b.badNews() - a.badNews(); d != 0 {
			return d
		}
		return strings.Compare(a.Node, b.Node)
	})
	return out
}

func compareNode(before, after *correlate.Node, o Options) Node {
	n := Node{Node: after.Name(), State: Both, Before: before.Time(), After: after.Time()}
	then, now := before.Report.Node, after.Report.Node
	n.Rebooted = then.BootID != "" && now.BootID != "" && then.BootID != now.BootID
	if n.Before != nil && n.After != nil {
		n.Seconds = max(0, n.After.Sub(*n.Before).Seconds())
		if n.After.Before(*n.Before) {
			n.Notes = append(n.Notes, "the first report is the newer one by the node's clock: are the files the wrong way round?")
		}
	}
	if a, b := before.Report.Probe.Version, after.Report.Probe.Version; a != b {
		n.Notes = append(n.Notes, "the reports are of different versions, "+quoted(a)+" and "+quoted(b)+": one of them may count what the other did not")
	}
	s := comparableSections(before, after)
	n.NotComparable = s.gaps
	n.Findings = findings(before, after, s, o.Limits)
	n.Totals = totals(before, after, s, n.Seconds)
	n.Owners = owners(before, after, s, o.By, n.span())
	return n
}

// span is what a rate of an owner is over; of none that a reboot has ended.
func (n Node) span() float64 {
	if n.Rebooted {
		return 0
	}
	return n.Seconds
}

func quoted(version string) string {
	if version == "" {
		return "an unknown one"
	}
	return version
}

// badNews orders nodes: critical findings that are new before all else.
func (n Node) badNews() int {
	sum := 0
	for _, f := range n.Findings {
		if f.Change == New || f.Change == Worse {
			sum += weight(f.Severity)
		}
	}
	return sum
}
