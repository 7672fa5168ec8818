package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

func findThreshold(name string) (Threshold, error) {
	all := AllThresholds()
	i := slices.IndexFunc(all, func(t Threshold) bool { return t.Name == name })
	if i >= 0 {
		return all[i], nil
	}
	names := make([]string, 0, len(all))
	for _, t := range all {
		names = append(names, t.Name)
	}
	return Threshold{}, fmt.Errorf("no threshold is called %q: %s`kubectl nodedoc explain` lists the rules, and explain RULE those of a rule", name, perhaps(name, names))
}

// FindRule is the rule with this ID, or the only one whose ID begins so.
func FindRule(id string) (Rule, error) {
	var found []Rule
	ids := []string{}
	for _, r := range Rules() {
		if r.ID == id {
			return r, nil
		}
		if ids = append(ids, r.ID); id != "" && strings.HasPrefix(r.ID, id) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Rule{}, fmt.Errorf("no rule is called %q: %s`kubectl nodedoc explain` lists all", id, perhaps(id, ids))
	}
	ids = ids[:0]
	for _, r := range found {
		ids = append(ids, r.ID)
	}
	return Rule{}, fmt.Errorf("more than one rule begins with %q: %s", id, strings.Join(ids, ", "))
}

// perhaps names what is meant by a name that is mistyped; "" where none is near.
func perhaps(name string, names []string) string {
	nearest, least := "", len(name)/2+1
	for _, candidate := range names {
		if d := levenshtein.ComputeDistance(name, candidate); d < least {
			nearest, least = candidate, d
		}
	}
	if nearest == "" {
		return ""
	}
	return "did you mean " + nearest + "? "
}
