//go:build linux

package probe

import (
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func runtimeOf(t *testing.T, tree string) *report.Runtime {
	t.Helper()
	r, err := Collect(t.Context(), plant(t, tree), "test", report.NewRequest(report.CollectProcesses, report.CollectContainers, report.CollectRuntime))
	if err != nil || r.Runtime == nil {
		t.Fatalf("%v, %+v", err, r)
	}
	return r.Runtime
}

// TestRuntimeStates of every runtime, by whatever lies in its directories.
func TestRuntimeStates(t *testing.T) {
	const tree = `
-- proc/7 (process) --
comm java
start 100
-- proc/8 (process) --
comm runc:[2:INIT]
start 200
-- proc/9 (process) --
comm other
start 999
-- root/run/containerd/runc/k8s.io/{id:runs}/state.json --
{"init_process_pid":7,"init_process_start":100,"created":"2026-11-21T10:00:00Z"}
-- root/run/containerd/runc/k8s.io/{id:waits}/state.json --
{"init_process_pid":8,"init_process_start":200}
-- root/run/containerd/runc/k8s.io/{id:waits}/exec.fifo (fifo) --
-- root/run/containerd/runc/k8s.io/{id:reused}/state.json --
{"init_process_pid":9,"init_process_start":300}
-- root/run/containerd/runc/k8s.io/{id:torn}/state.json --
{"init_process_pid":
-- root/run/containerd/runc/k8s.io/{id:fifo}/state.json (fifo) --
-- root/run/containerd/runc/k8s.io/{id:huge}/state.json (x5000000) --
{}
-- root/run/containerd/runc/k8s.io/{id:dir}/state.json (dir) --
-- root/run/containerd/runc/k8s.io/by-hand.1/state.json --
{"init_process_pid":7}
-- root/run/containerd/runc/k8s.io/$(reboot)/state.json --
{"init_process_pid":7}
-- root/run/containerd/runc/k8s.io/link -> /run/containerd/runc/k8s.io --
-- root/run/docker/runtime-runc/moby/{id:docker}/state.json --
{"init_process_pid":6}
-- root/run/runc/{id:crio}/state.json --
{"init_process_pid":7}
-- root/run/runc/podman-by-name/state.json --
{"init_process_pid":7}
-- root/run/crun/{id:crun}/status --
{"pid":7,"process-start-time":100}
-- root/run/containerd/io.containerd.runtime.v2.task/k8s.io/{id:deleted}/init.pid --
6
-- root/run/containerd/io.containerd.runtime.v2.task/k8s.io/{id:never}/config.json --
{}
-- root/var/lib/kubelet/pods/{uid:a}/volumes (dir) --
-- root/var/lib/kubelet/pods/lost+found (dir) --
-- root/var/lib/kubelet/pods/a b (dir) --
`
	r := runtimeOf(t, tree)
	got := map[string]string{}
	for _, task := range r.Tasks {
		got[task.ID] = task.State
	}
	want := map[string]string{
		hex64("runs"): report.TaskRunning, hex64("waits"): report.TaskCreated, hex64("reused"): report.TaskStopped, "by-hand.1": report.TaskRunning,
		hex64("docker"): report.TaskStopped, hex64("crio"): report.TaskRunning, hex64("crun"): report.TaskRunning,
		hex64("deleted"): report.TaskStopped, hex64("never"): "",
	}
	for id, state := range want {
		if now, ok := got[id]; !ok || now != state {
			t.Errorf("%s is %q, %v, want %q", id, now, ok, state)
		}
		delete(got, id)
	}
	if len(got) > 0 {
		t.Errorf("more: %v", got)
	}
	for _, what := range []string{"unexpected end", "not a regular file", "larger than"} {
		if !slices.ContainsFunc(r.Unreadable, func(u report.Unreadable) bool { return strings.Contains(u.Cause, what) }) {
			t.Errorf("nothing is %q: %+v", what, r.Unreadable)
		}
	}
	if !slices.Equal(r.PodDirs, []string{uidOf("a"), "a b", "lost+found"}) {
		t.Errorf("directories of pods: %q", r.PodDirs)
	}
}

// TestDaemonsThatAreNotThere: a connection to docker's socket may start docker.
func TestDaemonsThatAreNotThere(t *testing.T) {
	const tree = `
-- proc/7 (process) --
comm kubelet
-- root/run/docker.sock (fifo) --
-- root/run/cri-dockerd.sock (fifo) --
-- root/run/containerd/containerd.sock (fifo) --
`
	r := runtimeOf(t, tree)
	if len(r.Daemons) != 1 || r.Daemons[0].Name != "containerd" || r.Daemons[0].AnswerMillis != nil || r.Daemons[0].Error != "not a socket" {
		t.Errorf("got %+v", r.Daemons)
	}
	r = runtimeOf(t, strings.Replace(tree, "comm kubelet", "comm dockerd-current", 1))
	if len(r.Daemons) != 2 || r.Daemons[1].Name != dockerName {
		t.Errorf("docker runs: %+v", r.Daemons)
	}
}

// TestRuntimePrograms: which runc there is, by its own bytes or the package manager's
// notes; a link is one with what it leads to.
func TestRuntimePrograms(t *testing.T) {
	const tree = `
-- root/usr/sbin/runc (escaped) --
\x00no version\x00
-- root/usr/bin/runc -> ../sbin/runc --
-- root/usr/local/bin/runc (escaped) --
\x7fELF\x001.0.0-rc93\x00
-- root/usr/bin/docker-runc (fifo) --
-- root/opt/bin/runc (escaped) --
\x00v1.1.12-0-g51d5e94601f2\x00
-- root/var/lib/k0s/bin/runc (escaped) --
no version, and no package's
-- root/var/lib/dpkg/status --
Package: runc
Status: install ok installed
Version: 1.1.5+ds1-1

`
	got := runtimeOf(t, tree).Programs
	want := []report.RuntimeProgram{
		{Name: "runc", Path: "/usr/local/bin/runc", Version: "1.0.0-rc93", Source: "/usr/local/bin/runc"},
		{Name: "runc", Path: "/usr/sbin/runc", Version: "1.1.5+ds1-1", Source: "/var/lib/dpkg/status"},
		{Name: "runc", Path: "/opt/bin/runc", Version: "1.1.12", Source: "/opt/bin/runc"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}
