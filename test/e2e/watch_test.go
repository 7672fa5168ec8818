//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// output is written by a running command and read meanwhile.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// samples are the objects in a stream of JSON, a torn last one left out.
func samples[Answer any](stream string) []Answer {
	var list []Answer
	for d := json.NewDecoder(strings.NewReader(stream)); ; {
		var a Answer
		if d.Decode(&a) != nil {
			return list
		}
		list = append(list, a)
	}
}

// watch begins a watch and waits for two samples.
func watch(t *testing.T, args ...string) (*exec.Cmd, *output, *output) {
	t.Helper()
	c := plugin(append([]string{"fd", node, "--watch", "--interval", "300ms", "-o", "json"}, args...)...)
	out, errOut := &output{}, &output{}
	c.Stdout, c.Stderr = out, errOut
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	eventually(t, "two samples", 30*time.Second, func() bool { return len(samples[fdAnswer](out.String())) >= 2 })
	return c, out, errOut
}

// TestWatch: sample after sample from one pod; Ctrl-C is its normal end.
func TestWatch(t *testing.T) {
	before := traces(t)
	c, out, errOut := watch(t)
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if c.ProcessState.ExitCode() != 0 || errOut.String() != "" {
		t.Errorf("exit code %d, %s", c.ProcessState.ExitCode(), errOut)
	}
	noNewTraces(t, before)
	ours := map[string]bool{}
	list := samples[fdAnswer](out.String())
	for _, a := range list {
		if a.row("kubelet.service") == nil {
			t.Errorf("no kubelet in %+v", a)
		}
		for _, row := range a.Rows {
			if strings.HasPrefix(row.Owner.Pod, "nodedoc-") {
				ours[row.Owner.Pod] = true
			}
		}
	}
	if first, last := list[0].Time, list[len(list)-1].Time; first == nil || last == nil || last.Before(*first) || len(ours) != 1 {
		t.Errorf("from %v to %v, by pods %v", first, last, ours)
	}
}

// TestWatchLosesItsPod: what was shown stays, the error says how to go on.
func TestWatchLosesItsPod(t *testing.T) {
	before := traces(t)
	c, out, errOut := watch(t)
	for _, p := range ourPods(t) {
		if p.Spec.NodeName == node {
			if err := cluster.Client.CoreV1().Pods(p.Namespace).Delete(t.Context(), p.Name, metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = c.Wait()
	if text := errOut.String(); c.ProcessState.ExitCode() != 1 || !strings.Contains(text, "what is shown before it stands; run the same command again") {
		t.Errorf("exit code %d, %q", c.ProcessState.ExitCode(), text)
	}
	if len(samples[fdAnswer](out.String())) < 2 {
		t.Error("the samples before are gone")
	}
	noNewTraces(t, before)
}

// TestWatchReaderLeaves: `| head -1` ends them.
func TestWatchReaderLeaves(t *testing.T) {
	before := traces(t)
	c := plugin("fd", node, "--watch", "--interval", "200ms")
	from, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(from, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	from.Close()
	if err := c.Wait(); err != nil {
		t.Errorf("got %v, want exit code 0", err)
	}
	noNewTraces(t, before)
}

// TestOneProcess: by its pid and by a thread of it.
func TestOneProcess(t *testing.T) {
	kubelet := onlyPID(t, "kubelet")
	threads := strings.Fields(onNode(t, "ls /proc/"+strconv.Itoa(kubelet)+"/task"))
	for _, id := range []string{strconv.Itoa(kubelet), threads[len(threads)-1]} {
		var a correlate.ProcessFDs
		decode(t, nodedoc(t, "fd", node, "--interval", "200ms", "-o", "json", "--pid", id), &a)
		if a.Process.PID != kubelet || a.Process.Owner.Unit != "kubelet.service" || a.Descriptors == nil || *a.Descriptors == 0 || len(a.Kinds) == 0 || len(a.Targets) == 0 {
			t.Errorf("%s: got %+v", id, a)
		}
	}
	r := nodedoc(t, "fd", node, "--interval", "200ms", "--pid", "4194000")
	if want := "error: process 4194000 does not exist on " + node + ", or has ended\n"; r.code != 1 || r.stderr != want || r.stdout != "" {
		t.Errorf("got %+v, want %q", r, want)
	}
}

// TestFilteredRanking: by namespace and label; the pod that looks is elsewhere.
func TestFilteredRanking(t *testing.T) {
	const name = "e2e-filtered"
	namespace(t, name)
	pod, err := cluster.Pod(t.Context(), name, "holder", incidents.PodSpec(node, incidents.Container("app", "/actor", "--comm", "e2e-holder", "hold", "40")))
	if err != nil {
		t.Fatal(err)
	}
	pod.Labels = map[string]string{"app": "holder"}
	if _, err := cluster.Client.CoreV1().Pods(name).Update(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	onlyPID(t, "e2e-holder")
	for _, args := range [][]string{{"-n", name}, {"-l", "app=holder"}, {"-n", name, "-l", "app in (holder)"}} {
		a := fd(t, append(args, "--interval", "200ms", "--pod-namespace", "default")...)
		if len(a.Rows) != 1 || a.Rows[0].Owner.Pod != "holder" || a.Filter == nil || a.Filter.Matched != 1 || a.Filter.Of < 3 || a.Descriptors <= a.Rows[0].Descriptors {
			t.Errorf("%v: got %+v", args, a.FDRanking)
		}
	}
}
