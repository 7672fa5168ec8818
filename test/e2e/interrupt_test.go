//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ourPods are the pods of nodedoc in the API.
func ourPods(t *testing.T) []corev1.Pod {
	t.Helper()
	list, err := cluster.Client.CoreV1().Pods(metav1.NamespaceAll).List(t.Context(), metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/name=nodedoc", FieldSelector: "spec.nodeName=" + node})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// phases of a run, and how to tell from outside that one is reached.
var phases = []struct {
	name    string
	reached func(t *testing.T) bool
}{
	{"while waiting for the pod", func(t *testing.T) bool { return len(ourPods(t)) > 0 }},
	{"while the probe samples", func(t *testing.T) bool { return len(pidsOf(t, "probe")) > 0 }},
}

// start begins a long run and waits for a phase of it.
func start(t *testing.T, reached func(t *testing.T) bool) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	c := plugin("fd", node, "--interval", "120s")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	eventually(t, "phase", 30*time.Second, func() bool { return reached(t) })
	return c, &out
}

// TestInterrupted: Ctrl-C, or SIGTERM, in each phase: it cleans up and says so.
func TestInterrupted(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		for _, phase := range phases {
			t.Run(signal.String()+" "+phase.name, func(t *testing.T) {
				before := traces(t)
				c, out := start(t, phase.reached)
				if err := c.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				_ = c.Wait()
				if code := c.ProcessState.ExitCode(); code != 130 {
					t.Errorf("exit code %d, want 130: %s", code, out)
				}
				noNewTraces(t, before)
			})
		}
	}
}

// TestInterruptedTwice: the second Ctrl-C leaves at once, with the command that
// finishes by hand; the pod's deletion is on its way.
func TestInterruptedTwice(t *testing.T) {
	before := traces(t)
	c, out := start(t, phases[1].reached)
	pod := ourPods(t)[0]
	release := hold(t, &pod) // a quick node would be done before the second signal
	_ = c.Process.Signal(os.Interrupt)
	eventually(t, "the pod's deletion is asked for", 10*time.Second, func() bool {
		pods := ourPods(t)
		return len(pods) == 1 && pods[0].DeletionTimestamp != nil
	})
	_ = c.Process.Signal(os.Interrupt)
	_ = c.Wait()
	release()
	if c.ProcessState.ExitCode() != 130 {
		t.Errorf("exit code %d, want 130", c.ProcessState.ExitCode())
	}
	if !strings.Contains(out.String(), "delete pod") || !strings.Contains(out.String(), pod.Name) {
		t.Errorf("%q does not say how to finish by hand", out)
	}
	eventually(t, "pod goes", 30*time.Second, func() bool { return len(ourPods(t)) == 0 })
	noNewTraces(t, before)
}

// hold keeps a pod in the API, by a finalizer, until what it returns is called.
func hold(t *testing.T, pod *corev1.Pod) (release func()) {
	t.Helper()
	patch := func(finalizers string) error {
		_, err := cluster.Client.CoreV1().Pods(pod.Namespace).Patch(context.Background(), pod.Name, types.MergePatchType,
			[]byte(`{"metadata":{"finalizers":`+finalizers+`}}`), metav1.PatchOptions{})
		return err
	}
	if err := patch(`["nodedoc.test/hold"]`); err != nil {
		t.Fatal(err)
	}
	release = func() {
		if err := patch("null"); err != nil && !apierrors.IsNotFound(err) {
			t.Errorf("the finalizer of %s stays: %v", pod.Name, err)
		}
	}
	t.Cleanup(release)
	return release
}

// TestKilled: nobody is left to clean up. The probe ends with its stdin; the
// next run, or cleanup, removes the pod.
func TestKilled(t *testing.T) {
	for _, phase := range phases {
		t.Run(phase.name, func(t *testing.T) {
			before := traces(t)
			c, _ := start(t, phase.reached)
			_ = c.Process.Kill()
			_ = c.Wait()
			eventually(t, "probe ends", 15*time.Second, func() bool { return len(pidsOf(t, "probe")) == 0 })
			r := run(t, plugin("cleanup", "--force"))
			if r.code != 0 || !strings.Contains(r.stdout, "deleted pod default/nodedoc-") {
				t.Errorf("cleanup: %+v", r)
			}
			eventually(t, "pod goes", 30*time.Second, func() bool { return len(ourPods(t)) == 0 })
			noNewTraces(t, before)
			if r := run(t, plugin("cleanup")); r.stdout != "nothing to clean up\n" {
				t.Errorf("second cleanup: %+v", r)
			}
		})
	}
}

// TestReaderLeaves: `| head -1` must not leave the pod behind.
func TestReaderLeaves(t *testing.T) {
	before := traces(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := plugin("fd", node, "--interval", "200ms", "-o", "json")
	c.Stdout = writer
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	reader.Close()
	if err := c.Wait(); err != nil {
		t.Errorf("got %v, want exit code 0", err)
	}
	noNewTraces(t, before)
}
