package inventory

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize/english"
)

// factPods are named of those that are stuck.
const factPods = 3

// stuckFacts are pods whose containers are not made, or that do not go.
func (v *Vitals) stuckFacts() (facts []Fact) {
	const source = "API server"
	if v.PodsError != "" {
		return []Fact{{"", source, "the node's pods: " + v.PodsError}}
	}
	for _, kind := range []struct {
		terminating bool
		what        string
	}{{false, "waiting for their containers"}, {true, "past their grace, and still there"}} {
		if text := v.stuckText(kind.terminating); text != "" {
			facts = append(facts, Fact{FactWarning, source, kind.what + ": " + text})
		}
	}
	for _, p := range v.Stuck {
		if p.Event != nil {
			facts = append(facts, Fact{FactWarning, source, fmt.Sprintf("pod %s/%s: %s", p.Namespace, p.Name, v.eventText(*p.Event))})
		}
	}
	return facts
}

func (v *Vitals) stuckText(terminating bool) string {
	var names []string
	for _, p := range v.Stuck {
		if p.Terminating != terminating {
			continue
		}
		name := p.Namespace + "/" + p.Name + v.since(p.Since)
		if p.Why != "" {
			name += " (" + p.Why + ")"
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return ""
	}
	text := english.Plural(len(names), "other pod", "") + ", " + strings.Join(names[:min(len(names), factPods)], ", ")
	if more := len(names) - factPods; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
