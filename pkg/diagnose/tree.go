package diagnose

import (
	"cmp"
	"slices"
)

// Branch is a finding with those that it explains.
type Branch struct {
	Finding Finding
	// Index of it among all findings.
	Index    int
	Symptoms []Branch
	// Others also explain it, by their IDs: it stands once, under the first.
	Others []string
}

// Tree puts symptoms under their causes: those first that have the worst among
// them. What nothing explains is a root.
func Tree(findings []Finding) []Branch {
	causes := make([]int, len(findings)) // index of each one's cause
	for i := range causes {
		causes[i] = none
	}
	for i := range findings {
		causes[i] = causeOf(i, findings, causes)
	}
	return branches(none, findings, causes)
}

const none = -1

// causeOf is the first that explains a finding. No rule sees a later one's findings,
// so there are no circles; none comes of other findings either.
func causeOf(i int, findings []Finding, causes []int) int {
	for _, id := range findings[i].CausedBy {
		if j := instance(id, findings, findings[i]); j != none && !leads(i, j, causes) {
			return j
		}
	}
	return none
}

// instance is the finding of this ID about the same subject, else about the same pod,
// else the first: a rule may blame several.
func instance(id string, findings []Finding, symptom Finding) int {
	found, best := none, -1
	for j, f := range findings {
		near := 0
		if a, b := f.Subject, symptom.Subject; a != nil && b != nil {
			switch {
			case *a == *b:
				near = 2
			case a.Pod != "" && a.Pod == b.Pod && a.Namespace == b.Namespace:
				near = 1
			}
		}
		if f.ID == id && near > best {
			found, best = j, near
		}
	}
	return found
}

// leads says whether j's causes lead to i.
func leads(i, j int, causes []int) bool {
	for ; j != none; j = causes[j] {
		if j == i {
			return true
		}
	}
	return false
}

func branches(cause int, findings []Finding, causes []int) []Branch {
	var list []Branch
	for i, f := range findings {
		if causes[i] != cause {
			continue
		}
		b := Branch{Finding: f, Index: i, Symptoms: branches(i, findings, causes)}
		if cause != none {
			b.Others = slices.DeleteFunc(slices.Clone(f.CausedBy), func(id string) bool { return id == findings[cause].ID })
		}
		list = append(list, b)
	}
	slices.SortStableFunc(list, func(a, b Branch) int {
		return cmp.Or(cmp.Compare(a.worst(), b.worst()), cmp.Compare(rank(a.Finding.Severity), rank(b.Finding.Severity)))
	})
	return list
}

// worst is the rank of the worst in it.
func (b Branch) worst() int {
	worst := rank(b.Finding.Severity)
	for _, s := range b.Symptoms {
		worst = min(worst, s.worst())
	}
	return worst
}
