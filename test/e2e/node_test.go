//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// TestSickNode harms one node in one way after the other,
// beside the tests that use the other node.
func TestSickNode(t *testing.T) {
	if *sickNode != node {
		t.Parallel()
	}
	for _, c := range []struct {
		name string
		test func(*testing.T, place)
	}{
		{"pressure", underPressure},
		{"no room for a pod", outOfPods},
		{"no room for requests", outOfCPU},
		{"cordoned and tainted", tainted},
		{"without network", withoutCNI},
		{"log disk full", logDiskFull},
		{"state disks full", stateDisksFull},
		{"process IDs used up", pidsUsedUp},
		{"volume to unmount", volumeToUnmount},
		{"object made anew", objectMadeAnew},
		{"kubelet stopped", kubeletStopped},
		{"kubelet killed", kubeletKilled},
		{"left behind", leftBehind},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t, *sickNode, nil)
			t.Cleanup(func() { awaitReady(t, p.node) }) // when all the others have put things right
			c.test(t, p)
		})
	}
}

// underPressure: a critical pod is admitted; where the class is
// forbidden, the kubelet's reason is named.
func underPressure(t *testing.T, p place) {
	// The images that nothing uses are the first that go.
	holder := incidents.PodSpec(p.node, incidents.Container("actor", "/actor", "hold", "1"), incidents.Container("shell", "/actor", "hold", "1"))
	holder.Containers[1].Image = "busybox:1"
	holder.Containers[1].Command = []string{"sleep", "3600"}
	holder.PriorityClassName = "system-node-critical"
	resident(t, p, holder)
	kubeletConfig(t, p.node, map[string]any{"evictionHard": map[string]string{
		"memory.available": "99%", "nodefs.available": "99%", "pid.available": "99.99%",
	}})
	for _, pressure := range []corev1.NodeConditionType{corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure} {
		awaitCondition(t, p.node, pressure, corev1.ConditionTrue)
	}
	answered(t, p.fd(t, 30*time.Second))

	plain := newPlace(t, p.node, nil)
	withoutCritical(t, plain)
	r := plain.fd(t, 30*time.Second)
	refused(t, r, "may not use priority class system-node-critical", "the node refused the pod", "Pressure")
}

// outOfPods: named, and nobody is evicted for it.
func outOfPods(t *testing.T, p place) {
	pod := resident(t, p, incidents.PodSpec(p.node, incidents.Container("main", "/actor", "hold", "1")))
	kubeletConfig(t, p.node, map[string]any{"maxPods": 1})
	eventually(t, "node has room for one pod", time.Minute, func() bool {
		n, err := cluster.Client.CoreV1().Nodes().Get(t.Context(), p.node, metav1.GetOptions{})
		return err == nil && n.Status.Allocatable.Pods().Value() == 1
	})
	refused(t, p.fd(t, 30*time.Second), "OutOfpods", "nodedoc evicts nobody")
	stillRuns(t, pod)
}

// outOfCPU: what is not free is not asked for, so nobody is evicted.
func outOfCPU(t *testing.T, p place) {
	n, err := cluster.Client.CoreV1().Nodes().Get(t.Context(), p.node, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	greedy := incidents.PodSpec(p.node, incidents.Container("main", "/actor", "hold", "1"))
	greedy.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: *n.Status.Allocatable.Cpu()}
	pod := resident(t, p, greedy)
	answered(t, p.fd(t, 30*time.Second))
	stillRuns(t, pod)
}

// tainted: tolerated.
func tainted(t *testing.T, p place) {
	patchNode(t, p.node, `{"spec":{"unschedulable":true,"taints":[
		{"key":"faults.nodedoc.test/a","effect":"NoSchedule"},{"key":"faults.nodedoc.test/b","effect":"NoExecute"}]}}`)
	t.Cleanup(func() { patchNode(t, p.node, `{"spec":{"unschedulable":null,"taints":null}}`) })
	answered(t, p.fd(t, 30*time.Second))
	patchNode(t, p.node, `{"spec":{"unschedulable":null,"taints":null}}`)
}

// withoutCNI: the host's network does.
func withoutCNI(t *testing.T, p place) {
	const there, away = "/etc/cni/net.d/10-nodedoc.conflist", "/etc/cni/10-nodedoc.conflist"
	onThisNode(t, p.node, "mv "+there+" "+away)
	// Written, not moved: containerd takes no notice of a file that is only moved in.
	restore := func() { onThisNode(t, p.node, "test ! -e "+away+" || { cat "+away+" >"+there+" && rm "+away+"; }") }
	t.Cleanup(restore)
	awaitCondition(t, p.node, corev1.NodeReady, corev1.ConditionFalse)
	r := p.fd(t, 30*time.Second)
	answered(t, r)
	if !strings.Contains(r.stderr, "is not ready") || !strings.Contains(strings.ToLower(r.stderr), "network") {
		t.Errorf("%q does not say that the network is not ready", r.stderr)
	}
	restore()
}

// logDiskFull: the probe and its report need no disk.
func logDiskFull(t *testing.T, p place) {
	const full = "/var/log/pods /tmp /var/tmp"
	onThisNode(t, p.node, "for d in "+full+"; do mount -t tmpfs -o size=64k full $d; cat /dev/zero >$d/full 2>/dev/null; done; ! echo more >>/var/log/pods/more")
	// Lazily: the runtime may still have a log open.
	t.Cleanup(func() { onThisNode(t, p.node, "for d in "+full+"; do umount -l $d; done") })
	answered(t, p.fd(t, 30*time.Second))
}

// objectMadeAnew: the node's object is another while its probe
// samples; kubelet and pod are still the same.
func objectMadeAnew(t *testing.T, p place) {
	nodes := cluster.Client.CoreV1().Nodes()
	n, err := nodes.Get(t.Context(), p.node, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := p.start(t, "fd", p.node, "--interval", "4s")
	p.samples(t)
	if err := nodes.Delete(t.Context(), p.node, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	n.ResourceVersion, n.UID = "", ""
	if _, err := nodes.Create(t.Context(), n, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	answered(t, b.end(t, time.Minute))
	p.clean(t)
}

// unconfirmed checks that what was made is said not to be surely gone, with the
// commands to look and to finish.
func unconfirmed(t *testing.T, r result, p place, says ...string) {
	t.Helper()
	pod := p.pod(t, "is still there", exists)
	says = append(says, "could not confirm that pod "+p.namespace+"/"+pod.Name+" is gone", fmt.Sprintf("the kubelet of node %q has not confirmed it", p.node),
		"get pod "+pod.Name+" -n "+p.namespace, "delete pod "+pod.Name+" -n "+p.namespace)
	for _, s := range says {
		if !strings.Contains(r.stderr, s) {
			t.Errorf("%q does not say %q", r.stderr, s)
		}
	}
	if r.code != 1 {
		t.Errorf("exit code %d, want 1", r.code)
	}
}

// kubeletStopped: told in time; the pod goes when it works again.
func kubeletStopped(t *testing.T, p place) {
	resume := pauseDaemon(t, p.node, "kubelet")
	r := p.runDirty(t, time.Minute, "fd", p.node, "--start-timeout", "8s")
	unconfirmed(t, r, p, "did not start within 8s", "the kubelet has not taken the pod up")
	resume()
	p.cleanWithin(t, time.Minute)
}

// kubeletKilled while the probe samples.
func kubeletKilled(t *testing.T, p place) {
	b := p.start(t, "fd", p.node, "--interval", "20s")
	p.samples(t)
	t.Cleanup(func() { restartService(t, p.node+"/kubelet") })
	onThisNode(t, p.node, "kill -KILL $(pgrep -xo kubelet)")
	r := b.end(t, 90*time.Second)
	unconfirmed(t, r, p, "failed to get a report on node")
	restartService(t, p.node+"/kubelet")
	p.cleanWithin(t, time.Minute)
}

// containerdStopped: told in time; the pod goes when it works again.
func containerdStopped(t *testing.T, p place) {
	resume := pauseDaemon(t, p.node, "containerd")
	r := p.runDirty(t, time.Minute, "fd", p.node, "--start-timeout", "8s")
	unconfirmed(t, r, p, "did not start within 8s")
	resume()
	p.cleanWithin(t, 90*time.Second)
}

func patchNode(t *testing.T, node, patch string) {
	t.Helper()
	if _, err := cluster.Client.CoreV1().Nodes().Patch(context.Background(), node, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Error(err)
	}
}

// containerdStoppedMidRun while the probe samples: attach goes
// through it. Whoever waits is told, and the answer comes when it works again.
func containerdStoppedMidRun(t *testing.T, p place) {
	said := filepath.Join(t.TempDir(), "stderr")
	file, err := os.Create(said)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := p.command("fd", p.node, "--interval", "3s")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, file
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p.samples(t)
	resume := pauseDaemon(t, p.node, "containerd")
	stderr := func() string {
		b, err := os.ReadFile(said)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	eventually(t, "a warning", time.Minute, func() bool { return strings.Contains(stderr(), "15s late") })
	resume()
	_ = c.Wait()
	r := result{out.String(), stderr(), c.ProcessState.ExitCode()}
	answered(t, r)
	if !strings.Contains(r.stderr, "its container runtime, which carries the answer, hangs; giving up 2m3s after the request") {
		t.Errorf("%q does not say what may be", r.stderr)
	}
	p.cleanWithin(t, 90*time.Second)
}
