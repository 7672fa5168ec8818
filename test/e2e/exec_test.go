//go:build e2e

package e2e

import (
	"strconv"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// TestRealExecSessionsThatHang: the pipes are held by containerd and the shim,
// both the host's; the container that is exec'd into is to be named.
func TestRealExecSessionsThatHang(t *testing.T) {
	const sessions = 105
	namespace(t, "shop")
	if _, err := cluster.Pod(t.Context(), "shop", "probed", incidents.PodSpec(node,
		incidents.Container("main", "/actor", "hold", "5"), incidents.Container("other", "/actor", "hold", "5"))); err != nil {
		t.Fatal(err)
	}
	for range sessions {
		startExec(t, "shop", "probed", "main", "sleep", "3611")
	}
	eventually(t, "all sessions run", 2*time.Minute, func() bool {
		return onNode(t, "pgrep -xfc 'sleep 3611' || true") == strconv.Itoa(sessions)
	})
	findings := fd(t, "--interval", "1s").Findings
	if len(findings) != 1 || findings[0].ID != diagnose.ExecFIFOs {
		t.Fatalf("found %+v, want %s", findings, diagnose.ExecFIFOs)
	}
	if s := findings[0].Subject; s == nil || s.Name() != "shop/probed" || s.Container != "main" {
		t.Errorf("blamed %+v, want container main of shop/probed: %v", s, findings[0].Evidence)
	}
}
