package printer

import (
	"bytes"
	"strings"
	"testing"
)

func TestPreflight(t *testing.T) {
	p := Preflight{Verdict: "you can use nodedoc on node worker-1, by a pod in namespace ops", OK: true,
		Facts: []Fact{{"node", "worker-1: not ready: \x1b[2J"}},
		Rights: []PreflightRight{
			{Verbs: []string{"create", "get"}, Resources: []string{"pods"}, Namespace: "ops", Required: true, Granted: new(true), Without: "no pod"},
			{Verbs: []string{"list", "watch"}, Resources: []string{"events"}, Namespace: "ops", Granted: new(false), Missing: []string{"watch events"}, Without: "a word less"},
			{Verbs: []string{"get"}, Group: "apps", Resources: []string{"replicasets"}, Unknown: "no answer", Without: "no Deployment"},
		}}
	var b bytes.Buffer
	if err := PrintPreflight(&b, p, Style{Width: 100}); err != nil {
		t.Fatal(err)
	}
	want := `you can use nodedoc on node worker-1, by a pod in namespace ops
  node     worker-1: not ready: \x1b[2J
  missing  watch events in ops: without it a word less
  unknown  get replicasets.apps: no answer

YOU MAY           RIGHT                 IN   WITHOUT IT
yes               create,get pods       ops  required: no pod
not watch events  list,watch events     ops  a word less
unknown           get replicasets.apps       no Deployment
`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
	for line := range strings.Lines(b.String()) {
		if cells(strings.TrimSuffix(line, "\n")) > 100 {
			t.Errorf("too wide: %q", line)
		}
	}
}

// Where the table does not fit, nothing of it is cut off: what a right is called, and for
// what it is, is what somebody copies into a request.
func TestPreflightNarrow(t *testing.T) {
	rights := []PreflightRight{
		{Verbs: []string{"list"}, Group: "storage.k8s.io", Resources: []string{"volumeattachments"}, Granted: new(true), Without: "whether a volume is attached is unknown, and so is more"},
		{Verbs: []string{"get"}, Resources: []string{"pods"}, Namespace: "ops", Required: true, Granted: new(true), Without: "no pod"},
	}
	for width, want := range map[int]string{
		60: `YOU MAY  RIGHT, AND WHAT IS LOST WITHOUT IT
yes      list volumeattachments.storage.k8s.io
           whether a volume is attached is unknown, and so
           is more
yes      get pods in ops
           required: no pod
`,
		0: `YOU MAY  RIGHT                                  IN   WITHOUT IT
yes      list volumeattachments.storage.k8s.io       whether a volume is attached is unknown, and so is more
yes      get pods                               ops  required: no pod
`,
	} {
		var b bytes.Buffer
		if err := PrintPreflight(&b, Preflight{Verdict: "you can", Rights: rights}, Style{Width: width}); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimPrefix(b.String(), "you can\n\n"); got != want {
			t.Errorf("%d columns: got\n%s\nwant\n%s", width, got, want)
		}
	}
}
