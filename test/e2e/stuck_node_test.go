//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// runtimeAnswer is the answer of `runtime -o json`.
type runtimeAnswer struct {
	correlate.NodeRuntime
	Findings []diagnose.Finding
}

func (a runtimeAnswer) ids() (ids []string) {
	for _, f := range a.Findings {
		ids = append(ids, f.ID)
	}
	return ids
}

// troubleOf is what is wrong with the containers of a pod.
func (a runtimeAnswer) troubleOf(owner string) string {
	var all []string
	for _, c := range a.Containers {
		if c.Owner.Name() == owner {
			all = append(all, c.Trouble...)
		}
	}
	return strings.Join(all, "; ")
}

func (a runtimeAnswer) leftover(kind correlate.LeftoverKind, is func(correlate.Leftover) bool) bool {
	return slices.ContainsFunc(a.Leftovers, func(l correlate.Leftover) bool { return l.Kind == kind && is(l) })
}

const (
	strayContainer = "e2e-by-hand"
	leftUID        = "0e2e0e2e-1111-4222-8333-444444444444"
	leftDir        = "/var/lib/kubelet/pods/" + leftUID
	leftLogs       = "/var/log/pods/e2e_left_" + leftUID
	// Another's: a pod is told once, by its directory before its cgroup.
	leftCgroupUID = "0e2e0e2e-1111-4222-8333-555555555555"
)

// leaveCgroupAndLogs leaves behind what a kubelet that sees its containers would remove
// with its next look: both stay while the runtime hangs. The removal of the cgroup is
// for where the kubelet has not done it.
func leaveCgroupAndLogs(t *testing.T, node string) {
	t.Helper()
	cgroups := func(do string) string {
		return "for f in $(find /sys/fs/cgroup -type d -name kubepods -path '*/" + node + "/kubepods'); do " + do + " $f/besteffort/pod" + leftCgroupUID + "; done"
	}
	t.Cleanup(func() {
		onThisNode(t, node, "rm -rf "+leftLogs+"; ("+cgroups("rmdir")+") 2>/dev/null || true")
	})
	onThisNode(t, node, "mkdir -p "+leftLogs+"; "+cgroups("mkdir"))
}

// leaveThings leaves behind what a pod directory and a container of nobody's are.
func leaveThings(t *testing.T, node string) {
	t.Helper()
	const volume = leftDir + "/volumes/kubernetes.io~empty-dir/data"
	t.Cleanup(func() {
		onThisNode(t, node, "umount "+volume+"; umount /tmp/e2e-left; rm -r "+leftDir+" /tmp/e2e-left; ctr -n k8s.io tasks rm -f "+strayContainer+"; ctr -n k8s.io containers rm "+strayContainer)
	})
	onThisNode(t, node, "mkdir -p "+volume+" /tmp/e2e-left && mount -t tmpfs -o size=64k e2e-left /tmp/e2e-left && mount --bind /tmp/e2e-left "+volume+
		" && ctr -n k8s.io run -d "+incidents.ActorImage+" "+strayContainer+" /actor hold 1")
}

// freezeAndForget deletes a pod whose processes cannot die, as those cannot that wait
// for a dead filesystem: the API server forgets it, the node does not.
func freezeAndForget(t *testing.T, p place, name, uid string) {
	t.Helper()
	state := func(v1, v2 string) {
		onThisNode(t, p.node, "for f in $(find /sys/fs/cgroup -type d -name '*pod"+uid+"*' -path '*"+p.node+"*' | sed 's|$|/freezer.state|;p;s|freezer.state|cgroup.freeze|'); do "+
			"case $f in *state) test ! -e $f || echo "+v1+" >$f;; *) test ! -e $f || echo "+v2+" >$f;; esac; done")
	}
	t.Cleanup(func() { state("THAWED", "0") })
	state("FROZEN", "1")
	now := int64(0)
	if err := cluster.Client.CoreV1().Pods(p.namespace).Delete(t.Context(), name, metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		t.Fatal(err)
	}
}

// leftBehind: each kind of leftover is made for real, and told. The runtime hangs
// meanwhile, so that a shim can die and nobody clears up after it.
func leftBehind(t *testing.T, p place) {
	script := p.script(t)
	p.nothingFound(t)
	healthy := p.byScript(t, script, "dash")
	leaveThings(t, p.node)
	pod := func(name string) string {
		got, err := cluster.Pod(t.Context(), p.namespace, name, incidents.PodSpec(p.node, incidents.Container("main", "/actor", "hold", "1")))
		if err != nil {
			t.Fatal(err)
		}
		return string(got.UID)
	}
	frozen, _ := pod("frozen"), pod("shimless")
	made := time.Now()
	for name, test := range map[string]func(*testing.T, place){"runc hangs": runcHangs, "containerd stopped": containerdStopped, "containerd stopped mid-run": containerdStoppedMidRun} {
		t.Run(name, func(t *testing.T) { test(t, newPlace(t, p.node, nil)) })
	}
	freezeAndForget(t, p, "frozen", frozen)
	// Younger than a minute, a container may be between two steps of its start.
	eventually(t, "they are old enough", 2*time.Minute, func() bool { return time.Since(made) > 65*time.Second })

	var a runtimeAnswer
	decode(t, p.runDirty(t, time.Minute, "runtime", p.node, "-o", "json"), &a)
	if got := a.troubleOf(p.namespace + "/frozen"); !strings.Contains(got, "the API server does not know its pod") {
		t.Errorf("force-deleted: %q", got)
	}
	if !a.leftover(correlate.LeftContainer, func(l correlate.Leftover) bool { return l.ContainerID == strayContainer }) {
		t.Errorf("no container of no pod: %+v", a.Leftovers)
	}
	if !a.leftover(correlate.LeftPodDir, func(l correlate.Leftover) bool { return l.Path == leftDir && len(l.Mounts) == 1 }) {
		t.Errorf("no pod directory with a mount: %+v", a.Leftovers)
	}
	if slices.Contains(a.ids(), diagnose.RuntimeDaemon) {
		t.Errorf("a runtime that answers hangs: %+v", a.Findings)
	}

	resume := pauseDaemon(t, p.node, "containerd")
	onThisNode(t, p.node, "kill -KILL $("+shimOf(p.namespace, "shimless")+")")
	leaveCgroupAndLogs(t, p.node)
	sick := p.byScript(t, script, "bash")
	p.hungRuntimeIsTold(t)
	p.joined(t, sick)
	resume()
	p.answersFrom(t, healthy, false)
	p.answersFrom(t, sick, true)
}

// nothingFound: a node in good health is left alone.
func (p place) nothingFound(t *testing.T) {
	t.Helper()
	for _, command := range []string{"runtime", "pipes"} {
		var a struct{ Findings []diagnose.Finding }
		eventually(t, "what the tests before have left is gone", 30*time.Second, func() bool {
			decode(t, p.runDirty(t, time.Minute, command, p.node, "-o", "json"), &a)
			return len(a.Findings) == 0
		})
	}
}

// shimOf prints the pid of the shim above a pod's sandbox.
func shimOf(namespace, pod string) string {
	return `for d in /run/containerd/io.containerd.runtime.v2.task/k8s.io/*/; do if grep -q '"io.kubernetes.cri.container-type":"sandbox"' $d/config.json && grep -q '"io.kubernetes.cri.sandbox-name":"` + pod +
		`"' $d/config.json && grep -q '"io.kubernetes.cri.sandbox-namespace":"` + namespace + `"' $d/config.json; then pgrep -f "containerd-shim.* -id $(basename $d)"; fi; done`
}

// hungRuntimeIsTold: what hangs, within ten seconds, and the other way in.
func (p place) hungRuntimeIsTold(t *testing.T) {
	t.Helper()
	b := p.start(t, "fd", p.node, "--start-timeout", "8s")
	r := b.end(t, time.Minute)
	if r.code != 1 {
		t.Errorf("exit code %d", r.code)
	}
	for _, want := range []string{"its container runtime does not", "healthz: answers", "runningpods: no answer", "kubectl nodedoc script " + p.node} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("%q does not say %q", r.stderr, want)
		}
	}
}

// script has one written for the node.
func (p place) script(t *testing.T) string {
	t.Helper()
	r := run(t, plugin("script", p.node))
	if r.code != 0 || !strings.HasPrefix(r.stdout, "#!/bin/sh\n") {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	return r.stdout
}

// byScript runs it over a plain shell of the node, and keeps the report. Nothing is
// left there.
func (p place) byScript(t *testing.T, script string, shell ...string) (file string) {
	t.Helper()
	const files = "ls -A / /run /tmp /var/tmp /root /dev/shm"
	before := onThisNode(t, p.node, files)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := cluster.Shell(ctx, p.node, append(shell, "-s")...)
	var out, errOut bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(script), &out, &errOut
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %v: %s", shell, err, errOut.String())
	}
	if after := onThisNode(t, p.node, files); after != before {
		t.Errorf("%v left something behind:\n%s\nbefore:\n%s", shell, after, before)
	}
	if left := onThisNode(t, p.node, "ls -l /proc/[0-9]*/exe 2>/dev/null | grep 'nodedoc\\.[0-9]' || true"); left != "" {
		t.Errorf("%v left a process: %s", shell, left)
	}
	file = filepath.Join(t.TempDir(), "report")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// answersFrom: every command answers from the report, the runtime's too.
func (p place) answersFrom(t *testing.T, file string, sick bool) {
	t.Helper()
	for _, command := range []string{"fd", "tasks", "mounts", "memory", "pipes", "runtime"} {
		if r := run(t, plugin(command, "--from", file)); r.code != 0 || !strings.Contains(r.stdout, p.node) || r.stderr != "" {
			t.Errorf("%s: exit code %d, %s%s", command, r.code, r.stderr, r.stdout)
		}
	}
	var a runtimeAnswer
	decode(t, run(t, plugin("runtime", "--from", file, "-o", "json")), &a)
	if hangs := slices.Contains(a.ids(), diagnose.RuntimeDaemon); hangs != sick {
		t.Errorf("the daemon hangs: %v, want %v: %+v", hangs, sick, a.Daemons)
	}
	if got := a.troubleOf(p.namespace + "/shimless"); strings.Contains(got, "no shim watches it") != sick {
		t.Errorf("its shim is dead: %v, got %q", sick, got)
	}
}

// joined: a script's report and the API server together tell what is left of pods that
// are gone, and what the kubelet still says.
func (p place) joined(t *testing.T, file string) {
	t.Helper()
	var a runtimeAnswer
	decode(t, run(t, plugin("runtime", "--from", file, "--join", "-o", "json")), &a)
	for kind, path := range map[correlate.LeftoverKind]string{correlate.LeftPodDir: leftDir, correlate.LeftLogDir: leftLogs, correlate.LeftPodCgroup: "besteffort/pod" + leftCgroupUID} {
		if !a.leftover(kind, func(l correlate.Leftover) bool { return strings.HasSuffix(l.Path, path) }) {
			t.Errorf("no %s: %+v", kind, a.Leftovers)
		}
	}
	if a.Vitals == nil || !strings.Contains(a.Vitals.Verdict, "its container runtime does not") {
		t.Errorf("vitals: %+v", a.Vitals)
	}
}

// hangRunc puts a runc in place that never returns, until restore is called.
func hangRunc(t *testing.T, node string) (restore func()) {
	t.Helper()
	const wrapper = "/run/e2e-runc"
	onThisNode(t, node, "printf '#!/bin/sh\\nexec sleep 2222\\n' >"+wrapper+" && chmod 755 "+wrapper+" && mount --bind "+wrapper+" $(command -v runc)")
	restore = func() {
		onThisNode(t, node, "umount $(command -v runc) 2>/dev/null; pkill -f '^sleep 2222' || true; rm -f "+wrapper)
	}
	t.Cleanup(restore)
	return restore
}

// runcHangs: a runc that never returns keeps the pod's sandbox from being made.
func runcHangs(t *testing.T, p place) {
	restore := hangRunc(t, p.node)
	// The shells of the node: a report comes by each, whatever runc does.
	script := p.script(t)
	for _, shell := range [][]string{{"busybox", "sh"}, {"sh"}} {
		p.byScript(t, script, shell...)
	}
	r := p.runDirty(t, time.Minute, "fd", p.node, "--start-timeout", "9s")
	restore()
	refused(t, r, "no container starts: runc, a shim or the network plugin hangs", "runningpods: answers", "kubectl nodedoc script "+p.node)
	p.cleanWithin(t, 90*time.Second)
}
