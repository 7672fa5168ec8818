//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// resident runs a pod in the place beside nodedoc's, until the test ends.
func resident(t *testing.T, p place, spec corev1.PodSpec) *corev1.Pod {
	t.Helper()
	pod, err := cluster.Pod(t.Context(), p.namespace, "resident", spec)
	if err != nil {
		t.Fatal(err)
	}
	pods := cluster.Client.CoreV1().Pods(p.namespace)
	t.Cleanup(func() {
		if err := pods.Delete(context.Background(), pod.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		eventually(t, "resident goes", time.Minute, func() bool {
			_, err := pods.Get(context.Background(), pod.Name, metav1.GetOptions{})
			return err != nil
		})
	})
	return pod
}

// stillRuns checks that a pod was neither evicted nor started again.
func stillRuns(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	now, err := cluster.Client.CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{})
	if err != nil || now.UID != pod.UID || now.Status.Phase != corev1.PodRunning || now.DeletionTimestamp != nil {
		t.Errorf("pod %s is %+v: %v", pod.Name, now.Status, err)
	}
}

// kubeletConfig starts a node's kubelet with some settings changed, until the
// test ends.
func kubeletConfig(t *testing.T, node string, changes map[string]any) {
	t.Helper()
	const file = "/var/lib/kubelet/config.yaml"
	before := onThisNode(t, node, "cat "+file)
	var config map[string]any
	if err := yaml.Unmarshal([]byte(before), &config); err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		config[name] = value
	}
	after, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		onThisNode(t, node, "cat >"+file+" <<'EOF'\n"+text+"\nEOF")
		restartService(t, node+"/kubelet")
	}
	t.Cleanup(func() {
		write(before)
		awaitReady(t, node)
	})
	write(string(after))
}

func restartService(t *testing.T, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, filepath.Join(cluster.Tools, "cluster"), "restart", name).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// pauseDaemon stops a daemon as a hung one stands, until it is resumed.
func pauseDaemon(t *testing.T, node, comm string) (resume func()) {
	t.Helper()
	resume = func() { onThisNode(t, node, "kill -CONT $(pgrep -xo "+comm+")") }
	t.Cleanup(resume)
	onThisNode(t, node, "kill -STOP $(pgrep -xo "+comm+")")
	return resume
}

func condition(n *corev1.Node, which corev1.NodeConditionType) corev1.ConditionStatus {
	for _, c := range n.Status.Conditions {
		if c.Type == which {
			return c.Status
		}
	}
	return ""
}

func awaitCondition(t *testing.T, node string, which corev1.NodeConditionType, want corev1.ConditionStatus) {
	t.Helper()
	eventually(t, node+" has "+string(which)+" "+string(want), time.Minute, func() bool {
		n, err := cluster.Client.CoreV1().Nodes().Get(context.Background(), node, metav1.GetOptions{})
		return err == nil && condition(n, which) == want
	})
}

// awaitReady waits for a node to be as it was: ready, no pressure, no taints.
func awaitReady(t *testing.T, node string) {
	t.Helper()
	eventually(t, node+" is well again", 2*time.Minute, func() bool {
		n, err := cluster.Client.CoreV1().Nodes().Get(context.Background(), node, metav1.GetOptions{})
		if err != nil || len(n.Spec.Taints) > 0 || n.Spec.Unschedulable || condition(n, corev1.NodeReady) != corev1.ConditionTrue {
			return false
		}
		for _, c := range n.Status.Conditions {
			if strings.HasSuffix(string(c.Type), "Pressure") && c.Status != corev1.ConditionFalse {
				return false
			}
		}
		return true
	})
}
