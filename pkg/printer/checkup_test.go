package printer

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

func healthyTotals() []Total {
	return []Total{{Name: TotalOpenFiles, Value: 2103, Max: 100_000}, {Name: TotalThreads, Value: 330, Max: 32_768},
		{Name: TotalMemory, Value: 4 << 30, Max: 64 << 30, Unit: "bytes"}, {Name: "mounts", Value: 71}, {Name: "pods", Value: 14}}
}

func judged(c Checkup) Checkup {
	c.Judge()
	return c
}

func healthyCheckup(node string) Checkup {
	return judged(Checkup{Node: node, State: NodeAnswered, Totals: healthyTotals()})
}

func checkupFinding(id string, severity diagnose.Severity, summary string, causes ...string) diagnose.Finding {
	return diagnose.Finding{ID: id, Severity: severity, Summary: summary, CausedBy: causes, Evidence: []string{"97 % of all kernel threads: jbd2/*, jbd2-ckpt/*, ext4-rsv-conver"},
		Remedy: []diagnose.Step{{Do: "see more of it", Run: "kubectl nodedoc tasks node-43"}, {Do: "unmount them"}}}
}

// leakyCheckup is incident 4, beside that a smaller one.
func leakyCheckup(node string) Checkup {
	holder := correlate.Owner{Type: correlate.OwnerPod, Namespace: "kube-system", Pod: "logxxx-ds-hsbv9", Container: "logxxx"}
	leaked := checkupFinding("mounts-leaked", diagnose.Critical, "6,385 leaked volumes: 26,503 mounts, 19,154 kernel threads; held by kube-system/logxxx-ds-hsbv9, container logxxx")
	leaked.Subject = &holder
	return judged(Checkup{Node: node, State: NodeAnswered, Totals: healthyTotals()[:3], Findings: []diagnose.Finding{
		checkupFinding("tasks-node-limit", diagnose.Critical, "the node has 97.7 % of the threads that it may have", "tasks-kernel-threads", "tasks-zombies"),
		leaked,
		checkupFinding("tasks-zombies", diagnose.Warning, "120 zombies of prod/hub-0: process 9 (java) does not reap its children"),
		checkupFinding("tasks-kernel-threads", diagnose.Warning, "19,154 kernel threads work for 6,385 devices that no pod of this node uses", "mounts-leaked"),
	}})
}

func notExamined(node string) Checkup {
	return judged(Checkup{Node: node, State: NodeFailed, Reason: "not ready since 2026-11-21T20:00:00Z: the kubelet stopped posting its status; name it to try",
		Findings: []diagnose.Finding{diagnose.NotExamined("the kubelet does not answer", []string{"condition Ready is Unknown for 5m", "kubelet, healthz: no answer within 3s"}, "kubectl nodedoc script "+node)}})
}

func incompleteCheckup(node string) Checkup {
	return judged(Checkup{Node: node, State: NodeAnswered, Totals: healthyTotals()[:1], Failed: []string{"processes: no answer within 1m0s", "API server, pods: pods is forbidden"}})
}

func hostileCheckup() Checkup {
	f := checkupFinding(`evil-\x1b[2J`, diagnose.Warning, `pod evil\x1b[2J\u202e漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字 `+strings.Repeat("x", 300))
	f.Evidence = []string{strings.Repeat("漢", 120)}
	return judged(Checkup{Node: strings.Repeat("node-", 20), State: NodeAnswered, Findings: []diagnose.Finding{f, checkupFinding("deep", diagnose.Critical, strings.Repeat("a long name ", 20), f.ID)}})
}

func checkupFleet() []Checkup {
	nodes := []Checkup{healthyCheckup("node-1"), {Node: "fargate-1", State: NodeSkipped, Reason: `node "fargate-1" is virtual (AWS Fargate)`, Health: HealthUnknown},
		notExamined("node-7"), {Node: "node-8", State: NodeFailed, Reason: "you may not create pods", Health: HealthUnknown}, {Node: "node-9", State: NodeMissing, Reason: "interrupted", Health: HealthUnknown},
		incompleteCheckup("node-6"), healthyCheckup("node-2"), leakyCheckup("node-43")}
	for i := range 4 {
		nodes = append(nodes, judged(Checkup{Node: fmt.Sprintf("node-5%d", i), State: NodeAnswered, Totals: healthyTotals(),
			Findings: []diagnose.Finding{checkupFinding("fd-growth", diagnose.Warning, "prod/hub-0 gains 3 descriptors per second")}}))
	}
	return nodes
}

func showCheckups(top int, wide bool, nodes ...Checkup) show {
	return func(t *testing.T, s Style) string {
		s.Top, s.Wide = top, wide
		var b bytes.Buffer
		if err := Checkups(&b, nodes, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
}

func TestCheckups(t *testing.T) {
	for name, show := range map[string]show{
		"checkup-healthy":       showCheckups(5, false, healthyCheckup("node-1")),
		"checkup-sick":          showCheckups(5, false, leakyCheckup("node-43")),
		"checkup-hostile":       showCheckups(5, false, hostileCheckup()),
		"checkup-incomplete":    showCheckups(5, false, incompleteCheckup("node-6")),
		"checkup-not-examined":  showCheckups(5, false, notExamined("node-7")),
		"checkup-fleet":         showCheckups(3, false, checkupFleet()...),
		"checkup-fleet-healthy": showCheckups(5, false, healthyCheckup("node-2"), healthyCheckup("node-1")),
		"checkup-fleet-hostile": showCheckups(5, false, hostileCheckup(), healthyCheckup("node-1")),
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, show) })
	}
	t.Run("checkup-fleet-wide", func(t *testing.T) {
		if got := showCheckups(1, true, checkupFleet()...)(t, Style{Width: 80}); !strings.Contains(got, "MEMORY") || !strings.Contains(got, "held by kube-system/logxxx-ds-hsbv9, container logxxx\n") {
			t.Errorf("the wide table is cut:\n%s", got)
		}
	})
}

func TestWorstFirst(t *testing.T) {
	two := leakyCheckup("node-0")
	two.Findings = two.Findings[:1]
	two.Judge()
	var got []string
	for _, c := range WorstFirst(append(checkupFleet(), two)) {
		got = append(got, c.Node)
	}
	want := strings.Fields("node-43 node-0 node-7 node-50 node-51 node-52 node-53 node-8 node-9 node-6 node-1 node-2 fargate-1")
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHealth(t *testing.T) {
	critical, warning := checkupFinding("a", diagnose.Critical, ""), checkupFinding("b", diagnose.Warning, "")
	for want, c := range map[Health]Checkup{
		HealthCritical:   {State: NodeAnswered, Findings: []diagnose.Finding{warning, critical}, Failed: []string{"x"}},
		HealthWarning:    {State: NodeAnswered, Findings: []diagnose.Finding{warning}, Failed: []string{"x"}},
		HealthUnknown:    {State: NodeFailed},
		HealthIncomplete: {State: NodeAnswered, Failed: []string{"x"}},
		Healthy:          {State: NodeAnswered},
	} {
		if c.Judge(); c.Health != want || c.RootCauses == nil || len(c.RootCauses) != len(c.Findings) {
			t.Errorf("got %s, causes %v, want %s", c.Health, c.RootCauses, want)
		}
	}
}
