package debugpod

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// recordingFrame is a recorder's answer with so many bytes of samples.
func recordingFrame(t *testing.T, samples string) report.Frame {
	t.Helper()
	packed, err := report.EncodeReport(&report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind,
		Recording: &report.Recording{Samples: []byte(samples), ForSeconds: 60}})
	if err != nil {
		t.Fatal(err)
	}
	return report.Frame{Type: report.FrameReport, Payload: packed}
}

func asked(f report.Frame) (r report.Request) {
	_ = json.Unmarshal(f.Payload, &r)
	return r
}

func recorderConfig(cfg *Config) {
	cfg.Record = &Recording{For: time.Minute, Every: 2 * time.Second}
	cfg.Lifetime = cfg.Record.Lifetime()
}

// startRecorder leaves one on the fake node.
func startRecorder(t *testing.T, c *fakeCluster) {
	t.Helper()
	c.kubelet = runningAtOnce
	s, _, err := begin(t.Context(), c, func(_ context.Context, requests *report.FrameReader, nonce string, s streams) error {
		f, err := requests.Next()
		if r := asked(f).Record; err != nil || f.Type != report.FrameRecord || r == nil || r.ForSeconds != 60 || r.EveryMillis != 2000 {
			return fmt.Errorf("asked %q %s (%w)", f.Type, f.Payload, err)
		}
		return report.WriteFrame(s.stdout, nonce, recordingFrame(t, ""))
	}, recorderConfig)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Record(t.Context())
	if err != nil || r.ForSeconds != 60 {
		t.Fatalf("got %+v, %v", r, err)
	}
	if err := s.Close(); err != nil { // it leaves a recorder that records
		t.Fatal(err)
	}
}

func TestRecorderStaysAndIsFound(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	if _, err := GetRecorder(t.Context(), c, "default", "worker-1"); !errors.Is(err, ErrNoRecorder) {
		t.Fatalf("found one before there is any: %v", err)
	}
	startRecorder(t, c)
	r, err := GetRecorder(t.Context(), c, "default", "worker-1")
	if err != nil || !r.Running || !r.Live() || r.For != time.Minute || r.Every != 2*time.Second || r.Node != "worker-1" {
		t.Fatalf("got %+v, %v", r, err)
	}
	p := c.pods(t)[0]
	if p.Spec.Containers[0].StdinOnce || !p.Spec.Containers[0].Stdin || *p.Spec.ActiveDeadlineSeconds != 60+1200 {
		t.Errorf("pod %+v", p.Spec)
	}
	all, err := Recorders(t.Context(), c, "")
	if err != nil || len(all) != 1 || all[0].Pod != r.Pod {
		t.Errorf("listed %+v, %v", all, err)
	}
	if err := r.Stop(c, "kubectl", time.Second); err != nil {
		t.Error(err)
	}
	wantGone(t, c)
}

// The API server itself refuses a second one: its name is the same.
func TestSecondRecorderIsRefused(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	startRecorder(t, c)
	_, _, err := begin(t.Context(), c, answers, recorderConfig)
	if err == nil || len(c.pods(t)) != 1 {
		t.Fatalf("got %v, %d pods", err, len(c.pods(t)))
	}
}

// One that is left behind by an error must not stay and do nothing.
func TestRecorderThatDoesNotRecordIsRemoved(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	c.kubelet = runningAtOnce
	s, _, err := begin(t.Context(), c, func(_ context.Context, requests *report.FrameReader, nonce string, s streams) error {
		_, _ = requests.Next()
		return report.WriteFrame(s.stdout, nonce, report.Frame{Type: report.FrameError, Payload: []byte("no /proc\x1b")})
	}, recorderConfig)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = s.Record(t.Context()); err == nil || !strings.Contains(err.Error(), `failed: no /proc\x1b`) {
		t.Errorf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wantGone(t, c)
}

// Two clients at once: each hears both answers, and takes its own.
func TestReadTakesItsOwnAnswer(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	startRecorder(t, c)
	r, err := GetRecorder(t.Context(), c, "default", "worker-1")
	if err != nil {
		t.Fatal(err)
	}
	attach := func(_ Clients, p *corev1.Pod, _ bool) (attachFunc, error) {
		return func(_ context.Context, s streams) error {
			f, err := report.NewFrameReader(s.stdin, p.Labels[labelSession]).Next()
			if err != nil || f.Type != report.FrameRequest {
				return fmt.Errorf("got %q (%w)", f.Type, err)
			}
			for _, to := range []struct{ nonce, samples string }{
				{p.Labels[labelSession], "of the log"}, {"0123", strings.Repeat("another's", 1<<20)}, {asked(f).ReplyTo, "ours"}} {
				if err := report.WriteFrame(s.stdout, to.nonce, recordingFrame(t, to.samples)); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}
	got, err := r.read(t.Context(), Clients{Kube: c}, report.NewRequest(), attach)
	if err != nil || string(got.Recording.Samples) != "ours" {
		t.Errorf("got %+v, %v", got, err)
	}
	c.denied["get pods/log"] = true
	if _, err := r.read(t.Context(), Clients{Kube: c}, report.NewRequest(), attach); err == nil || !strings.Contains(err.Error(), "you may not get pods/log") {
		t.Errorf("got %v", err)
	}
}

func TestLastRecordingOfALog(t *testing.T) {
	const nonce = "feed"
	frame := func(nonce, samples string) string {
		var b bytes.Buffer
		if err := report.WriteFrame(&b, nonce, recordingFrame(t, samples)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	begun, one, two := frame(nonce, ""), frame(nonce, "one"), frame(nonce, "two")
	for name, c := range map[string]struct{ log, want string }{
		"its last word":              {begun + one + two, "two"},
		"cut within the last":        {begun + one + two[:len(two)-9], "one"},
		"damaged before the last":    {begun + strings.Replace(one, "A", "B", 1) + two, "two"},
		"answers to others":          {begun + frame("beef", "theirs") + one + frame("beef", "theirs"), "one"},
		"it ended before its time":   {begun, ""},
		"nothing":                    {"", ""},
		"the begin was rotated away": {one[30:] + two, "two"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := lastRecording(strings.NewReader(c.log), nonce, "worker-1")
			if (err != nil) != (c.want == "") || err == nil && string(got.Recording.Samples) != c.want {
				t.Errorf("got %+v, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestRecorderName(t *testing.T) {
	long := strings.Repeat("node-with-a-long-name.", 5)
	a, b := recorderName(long+"a"), recorderName(long+"b")
	if a == b || len(a) > maxName || strings.Contains(a, ".") || recorderName(long+"a") != a {
		t.Errorf("%q and %q", a, b)
	}
}

// One that the kubelet has evicted had no time for a last word.
func TestHistoryOfARecorderThatEndedEarlySaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*corev1.PodStatus)
		want   string
	}{
		"evicted": {func(s *corev1.PodStatus) {
			s.Reason, s.Message = "Evicted", "The node was low on resource: memory.\x1b[2J"
		}, `has ended before its time: Evicted: The node was low on resource: memory.`},
		"evicted before its container's end is known": {func(s *corev1.PodStatus) {
			s.Reason, s.Message, s.ContainerStatuses = "Evicted", "The node was low on resource: memory.", nil
		}, "has ended before its time: Evicted"},
		"out of memory": {func(s *corev1.PodStatus) {
			s.ContainerStatuses[0].State.Terminated.Reason = "OOMKilled"
		}, "OOMKilled"},
	} {
		cluster := newFakeCluster(t, testNode(nil))
		startRecorder(t, cluster)
		p := cluster.pods(t)[0]
		p.Status.Phase = corev1.PodFailed
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: containerName, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137}}}}
		c.change(&p.Status)
		_, err := asRecorder(&p).fromLog(t.Context(), cluster)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "is lost with it") || !strings.Contains(err.Error(), "record --stop worker-1") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
