package correlate

import (
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Filter picks the pods that a ranking shows. The zero value picks everything,
// the host's own processes included.
type Filter struct {
	Namespace string
	Selector  labels.Selector // nil: any labels
}

// Filtered says what a filter let through.
type Filtered struct {
	Namespace string `json:"namespace,omitempty"`
	Selector  string `json:"selector,omitempty"`
	// Matched of Of owners, of which Descriptors are held.
	Matched     int `json:"matched"`
	Of          int `json:"of"`
	Descriptors int `json:"descriptors"`
}

func (f Filter) empty() bool { return f.Namespace == "" && f.Selector == nil }

// Shows says whether a filter lets an owner through.
func (n *Node) Shows(f Filter, o Owner) bool { return f.empty() || f.matches(n, o) }

// matches: a namespace is told by the node's files, too; labels by the API only,
// so that a pod which it does not know has none that could match.
func (f Filter) matches(n *Node, o Owner) bool {
	if f.Namespace != "" && o.Namespace != f.Namespace {
		return false
	}
	if f.Selector == nil {
		return true
	}
	pod := n.podByUID[o.PodUID]
	return o.Type == OwnerPod && pod != nil && f.Selector.Matches(labels.Set(pod.Labels))
}

// ownerCount counts the owners that a filter lets through. Ranked by kind or
// user, an owner is a pod or a part of the host.
type ownerCount struct {
	n      *Node
	by     By
	filter Filter
	all    map[groupKey]bool // whether it matches
	held   int
}

func newOwnerCount(n *Node, by By, f Filter) *ownerCount {
	if by == ByKind || by == ByUser {
		by = ByPod
	}
	return &ownerCount{n: n, by: by, filter: f, all: map[groupKey]bool{}}
}

func (c *ownerCount) matches(p *report.Process, exact Owner) bool {
	if c.filter.empty() {
		return true
	}
	ok, key := c.filter.matches(c.n, exact), c.n.keyOf(c.by, p, exact)
	c.all[key] = c.all[key] || ok
	if ok {
		c.held += p.FDs.Count
	}
	return ok
}

func (c *ownerCount) result() *Filtered {
	if c.filter.empty() {
		return nil
	}
	f := &Filtered{Namespace: c.filter.Namespace, Of: len(c.all), Descriptors: c.held}
	if c.filter.Selector != nil {
		f.Selector = c.filter.Selector.String()
	}
	for _, ok := range c.all {
		if ok {
			f.Matched++
		}
	}
	return f
}

// String is the filter as the flags have it.
func (f Filtered) String() string {
	var flags []string
	if f.Namespace != "" {
		flags = append(flags, "-n "+f.Namespace)
	}
	if f.Selector != "" {
		flags = append(flags, "-l "+f.Selector)
	}
	return strings.Join(flags, " ")
}
