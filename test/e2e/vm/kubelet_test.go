//go:build e2e

package vm

import (
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/logs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// TestKubeletByTheJournal: the journal's files tell what journalctl does, packed lines
// among it.
func TestKubeletByTheJournal(t *testing.T) {
	long := "e2e-journal " + strings.Repeat("long ", 300)
	onNode(t, "systemd-run --quiet --wait --slice=system --unit=docker sh -c 'echo \""+long+"\"; echo e2e-journal short'")
	var a correlate.NodeKubelet
	nodedoc(t, &a, "kubelet", node, "--since", "1h", "--profile", "1s")
	find := func(name string) *logs.Log {
		i := slices.IndexFunc(a.Logs, func(l logs.Log) bool { return l.Name == name && l.Where == "journal" })
		if i < 0 {
			t.Fatalf("no %s among %+v, %+v", name, a.Logs, a.Gaps)
		}
		return &a.Logs[i]
	}
	if l := find(report.LogKubelet); l.Lines < 20 || len(l.Groups) < 3 || l.PerMinute == 0 || l.Unreadable != 0 {
		t.Errorf("kubelet: %d lines, %d patterns, %d unreadable", l.Lines, len(l.Groups), l.Unreadable)
	}
	runtime := find(report.LogRuntime)
	for _, want := range []string{"e2e-journal long long long", "e2e-journal short"} {
		if !slices.ContainsFunc(runtime.Groups, func(g logs.Group) bool { return strings.HasPrefix(g.Example, want) }) {
			t.Errorf("no %q in the runtime's log", want)
		}
	}
	if len(a.Daemons) < 2 || a.Daemons[0].Unit != "kubelet.service" || a.Daemons[0].CPUPercent == nil {
		t.Errorf("%+v", a.Daemons)
	}
	if a.Profile == nil {
		t.Errorf("no profile: %s", a.ProfileError)
	}
}
