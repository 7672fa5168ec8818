//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// place is a namespace of a test's own, so that tests can run side by side:
// whatever pod of nodedoc was ever seen in it is a run's of this test, and what
// the run leaves on the node is known by that pod's UID.
type place struct {
	namespace  string
	node       string
	kubeconfig string // "": the cluster's own
}

// newPlace makes a namespace that goes when the test ends; nobody waits for it.
func newPlace(t *testing.T, node string, labels map[string]string) place {
	t.Helper()
	ns, err := cluster.Client.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "fault-", Labels: labels}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Client.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	// Pods are refused until it is there.
	eventually(t, "service account of "+ns.Name, 30*time.Second, func() bool {
		_, err := cluster.Client.CoreV1().ServiceAccounts(ns.Name).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	return place{namespace: ns.Name, node: node}
}

// through is the place as seen through a proxy.
func (p place) through(t *testing.T, x *proxy) place {
	p.kubeconfig = x.kubeconfig(t, "token: any")
	return p
}

func (p place) command(args ...string) *exec.Cmd {
	flag := "--pod-namespace" // -n would show this namespace's owners only
	if args[0] == "cleanup" {
		flag = "-n"
	}
	args = append(args, flag, p.namespace)
	if p.kubeconfig != "" {
		args = append(args, "--kubeconfig", p.kubeconfig)
	}
	return plugin(args...)
}

// run runs the plugin, which must end within some time and leave nothing.
func (p place) run(t *testing.T, limit time.Duration, args ...string) result {
	t.Helper()
	r := p.runDirty(t, limit, args...)
	p.clean(t)
	return r
}

// runDirty runs the plugin where it cannot clean up.
func (p place) runDirty(t *testing.T, limit time.Duration, args ...string) result {
	t.Helper()
	began := time.Now()
	r := run(t, p.command(args...))
	if took := time.Since(began); took > limit {
		t.Errorf("%q took %s, more than %s: %s", args, took.Round(time.Second), limit, r.stderr)
	}
	return r
}

// fd asks for the node's descriptors, the shortest of runs.
func (p place) fd(t *testing.T, limit time.Duration) result {
	t.Helper()
	return p.run(t, limit, "fd", p.node, "--interval", "200ms")
}

// answered checks a full right answer.
func answered(t *testing.T, r result) {
	t.Helper()
	if r.code != 0 || !strings.Contains(r.stdout, "kubelet.service") || !strings.Contains(r.stdout, "containerd.service") {
		t.Errorf("exit code %d, stderr %q: no answer in\n%s", r.code, r.stderr, r.stdout)
	}
}

// refused checks an exit code of 1, an error that says all of this, and that
// nothing was answered.
func refused(t *testing.T, r result, says ...string) {
	t.Helper()
	if r.code != 1 || r.stdout != "" {
		t.Errorf("exit code %d, stdout %q, want 1 and none", r.code, r.stdout)
	}
	says = append(says, "error: ")
	for _, s := range says {
		if !strings.Contains(r.stderr, s) {
			t.Errorf("%q does not say %q", r.stderr, s)
		}
	}
}

// nothingCreated checks that no pod was ever there.
func (p place) nothingCreated(t *testing.T) {
	t.Helper()
	if uids := seen.of(p.namespace); len(uids) > 0 {
		t.Errorf("created pods %v", uids)
	}
}

// background is a run that goes on while the test does something to it.
type background struct {
	*exec.Cmd
	out, errOut bytes.Buffer
	began       time.Time
}

func (p place) start(t *testing.T, args ...string) *background {
	t.Helper()
	b := &background{Cmd: p.command(args...), began: time.Now()}
	b.Stdout, b.Stderr, b.WaitDelay = &b.out, &b.errOut, 5*time.Second
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Process.Kill() })
	return b
}

// end waits for it, which must not take longer than limit from now.
func (b *background) end(t *testing.T, limit time.Duration) result {
	t.Helper()
	late := time.AfterFunc(limit, func() { _ = b.Process.Kill() })
	_ = b.Wait()
	if !late.Stop() {
		t.Errorf("did not end within %s: %s", limit, b.errOut.String())
	}
	return result{b.out.String(), b.errOut.String(), b.ProcessState.ExitCode()}
}

// pod waits for the place's only pod in the API to be as wanted.
func (p place) pod(t *testing.T, what string, wanted func(*corev1.Pod) bool) *corev1.Pod {
	t.Helper()
	var found *corev1.Pod
	eventually(t, p.namespace+": pod "+what, time.Minute, func() bool {
		pods := p.pods(t)
		if len(pods) != 1 || !wanted(&pods[0]) {
			return false
		}
		found = &pods[0]
		return true
	})
	return found
}

func (p place) pods(t *testing.T) []corev1.Pod {
	t.Helper()
	list, err := cluster.Client.CoreV1().Pods(p.namespace).List(context.Background(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=nodedoc"})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

func exists(*corev1.Pod) bool { return true }

// samples waits until the place's probe runs and returns its pod and its pid on
// the node.
func (p place) samples(t *testing.T) (*corev1.Pod, string) {
	t.Helper()
	pod := p.pod(t, "runs", func(pod *corev1.Pod) bool { return pod.Status.Phase == corev1.PodRunning })
	var pid string
	eventually(t, "probe of "+pod.Name, 30*time.Second, func() bool {
		pid = onThisNode(t, p.node, "for p in $(pgrep -x probe); do grep -qs "+string(pod.UID)+" /proc/$p/cgroup && echo $p; done; true")
		return pid != ""
	})
	return pod, pid
}

// clean waits a little for everything of the place's pods to be gone: from the
// API, processes, shims, bundles of the runtime, mounts, cgroups.
func (p place) clean(t *testing.T) {
	t.Helper()
	p.cleanWithin(t, 20*time.Second)
}

func (p place) cleanWithin(t *testing.T, patience time.Duration) {
	t.Helper()
	var left []string
	for end := time.Now().Add(patience); ; time.Sleep(500 * time.Millisecond) {
		if left = p.left(t); len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("left behind after %s:\n%s", patience, strings.Join(left, "\n"))
		}
	}
}

// left lists what there still is.
func (p place) left(t *testing.T) []string {
	t.Helper()
	var left []string
	for _, pod := range p.pods(t) {
		left = append(left, "pod "+pod.Namespace+"/"+pod.Name)
	}
	if uids := seen.of(p.namespace); len(uids) > 0 {
		for line := range strings.Lines(onThisNode(t, p.node, "set -- "+strings.Join(uids, " ")+podTraces)) {
			left = append(left, strings.TrimSpace(line))
		}
	}
	return left
}

// podTraces prints what the node still has of the pods $@. The runtime's bundle
// tells whose a shim is; the kubelet's directory of a pod stays, empty, until
// its next housekeeping.
const podTraces = `
for uid; do
  grep -l $uid /proc/[0-9]*/cgroup 2>/dev/null | sed "s/^/process of $uid: /"
  grep $uid /proc/1/mountinfo | sed 's/^/mount /'
  find /sys/fs/cgroup -type d -name "pod$uid" | sed 's/^/cgroup /'
  for bundle in $(grep -l $uid /run/containerd/io.containerd.runtime.v2.task/k8s.io/*/config.json 2>/dev/null); do
    echo "bundle $bundle"
    pgrep -af -- "-id $(basename $(dirname $bundle))" | sed 's/^/shim /'
  done
done
true`

// witness remembers each pod of nodedoc that the API server ever told of.
type witness struct {
	mu   sync.Mutex
	uids map[string][]string // by namespace
}

var seen = &witness{uids: map[string][]string{}}

func (w *witness) watch(ctx context.Context) {
	factory := informers.NewSharedInformerFactoryWithOptions(cluster.Client, 0, informers.WithTweakListOptions(func(o *metav1.ListOptions) {
		o.LabelSelector = "app.kubernetes.io/name=nodedoc"
	}))
	pods := factory.Core().V1().Pods().Informer()
	_, _ = pods.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(o any) {
		pod := o.(*corev1.Pod)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.uids[pod.Namespace] = append(w.uids[pod.Namespace], string(pod.UID))
	}})
	factory.Start(ctx.Done())
	cache.WaitForCacheSync(ctx.Done(), pods.HasSynced)
}

func (w *witness) of(namespace string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.uids[namespace])
}
