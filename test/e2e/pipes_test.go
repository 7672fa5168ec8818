//go:build e2e

package e2e

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// pipesAnswer is the answer of `pipes -o json`.
type pipesAnswer struct {
	correlate.NodePipes
	Findings []diagnose.Finding
}

func pipes(t *testing.T, args ...string) pipesAnswer {
	t.Helper()
	var a pipesAnswer
	decode(t, nodedoc(t, append([]string{"pipes", node, "-o", "json"}, args...)...), &a)
	return a
}

func (a pipesAnswer) finding(id string) *diagnose.Finding {
	if i := slices.IndexFunc(a.Findings, func(f diagnose.Finding) bool { return f.ID == id }); i >= 0 {
		return &a.Findings[i]
	}
	return nil
}

// TestHungRunc: one pod has all pipe buffers of a user, so that the next pipe of
// another pod's is cut down to two pages, and a program that stands for an old runc
// hangs in it. What nodedoc shows frees it.
func TestHungRunc(t *testing.T) {
	const space, uid, user = "e2e-pipes", 54321, "54321"
	namespace(t, space)
	as := func(c corev1.Container) corev1.Container {
		c.SecurityContext = &corev1.SecurityContext{RunAsUser: new(int64(uid))}
		return c
	}
	for _, pod := range []struct{ name, comm, role, count string }{{"hoarder", "e2e-hoarder", "pipes", "1100"}, {"starts", "e2e-runc", "runc-init", ""}} {
		command := []string{"/actor", "--comm", pod.comm, pod.role}
		if pod.count != "" {
			command = append(command, pod.count)
		}
		if _, err := cluster.Pod(t.Context(), space, pod.name, incidents.PodSpec(node, as(incidents.Container("main", command...)))); err != nil {
			t.Fatal(err)
		}
	}
	hoarder, hung := onlyPID(t, "e2e-hoarder"), onlyPID(t, "runc:.2:INIT.")
	// A start counts as hung when it has taken some seconds.
	var a pipesAnswer
	eventually(t, "it hangs", 30*time.Second, func() bool {
		a = pipes(t, "--interval", "500ms")
		return a.finding(diagnose.PipesRuntimeBlocked) != nil
	})

	limit := a.finding(diagnose.PipesUserLimit)
	if limit == nil || limit.Severity != diagnose.Critical || limit.Subject.User != user {
		t.Fatalf("the user's limit: %+v", limit)
	}
	full := slices.IndexFunc(a.Users, func(u correlate.PipeUser) bool { return u.UID == uid })
	if full < 0 || a.Users[full].Estimated || a.Users[full].Small < 50 || a.Users[full].Pages < 16_384 || a.Users[full].Pages > 17_000 {
		t.Errorf("users: %+v", a.Users)
	}
	row := slices.IndexFunc(a.Rows, func(r correlate.PipeRow) bool { return r.Owner.Name() == space+"/hoarder" })
	if row != 0 || a.Rows[row].Pipes < 1100 || a.Rows[row].Heaviest.PID != hoarder || !slices.Contains(a.Rows[row].Users, user) {
		t.Errorf("the hoarder is not the first of %+v", a.Rows)
	}

	f := a.finding(diagnose.PipesRuntimeBlocked)
	if f.Subject.Name() != space+"/starts" || !slices.Contains(f.CausedBy, diagnose.PipesUserLimit) {
		t.Errorf("who hangs: %+v", f)
	}
	w := a.Waits[0]
	if w.PID != hung || w.Runtime != "runc init" || w.Op != "write" || w.Pipe == nil || w.Pipe.Pages != 2 || *w.Pipe.Filled != 8192 || !w.Pipe.Full || w.StayedSeconds < 0.4 {
		t.Fatalf("the first that waits: %+v, pipe %+v", w, w.Pipe)
	}
	i := slices.IndexFunc(f.Remedy, func(s diagnose.Step) bool { return strings.Contains(s.Run, "/fd/") })
	if i < 0 {
		t.Fatalf("no relief: %+v", f.Remedy)
	}
	onNode(t, f.Remedy[i].Run+" || true") // timeout(1) ends the reader
	onlyPID(t, "started")
	if after := pipes(t); after.finding(diagnose.PipesRuntimeBlocked) != nil {
		t.Errorf("after the relief: %+v", after.Waits)
	}
	hungInSandbox(t, space, user)
}

// hungInSandbox: the same on the node itself, in the cgroup of a pod's sandbox, as when
// the sandbox is being made: no container has the blame, the pod has.
func hungInSandbox(t *testing.T, space, user string) {
	t.Helper()
	onNode(t, "s=$("+shimOf(space, "starts")+"); id=$(tr '\\0' '\\n' </proc/$s/cmdline | sed -n '/^-id$/{n;p;}'); cd /; "+
		"setsid sh -c 'for f in $(find /sys/fs/cgroup -path \"*'$id'*\" -name cgroup.procs); do echo $$ >$f || exit; done; "+
		"exec setpriv --reuid "+user+" --regid "+user+" --clear-groups /opt/actor --comm e2e-sandbox runc-init' >/dev/null 2>&1 </dev/null &")
	hung := onlyPID(t, "runc:.2:INIT.")
	t.Cleanup(func() { onNode(t, "kill -KILL "+strconv.Itoa(hung)+" 2>/dev/null || true") })
	var f *diagnose.Finding
	eventually(t, "it hangs", 30*time.Second, func() bool {
		f = pipes(t, "--interval", "500ms").finding(diagnose.PipesRuntimeBlocked)
		return f != nil
	})
	if f.Subject.Name() != space+"/starts" || f.Subject.Container != "" || !strings.Contains(f.Summary, "runc init") {
		t.Errorf("who hangs in a sandbox: %+v", f)
	}
	i := slices.IndexFunc(f.Remedy, func(s diagnose.Step) bool { return strings.Contains(s.Run, "/fd/") })
	onNode(t, f.Remedy[i].Run+" || true")
	eventually(t, "it goes on", 10*time.Second, func() bool { return len(pidsOf(t, "runc:.2:INIT.")) == 0 })
}
