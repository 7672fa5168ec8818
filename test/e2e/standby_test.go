//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"
)

const standbyNamespace = "e2e-standby"

// withStandby puts one on the node to harm, and takes it away again.
func withStandby(t *testing.T) {
	t.Helper()
	namespace(t, standbyNamespace)
	t.Cleanup(func() {
		r := run(t, plugin("standby", "uninstall", "--pod-namespace", standbyNamespace))
		if r.code != 0 {
			t.Errorf("uninstall: exit code %d: %s%s", r.code, r.stdout, r.stderr)
		}
		if left := strings.TrimSpace(onThisNode(t, *sickNode, "ls -A /var/log/nodedoc")); left != "" {
			t.Errorf("left on the node: %s", left)
		}
	})
	r := run(t, plugin("standby", "install", "--pod-namespace", standbyNamespace, "-l", "kubernetes.io/hostname="+*sickNode))
	if r.code != 0 || !strings.Contains(r.stdout, "a standby runs on 1 of 1 nodes") {
		t.Fatalf("install: exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
}

// awaitKept waits until the standby has kept a report.
func awaitKept(t *testing.T) {
	t.Helper()
	eventually(t, "the standby keeps a report", time.Minute, func() bool {
		r := run(t, plugin("standby", "status", "--pod-namespace", standbyNamespace))
		return r.code == 0 && strings.Contains(r.stdout, " old ")
	})
}

// Every depth, on the node to harm: nothing else may be done to it meanwhile.
func TestStandby(t *testing.T) {
	withStandby(t)
	awaitKept(t)
	t.Run("asked although a pod would start", askedAnyway)
	t.Run("runc hangs", standbyBesideHungRunc)
	t.Run("the runtime hangs", standbyBesideHungRuntime)
}

// Three at once are served one after another.
func askedAnyway(t *testing.T) {
	before := traces(t)
	answers := make(chan result)
	for range 3 {
		go func() { answers <- run(t, plugin("fd", *sickNode, "--standby", "-o", "json")) }()
	}
	for range 3 {
		var a fdAnswer
		decode(t, <-answers, &a)
		if a.Node != *sickNode {
			t.Errorf("got the report of %q", a.Node)
		}
	}
	noNewTraces(t, before)
}

// No container starts, the runtime answers: the standby is asked, and the pod that did
// not start is gone in the end.
func standbyBesideHungRunc(t *testing.T) {
	undo := hangRunc(t, *sickNode)
	// A word of node trouble may come before the ten seconds are over; either way it answers.
	r := run(t, plugin("tasks", *sickNode, "--pod-namespace", standbyNamespace))
	undo()
	if !strings.Contains(r.stderr, "the answer comes from the standby, pod "+standbyNamespace+"/nodedoc-standby-") || !strings.Contains(r.stdout, *sickNode) {
		t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	awaitReady(t, *sickNode)
}

// Nothing that takes the runtime answers, but what the standby kept: also that it
// keeps it anew, since the node is sick.
func standbyBesideHungRuntime(t *testing.T) {
	resume := pauseDaemon(t, *sickNode, "containerd")
	r := run(t, plugin("runtime", *sickNode, "--standby"))
	if r.code != 0 || !strings.Contains(r.stderr, "the answer is the last report that the standby kept on the node, ") || !strings.Contains(r.stdout, *sickNode) {
		t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	eventually(t, "it is kept anew, since the runtime does not answer", 90*time.Second, func() bool {
		r := run(t, plugin("runtime", *sickNode, "--standby"))
		return r.code == 0 && strings.Contains(r.stderr, "kept as the node looked sick: /run/containerd/containerd.sock: no answer") &&
			strings.Contains(r.stdout, "CRITICAL runtime-daemon")
	})
	resume()
	awaitReady(t, *sickNode)
}
