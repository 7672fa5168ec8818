package diagnose

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// shape of a tree: "a(b(c)+d) e", with "+d" for what else explains one.
func shape(branches []Branch) string {
	var all []string
	for _, b := range branches {
		text := b.Finding.ID
		for _, other := range b.Others {
			text += "+" + other
		}
		if len(b.Symptoms) > 0 {
			text += "(" + shape(b.Symptoms) + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func found(id string, severity Severity, causes ...string) Finding {
	return Finding{ID: id, Severity: severity, CausedBy: causes}
}

func TestTree(t *testing.T) {
	for name, c := range map[string]struct {
		findings []Finding
		want     string
	}{
		"none":             {nil, ""},
		"no causes":        {[]Finding{found("a", Critical), found("b", Warning)}, "a b"},
		"a symptom first":  {[]Finding{found("b", Critical, "a"), found("a", Warning)}, "a(b)"},
		"two deep":         {[]Finding{found("a", Warning), found("b", Warning, "a"), found("c", Warning, "b")}, "a(b(c))"},
		"of several":       {[]Finding{found("a", Warning), found("b", Warning), found("c", Warning, "b", "a")}, "a b(c+a)"},
		"cause not there":  {[]Finding{found("a", Warning, "gone")}, "a"},
		"itself":           {[]Finding{found("a", Warning, "a")}, "a"},
		"a circle":         {[]Finding{found("a", Warning, "b"), found("b", Warning, "a")}, "b(a)"},
		"a circle of 3":    {[]Finding{found("a", Warning, "b"), found("b", Warning, "c"), found("c", Warning, "a")}, "c(b(a))"},
		"worst symptom up": {[]Finding{found("x", Warning), found("a", Warning), found("b", Critical, "a")}, "a(b) x"},
		"critical itself":  {[]Finding{found("a", Warning), found("b", Critical, "a"), found("x", Critical)}, "x a(b)"},
		"symptoms' order":  {[]Finding{found("a", Warning), found("b", Warning, "a"), found("c", Critical, "a")}, "a(c b)"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := shape(Tree(c.findings)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// A rule may blame several pods: a symptom stands under the cause of its own.
func TestTreeOfManySubjects(t *testing.T) {
	about := func(f Finding, pod, container string) Finding {
		f.Subject = &correlate.Owner{Type: correlate.OwnerPod, Namespace: "prod", Pod: pod, Container: container}
		return f
	}
	findings := []Finding{about(found("cause", Warning), "a", "x"), about(found("cause", Warning), "b", "x"), about(found("cause", Warning), "b", "y"),
		about(found("pod's", Warning, "cause"), "b", ""), about(found("container's", Warning, "cause"), "b", "y"), found("node's", Warning, "cause"), about(found("other's", Warning, "cause"), "c", "")}
	var got []string
	for _, b := range Tree(findings) {
		got = append(got, fmt.Sprintf("%s/%s(%s)", b.Finding.Subject.Pod, b.Finding.Subject.Container, shape(b.Symptoms)))
	}
	if want := "a/x(node's other's) b/x(pod's) b/y(container's)"; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, " "), want)
	}
}

// FuzzTree: each finding stands in it once, whatever explains what.
func FuzzTree(f *testing.F) {
	f.Add([]byte{0, 1, 1, 2, 2, 0})
	f.Add([]byte{3, 3, 0, 0})
	f.Fuzz(func(t *testing.T, causes []byte) {
		const rules = 8
		findings := make([]Finding, 0, len(causes)/2)
		for i := 0; i+1 < len(causes) && i < 200; i += 2 {
			findings = append(findings, found(fmt.Sprint(i/2%rules), Warning, fmt.Sprint(causes[i]%rules), fmt.Sprint(causes[i+1]%rules)))
		}
		seen := map[int]bool{}
		var walk func([]Branch)
		walk = func(branches []Branch) {
			for _, b := range branches {
				if seen[b.Index] {
					t.Fatalf("finding %d stands twice", b.Index)
				}
				seen[b.Index] = true
				walk(b.Symptoms)
			}
		}
		if walk(Tree(findings)); len(seen) != len(findings) {
			t.Fatalf("%d of %d findings", len(seen), len(findings))
		}
	})
}
