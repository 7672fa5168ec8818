package printer

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// TestVitals: what is out of order has a line of its own, what is in order one per source.
func TestVitals(t *testing.T) {
	v := inventory.VitalsAnswer{Verdict: "the kubelet does not answer", Vitals: &inventory.Vitals{Node: "node-43"}, Facts: []inventory.Fact{
		{Severity: inventory.FactCritical, Source: "API server", Text: "condition Ready is Unknown for 5m"},
		{Severity: inventory.FactWarning, Source: "API server", Text: "waiting for their containers: 2 other pods"},
		{Source: "API server", Text: "event NodeReady 9m ago"}, {Source: "kubelet, configz", Text: "answers (1 ms)"}, {Source: "API server", Text: "event Starting 10m ago"},
	}}
	var b bytes.Buffer
	if err := Vitals(&b, v, Style{}); err != nil {
		t.Fatal(err)
	}
	const want = `node-43: by the API server and the kubelet alone: the kubelet does not answer
  API server: condition Ready is Unknown for 5m
  API server: waiting for their containers: 2 other pods
  API server: event NodeReady 9m ago; event Starting 10m ago
  kubelet, configz: answers (1 ms)
`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
	r := sickRuntime()
	r.Vitals = &v
	b.Reset()
	if err := Runtime(&b, r, nil, Style{Width: 40, Color: true}); err != nil || !strings.Contains(b.String(), "By the API server and the kubelet") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
