package printer

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func sickRuntime() correlate.NodeRuntime {
	hub, gone := podOwner("hub-0", "StatefulSet/hub", correlate.PodKnown), podOwner(`evil\x1b[2J`, "", correlate.PodGone)
	hub.Container = "agent"
	id := func(c byte) string { return string(bytes.Repeat([]byte{c}, 64)) }
	return correlate.NodeRuntime{Node: "node-43", Running: 40, Created: 1, Stopped: 2, Shims: 20,
		Daemons: []report.RuntimeDaemon{{Name: "containerd", Socket: "/run/containerd/containerd.sock", Error: "no answer"}, {Name: "docker", Socket: "/run/docker.sock", AnswerMillis: of(int64(3))}},
		Containers: []correlate.RuntimeContainer{
			{Owner: gone, ID: id('a'), Runtime: "docker", State: "dead", PID: 17, Trouble: []string{"docker cannot remove it: dead", "the API server does not know its pod"}},
			{Owner: hub, ID: id('b'), Runtime: "containerd", State: report.TaskCreated, PID: 4242, Shim: 4000, AgeSeconds: 4000, Trouble: []string{"created and never started"}},
			{Owner: hub, ID: id('c'), Runtime: "containerd", State: report.TaskRunning, PID: 22, Shim: 20, AgeSeconds: 90_000},
		},
		Leftovers: []correlate.Leftover{
			{Kind: correlate.LeftPodDir, Owner: gone, Path: "/var/lib/kubelet/pods/" + podUID, Mounts: []string{"/var/lib/kubelet/pods/" + podUID + "/volumes/a"}},
			{Kind: correlate.LeftPodCgroup, Owner: gone, Path: "/kubepods/burstable/pod" + podUID, Populated: true},
			{Kind: correlate.LeftMissing, Owner: hub, ContainerID: id('d')},
			{Kind: correlate.LeftShim, Owner: correlate.Owner{Type: correlate.OwnerUnit, Unit: "containerd.service"}, PID: 99, ContainerID: id('e')},
		},
		Gaps: []report.Unreadable{{What: "/run/crun", Cause: "permission denied"}},
	}
}

func runtimeText(r correlate.NodeRuntime, findings []diagnose.Finding) show {
	return func(t *testing.T, s Style) string {
		t.Helper()
		var b bytes.Buffer
		if err := Runtime(&b, r, findings, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
}

func TestRuntime(t *testing.T) {
	healthy := sickRuntime()
	healthy.Daemons, healthy.Containers, healthy.Leftovers, healthy.Gaps, healthy.Created, healthy.Stopped = healthy.Daemons[1:], healthy.Containers[2:], nil, nil, 0, 0
	critical := []diagnose.Finding{{ID: diagnose.RuntimeDaemon, Severity: diagnose.Critical, Summary: "containerd does not answer on its socket: no pod starts or ends on the node while it hangs",
		Evidence: []string{"/run/containerd/containerd.sock: no answer"}, Remedy: []diagnose.Step{{Do: "containers outlive it: restart it, on the node", Run: "systemctl restart containerd.service"}}}}
	for name, show := range map[string]show{
		"runtime-sick":    runtimeText(sickRuntime(), critical),
		"runtime-healthy": runtimeText(healthy, nil),
		"runtime-empty":   runtimeText(correlate.NodeRuntime{Node: "node-43"}, nil),
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, show) })
	}
}

// TestWideRuntime lists what is well, too.
func TestWideRuntime(t *testing.T) {
	for wide, want := range map[bool]int{false: 0, true: 1} {
		var b bytes.Buffer
		if err := Runtime(&b, sickRuntime(), nil, Style{Wide: wide}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(b.String(), "cccccccccccc"); got != want {
			t.Errorf("wide %v: it is there %d times", wide, got)
		}
	}
}
