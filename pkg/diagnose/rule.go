package diagnose

import (
	"fmt"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Rule is one function from facts to findings, with the page that explains it.
type Rule struct {
	ID    string
	Title string // one line
	Page
	Thresholds []Threshold
	// find sees what earlier rules found, so that a symptom can name its cause.
	find func(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding
}

// Page says what a rule's findings are worth. A threshold of the rule stands in it as
// "{name}", without the rule's ID.
type Page struct {
	Means    string   // what it means
	Computed []string // how it is computed
	Source   []string // where the kernel or the kubelet says so, and what is read
	Do       []string // what to do
	Fooled   []string // what may fool it
}

// Family is what a rule is about, the first word of its ID.
func (r Rule) Family() string {
	family, _, _ := strings.Cut(r.ID, "-")
	return family
}

// InForce is the page with the values in force in it; of one that is changed the
// default, too.
func (r Rule) InForce(limits Thresholds) Page {
	var pairs []string
	for _, of := range r.Thresholds {
		text := of.Unit.Text(limits.In(of))
		if limits.Changed(of) {
			text += " (by default " + of.Unit.Text(of.Default) + ")"
		}
		pairs = append(pairs, "{"+strings.TrimPrefix(of.Name, r.ID+".")+"}", text)
	}
	replacer := strings.NewReplacer(pairs...)
	all := func(texts []string) []string {
		replaced := make([]string, 0, len(texts))
		for _, text := range texts {
			replaced = append(replaced, replacer.Replace(text))
		}
		return replaced
	}
	return Page{replacer.Replace(r.Means), all(r.Computed), all(r.Source), all(r.Do), all(r.Fooled)}
}

// changedOf says which of a rule's thresholds are not the defaults, for whoever
// wonders at a finding, or at what it is called.
func (t Thresholds) changedOf(r Rule) (lines []string) {
	for _, of := range r.Thresholds {
		if t.Changed(of) {
			lines = append(lines, fmt.Sprintf("threshold %s is %s here, by default %s", of.Name, of.Unit.Format(t.In(of)), of.Unit.Format(of.Default)))
		}
	}
	return lines
}
