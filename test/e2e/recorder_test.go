//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// tenSeconds holds 300 MiB of memory for so long: tail keeps what may be the end of
// a pipe.
const (
	tenSeconds = "(head -c 314572800 /dev/zero; sleep 10) | tail -c 314572800 >/dev/null"
	held       = 250 << 20
)

func history(t *testing.T, args ...string) (h correlate.NodeHistory) {
	t.Helper()
	decode(t, run(t, plugin(append([]string{"history", node, "-o", "json"}, args...)...)), &h)
	return h
}

// highest is an owner's most memory, and when that was.
func highest(h correlate.NodeHistory, owner func(correlate.Owner) bool) (most uint64, at time.Time) {
	for _, s := range h.Owners {
		if !owner(s.Owner) {
			continue
		}
		for _, p := range s.Points {
			if p.Memory > most {
				most, at = p.Memory, h.Samples[p.Sample].At
			}
		}
	}
	return most, at
}

// A pod and a process of the host each take much memory for ten seconds, and no
// client is connected. Afterwards history names both, also when the pod is gone.
func TestRecorderCatchesAPeakWhileNobodyLooks(t *testing.T) {
	before := traces(t)
	r := run(t, plugin("record", node, "--for", "10m", "--every", "2s"))
	if r.code != 0 || !strings.Contains(r.stdout, node+": records every 2s until ") {
		t.Fatalf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	t.Cleanup(func() { run(t, plugin("record", "--stop", node)) })
	if r := run(t, plugin("record", node)); r.code != 1 || !strings.Contains(r.stderr, "has a recorder already: it records node "+node+" since ") {
		t.Errorf("a second one: exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	// Readers that are killed leave no trace in it.
	for i := range 3 {
		reader := plugin("history", node)
		if err := reader.Start(); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Duration(i*50)*time.Millisecond, func() { _ = reader.Process.Signal(syscall.SIGKILL) })
		_ = reader.Wait()
	}

	spec := incidents.PodSpec(node, incidents.Container("app", "sh", "-c", tenSeconds))
	spec.RestartPolicy = corev1.RestartPolicyNever
	pod, err := cluster.Pod(t.Context(), "default", "peak", spec)
	if err != nil {
		t.Fatal(err)
	}
	ofPod := func(o correlate.Owner) bool { return o.Namespace == "default" && o.Pod == pod.Name }
	eventually(t, "the pod to have ended", time.Minute, func() bool {
		p, err := cluster.Client.CoreV1().Pods("default").Get(t.Context(), pod.Name, metav1.GetOptions{})
		return err == nil && len(p.Status.ContainerStatuses) > 0 && p.Status.ContainerStatuses[0].State.Terminated != nil
	})
	onNode(t, tenSeconds)
	if err := cluster.Client.CoreV1().Pods("default").Delete(t.Context(), pod.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}); err != nil {
		t.Fatal(err)
	}

	h := history(t)
	most, at := highest(h, ofPod)
	if most < held {
		t.Fatalf("the pod had %d MiB at most, of %d samples", most>>20, len(h.Samples))
	}
	moment := history(t, "--around", at.Format(time.RFC3339Nano)).Moment
	if first := moment.Rows[0]; !ofPod(first.Owner) || first.Owner.PodState != correlate.PodGone || first.Growth < held/2 {
		t.Errorf("at the pod's peak the first is %+v", first)
	}
	ofHost := func(o correlate.Owner) bool { return o.Type == correlate.OwnerUnit || o.Type == correlate.OwnerCgroup }
	most, at = highest(h, ofHost)
	if most < held {
		t.Fatalf("the host had %d MiB at most", most>>20)
	}
	moment = history(t, "--around", at.Format(time.RFC3339Nano)).Moment
	if p := moment.Processes[0]; p.Comm != "tail" || p.RSS < held || !ofHost(p.Owner) || !ofHost(moment.Rows[0].Owner) {
		t.Errorf("at the host's peak the largest is %+v, the first owner %+v", p, moment.Rows[0].Owner)
	}
	if h.Recorder.ResidentBytes == 0 || h.Recorder.ResidentBytes > 32<<20 {
		t.Errorf("the recorder has %d bytes", h.Recorder.ResidentBytes)
	}
	table := run(t, plugin("history", node, "--around", at.Format(time.RFC3339Nano)))
	if table.code != 0 || !strings.Contains(table.stdout, "tail") || !strings.Contains(table.stdout, "█") {
		t.Errorf("exit code %d: %s%s", table.code, table.stdout, table.stderr)
	}

	// Other runs leave it alone, and so does a cleanup, unless it is told otherwise.
	if r := run(t, plugin("cleanup")); !strings.Contains(r.stdout, "records node "+node) || strings.Contains(r.stdout, "deleted") {
		t.Errorf("cleanup: %s%s", r.stdout, r.stderr)
	}
	if r := run(t, plugin("record", "--stop", node)); r.code != 0 || r.stdout != node+": stopped\n" {
		t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	noNewTraces(t, before)
	if r := run(t, plugin("history", node)); r.code != 1 || !strings.Contains(r.stderr, "nothing records node") {
		t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
}

// It ends by itself, and what it recorded can be read then.
func TestRecorderEndsByItself(t *testing.T) {
	before := traces(t)
	if r := run(t, plugin("record", node, "--for", "10s", "--every", "1s", "--profile", "minimal")); r.code != 0 {
		t.Fatalf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	t.Cleanup(func() { run(t, plugin("record", "--stop", node)) })
	var h correlate.NodeHistory
	eventually(t, "the recorder to have ended", time.Minute, func() bool {
		h = history(t)
		return h.Until == nil
	})
	if lasted := h.End.Sub(h.Start); lasted < 8*time.Second || lasted > 20*time.Second || len(h.Samples) < 5 || len(h.Gaps) > 0 {
		t.Errorf("recorded %s, %d samples, gaps %+v", lasted, len(h.Samples), h.Gaps)
	}
	if r := run(t, plugin("record", node, "--for", "10s", "--every", "1s")); r.code != 1 || !strings.Contains(r.stderr, "has a recorder already: it record") {
		t.Errorf("what it recorded would be lost: exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	if r := run(t, plugin("record", node, "--for", "1m", "--replace")); r.code != 0 {
		t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	if again := history(t); !again.Start.After(h.End) {
		t.Errorf("begins at %s, the one before ended at %s", again.Start, h.End)
	}
	if r := run(t, plugin("record", "--stop")); r.code != 0 || r.stdout != fmt.Sprintf("%s: stopped\n", node) {
		t.Errorf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	noNewTraces(t, before)
}
