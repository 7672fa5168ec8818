package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Rule is one function from facts to findings, with the page that explains it.
type Rule struct {
	ID    string
	Title string // one line
	Page
	Thresholds []Threshold
	// find sees what earlier rules found, so that a symptom can name its cause; nil: the
	// findings are of what is known without a report.
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

// Family are the rules about one thing, the first word of their IDs.
type Family struct {
	Name  string
	Rules []Rule
}

// Families are in the order of their first rules.
func Families(rules []Rule) []Family {
	var families []Family
	for _, r := range rules {
		name, _, _ := strings.Cut(r.ID, "-")
		i := slices.IndexFunc(families, func(f Family) bool { return f.Name == name })
		if i < 0 {
			i = len(families)
			families = append(families, Family{Name: name})
		}
		families[i].Rules = append(families[i].Rules, r)
	}
	return families
}

// ComputedTitle is that of the part after which the thresholds come.
const ComputedTitle = "How it is computed"

// Part is a part of a page.
type Part struct {
	Title string
	Texts []string
	// List: its texts are single things, else they are to be read in one go.
	List bool
}

// Parts are those of a page in their order.
func (p Page) Parts() []Part {
	return []Part{
		{Title: "What it means", Texts: []string{p.Means}},
		{Title: ComputedTitle, Texts: p.Computed},
		{Title: "Sources", Texts: p.Source, List: true},
		{Title: "What to do", Texts: p.Do, List: true},
		{Title: "What may fool it", Texts: p.Fooled, List: true},
	}
}

// InForce is the page with the values in force in it; of one that is changed the
// default, too.
func (r Rule) InForce(limits Thresholds) Page {
	pairs := make([]string, 0, 2*len(r.Thresholds))
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
