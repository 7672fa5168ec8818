//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
)

// namespace makes one for a test and removes it with all that is in it.
func namespace(t *testing.T, name string) {
	t.Helper()
	eventually(t, "namespace "+name+" is free", time.Minute, func() bool {
		err := cluster.Namespace(t.Context(), name)
		if err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
		return err == nil
	})
	t.Cleanup(func() { deleteNamespace(t, name) })
	eventually(t, "namespace "+name+" takes pods", time.Minute, func() bool {
		_, err := cluster.Client.CoreV1().ServiceAccounts(name).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
}

func deleteNamespace(t *testing.T, name string) {
	t.Helper()
	ctx := context.Background() // the test's own is over when clean-ups run
	if err := cluster.Client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Error(err)
	}
	eventually(t, "namespace "+name+" goes", 2*time.Minute, func() bool {
		_, err := cluster.Client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func staticPodPath(t *testing.T) string {
	t.Helper()
	var state struct {
		Nodes []struct{ Name, StaticPodPath string }
	}
	b, err := os.ReadFile(filepath.Join(os.Getenv("NODEDOC_CLUSTER_DIR"), "cluster.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &state); err != nil {
		t.Fatal(err)
	}
	for _, n := range state.Nodes {
		if n.Name == node {
			return n.StaticPodPath
		}
	}
	t.Fatalf("no node %s in cluster.json", node)
	return ""
}

// execIn runs a command in a container until the test ends, as kubectl exec
// does, and returns its pid on the node. The command must be unique.
func execIn(t *testing.T, namespace, pod, container string, command ...string) int {
	t.Helper()
	startExec(t, namespace, pod, container, command...)
	var pid int
	eventually(t, "exec'd command runs", 10*time.Second, func() bool {
		out := strings.Fields(onNode(t, "pgrep -xf '"+strings.Join(command, " ")+"' || true"))
		if len(out) == 1 {
			pid = number(t, out[0])
		}
		return pid != 0
	})
	return pid
}

// startExec begins an exec session that lasts until the test ends.
func startExec(t *testing.T, namespace, pod, container string, command ...string) {
	t.Helper()
	url := cluster.Client.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: container, Command: command, Stdout: true, Stderr: true}, scheme.ParameterCodec).URL()
	executor, err := remotecommand.NewSPDYExecutor(cluster.REST, "POST", url)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: io.Discard, Stderr: io.Discard})
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
}
