package debugpod

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

func vitalsOf(ready string) *inventory.Vitals {
	now := time.Now().Unix()
	return &inventory.Vitals{Time: now, State: &inventory.NodeState{Conditions: []inventory.Condition{{Type: "Ready", Status: ready, Since: now - 300, Reason: "KubeletNotReady", Message: "PLEG is not healthy"}}},
		Lease:     &inventory.Lease{Renewed: now - 5, DurationSeconds: 40},
		Settings:  &inventory.KubeletSettings{CgroupDriver: "systemd"},
		Endpoints: []inventory.Endpoint{{Name: "healthz", State: inventory.Answers}, {Name: "runningpods", State: inventory.Late, Error: "no answer within 3s"}, {Name: "stats/summary", State: inventory.Late, Error: "no answer within 3s"}}}
}

// TestVitalsAreTold: what is out of order, and who answers; what is not is left out.
func TestVitalsAreTold(t *testing.T) {
	v := vitalsOf("False")
	got := tellOf(v, v.Verdict(&inventory.OwnPod{TakenUp: true}))
	if !strings.Contains(got.verdict, "the runtime's daemon (containerd") {
		t.Errorf("verdict %q", got.verdict)
	}
	for _, want := range []string{"API server: condition Ready is False for 5m: KubeletNotReady: PLEG is not healthy", "kubelet, healthz: answers (0 ms)", "its shims, by the kubelet's stats/summary: no answer within 3s"} {
		if !slices.Contains(got.lines, want) {
			t.Errorf("%q is not said:\n%s", want, strings.Join(got.lines, "\n"))
		}
	}
	if all := strings.Join(got.lines, "\n"); strings.Contains(all, "lease") || strings.Contains(all, "systemd") {
		t.Errorf("what is in order is told:\n%s", all)
	}
}

// TestVitalsOfAHealthyNode that is merely slow are not worth a word.
func TestVitalsOfAHealthyNode(t *testing.T) {
	v := vitalsOf("True")
	for i := range v.Endpoints {
		v.Endpoints[i].State = inventory.Answers
	}
	if got := tellOf(v, v.Verdict(&inventory.OwnPod{TakenUp: true})); got.verdict != "" || len(got.lines) > 0 {
		t.Errorf("got %+v", got)
	}
}
