package compare

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// Change is what has become of a finding.
type Change string

// Changes, in the order in which they are told.
const (
	New      Change = "new"
	Worse    Change = "worse" // a warning that is critical now
	Better   Change = "better"
	Same     Change = "same"
	Resolved Change = "resolved"
)

// Finding is one of either report: of the newer one where it has it.
type Finding struct {
	Change Change `json:"change"`
	diagnose.Finding
	// Was is its severity before, where that was another.
	Was diagnose.Severity `json:"was,omitempty"`
}

// findingKey tells findings of a node apart in two reports: a rule, and whom it
// blames. What it counts may have changed.
type findingKey struct {
	id    string
	owner correlate.Owner
}

func keyOfFinding(f diagnose.Finding) findingKey {
	k := findingKey{id: f.ID}
	if f.Subject != nil {
		k.owner = lasting(*f.Subject)
	}
	return k
}

// lasting is what of an owner is the same in two reports: what the API server adds
// to its name may be missing from one of them.
func lasting(o correlate.Owner) correlate.Owner {
	o.PodState, o.Static = "", false
	if o.Type == correlate.OwnerPod {
		o.Workload, o.Sandbox = "", false
		if o.Container != "" { // one that has been started again is the same
			o.ContainerID = ""
		}
		if o.PodUID != "" {
			o.Namespace, o.Pod = "", ""
		}
	}
	return o
}

// findings pairs what the rules of this program say of both reports.
func findings(before, after *correlate.Node, s sections, limits diagnose.Thresholds) []Finding {
	then := diagnose.Diagnose(before, limits)
	older := map[findingKey][]diagnose.Finding{}
	for _, f := range then {
		older[keyOfFinding(f)] = append(older[keyOfFinding(f)], f)
	}
	out := []Finding{}
	for _, f := range diagnose.Diagnose(after, limits) {
		k := keyOfFinding(f)
		switch {
		case len(older[k]) > 0:
			out = append(out, paired(older[k][0], f))
			older[k] = older[k][1:]
		case s.comparable(f.ID):
			out = append(out, Finding{Change: New, Finding: f})
		}
	}
	for _, f := range then {
		if k := keyOfFinding(f); len(older[k]) > 0 && s.comparable(f.ID) {
			out = append(out, Finding{Change: Resolved, Finding: f})
			older[k] = older[k][1:]
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return cmp.Compare(a.rank(), b.rank()) })
	return out
}

func paired(before, after diagnose.Finding) Finding {
	f := Finding{Change: Same, Finding: after}
	switch {
	case weight(after.Severity) > weight(before.Severity):
		f.Change, f.Was = Worse, before.Severity
	case weight(after.Severity) < weight(before.Severity):
		f.Change, f.Was = Better, before.Severity
	}
	return f
}

func weight(s diagnose.Severity) int {
	if s == diagnose.Critical {
		return 1000
	}
	return 1
}

// rank orders by what has become of it, and then by severity.
func (f Finding) rank() int {
	order := []Change{New, Worse, Better, Same, Resolved}
	rank := 2 * slices.Index(order, f.Change)
	if f.Severity != diagnose.Critical {
		rank++
	}
	return rank
}
