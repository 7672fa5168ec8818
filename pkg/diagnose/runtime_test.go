package diagnose

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const leftUID = "22222222-0f3c-4d5e-9d9b-8d7c6b5a4f3e"

func sickRuntime() (*report.NodeReport, *inventory.Inventory) {
	id := strings.Repeat("a", 64)
	return &report.NodeReport{
		Node:       report.Node{Hostname: "node-43", Now: 1_800_000_000},
		Processes:  &report.Processes{List: []report.Process{{PID: 17, Comm: "runc:[2:INIT]", Cgroup: -1}}},
		Containers: &report.Containers{List: []report.Container{{ID: id, Runtime: "containerd", Name: "agent", PodUID: "u", PodName: "hub-0", PodNamespace: "prod"}}},
		Runtime: &report.Runtime{Daemons: []report.RuntimeDaemon{{Name: "containerd", Socket: "/run/containerd/containerd.sock", Error: "no answer"}},
			Tasks:   []report.RuntimeTask{{ID: id, PID: 17, State: report.TaskCreated, Created: 1_799_990_000}, {ID: "$(reboot)", PID: 18, Created: 1_799_990_000, Source: "/run/containerd/runc/k8s.io/x/state.json"}},
			PodDirs: []string{leftUID, "$(reboot)"}},
	}, &inventory.Inventory{Node: "node-43", Pods: []inventory.Pod{{Namespace: "prod", Name: "hub-0", UID: "u"}}}
}

func TestRuntimeFindings(t *testing.T) {
	got := Diagnose(correlate.Join(sickRuntime()), Thresholds{})
	want := []struct {
		id       string
		severity Severity
		summary  string
	}{
		{RuntimeDaemon, Critical, "containerd does not answer"},
		{RuntimeStuck, Warning, "container aaaaaaaaaaaaa of prod/hub-0, container agent: created and never started"},
		{RuntimeLeftovers, Warning, "1 × pod directory"},
		{RuntimeLeftovers, Warning, "1 × container of no pod"},
	}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i, w := range want {
		if f := got[i]; f.ID != w.id || f.Severity != w.severity || !strings.HasPrefix(f.Summary, w.summary) {
			t.Errorf("got %s %s %q", f.ID, f.Severity, f.Summary)
		}
		for _, step := range got[i].Remedy {
			if strings.Contains(step.Run, "reboot") {
				t.Errorf("a directory's name is run: %+v", step)
			}
		}
	}
}

func TestRuntimeThatAnswers(t *testing.T) {
	r, inv := sickRuntime()
	r.Runtime.Daemons[0].AnswerMillis = new(int64(2))
	r.Runtime.Tasks = r.Runtime.Tasks[:1]
	r.Runtime.Tasks[0].Created = r.Node.Now - 3
	r.Runtime.PodDirs = nil
	if got := Diagnose(correlate.Join(r, inv), Thresholds{}); len(got) > 0 {
		t.Errorf("got %+v", got)
	}
}

// What is said of one daemon would harm the node with another.
func TestDaemonRemedy(t *testing.T) {
	n := correlate.Join(newNode(), nil)
	for d, want := range map[report.RuntimeDaemon]string{
		{Name: "containerd", Socket: "/run/containerd/containerd.sock"}:     "containers outlive it",
		{Name: "containerd", Socket: "/run/k3s/containerd/containerd.sock"}: "systemctl restart kubelet.service",
		{Name: "docker"}:      "all its containers end with it",
		{Name: "cri-dockerd"}: "systemctl restart cri-docker.service",
	} {
		text := findingText(Finding{Remedy: daemonRemedy(n, d)})
		own := d.Name == "docker" || strings.HasPrefix(d.Socket, "/run/containerd/")
		if signalled := strings.Contains(text, "--kill-who=main -s USR1"); signalled != own || !strings.Contains(text, want) {
			t.Errorf("%+v: got\n%s", d, text)
		}
	}
}
