package debugpod

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// program is what runs in the fake container once the probe has arrived.
type program func(ctx context.Context, requests *report.FrameReader, nonce string, s streams) error

// containerOf attaches to a container that takes a probe as the script does,
// says hello, and goes on with the program.
func containerOf(run program) func(Clients, *corev1.Pod, bool) (attachFunc, error) {
	return func(_ Clients, p *corev1.Pod, _ bool) (attachFunc, error) {
		return func(ctx context.Context, s streams) error {
			in := bufio.NewReader(s.stdin)
			line, err := in.ReadString('\n')
			if nonce := p.Labels[labelSession]; err != nil || line != nonce+"\n" {
				return fmt.Errorf("first line %q (%w)", line, err)
			}
			probe := make([]byte, len(fakeProbe))
			if _, err := io.ReadFull(in, probe); err != nil || string(probe) != fakeProbe {
				return fmt.Errorf("the probe did not arrive (%w)", err)
			}
			fmt.Fprint(s.stdout, "motd\n")
			nonce := p.Labels[labelSession]
			if err := report.WriteFrame(s.stdout, nonce, report.Frame{Type: report.FrameHello}); err != nil {
				return err
			}
			return run(ctx, report.NewFrameReader(in, nonce), nonce, s)
		}, nil
	}
}

// answers serves requests as the probe does, until the acknowledgement.
func answers(ctx context.Context, requests *report.FrameReader, nonce string, s streams) error {
	for {
		f, err := requests.Next()
		if err != nil {
			return err
		}
		if f.Type == report.FrameAck {
			return nil
		}
		var r report.Request
		if err := json.Unmarshal(f.Payload, &r); err != nil {
			return err
		}
		if err := report.WriteFrame(s.stdout, nonce, reportFrame(fmt.Sprint(r.PIDs))); err != nil {
			return err
		}
	}
}

func reportFrame(hostname string) report.Frame {
	packed, err := report.EncodeReport(&report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind, Node: report.Node{Hostname: hostname}})
	if err != nil {
		panic(err)
	}
	return report.Frame{Type: report.FrameReport, Payload: packed}
}

func runningAtOnce(p *corev1.Pod) {
	p.Status = status(corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})
}

// begin starts a session against the fake cluster.
func begin(ctx context.Context, c *fakeCluster, run program, edit func(*Config)) (*Session, []string, error) {
	cfg := testConfig()
	cfg.DeliverTimeout, cfg.ReportTimeout, cfg.RemoveTimeout = 2*time.Second, 2*time.Second, 2*time.Second
	if edit != nil {
		edit(&cfg)
	}
	var said []string
	say := func(s string) { said = append(said, s) }
	s, err := start(ctx, Clients{Kube: c}, cfg, parts{probe: withProbe, attach: containerOf(run)}, say, say)
	return s, said, err
}

func wantGone(t *testing.T, c *fakeCluster) {
	t.Helper()
	for _, p := range c.pods(t) {
		t.Errorf("pod %s remains", p.Name)
	}
}

func TestSession(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	c.kubelet = runningAtOnce
	byHand := ""
	s, said, err := begin(t.Context(), c, answers, func(cfg *Config) {
		cfg.Kubectl = "kubectl --context=prod"
		cfg.Created = func(command string) { byHand = command }
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.node.Name != "worker-1" || len(said) == 0 {
		t.Errorf("node %q, progress %q", s.node.Name, said)
	}
	if want := "kubectl --context=prod delete pod " + c.created[0].Name + " -n default"; byHand != want {
		t.Errorf("by hand: %q, want %q", byHand, want)
	}
	for _, pid := range []int{1, 2} {
		r := report.NewRequest(report.CollectProcesses)
		r.PIDs = []int{pid}
		got, err := s.Collect(t.Context(), r)
		if err != nil || got.Node.Hostname != fmt.Sprint(r.PIDs) {
			t.Fatalf("report %d: got %+v, %v", pid, got, err)
		}
	}
	s.Finish()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	wantGone(t, c)
}

func TestCloseWithoutFinishEndsStdin(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	c.kubelet = runningAtOnce
	ended := make(chan error, 1)
	s, _, err := begin(t.Context(), c, func(_ context.Context, requests *report.FrameReader, _ string, _ streams) error {
		_, err := requests.Next()
		ended <- err
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("the probe got a message in place of the end")
	}
	wantGone(t, c)
}

func TestCollectFails(t *testing.T) {
	for name, c := range map[string]struct {
		run  program
		want []string
	}{
		"an error in place of a report": {func(_ context.Context, r *report.FrameReader, nonce string, s streams) error {
			r.Next()
			return report.WriteFrame(s.stdout, nonce, report.Frame{Type: report.FrameError, Payload: []byte("no /proc\x1b")})
		}, []string{`the probe on node "worker-1" failed: no /proc\x1b`}},
		"an end without a word": {func(_ context.Context, r *report.FrameReader, _ string, _ streams) error {
			r.Next()
			return nil
		}, []string{"ended before a whole message had arrived", "OOMKilled", "memory limit was too low"}},
		"an end with words": {func(_ context.Context, r *report.FrameReader, _ string, s streams) error {
			r.Next()
			fmt.Fprint(s.stderr, "panic: \x1b[31mred\n")
			fmt.Fprint(s.stdout, "some noise\n")
			return nil
		}, []string{"it printed: motd", "some noise", `panic: \x1b[31mred`}},
		"a cut report": {func(_ context.Context, r *report.FrameReader, nonce string, s streams) error {
			r.Next()
			var b bytes.Buffer
			report.WriteFrame(&b, nonce, reportFrame("x"))
			s.stdout.Write(b.Bytes()[:b.Len()-5])
			return nil
		}, []string{"failed to get a report on node \"worker-1\""}},
		"a broken connection": {func(_ context.Context, r *report.FrameReader, _ string, _ streams) error {
			r.Next()
			return errors.New("connection reset by peer")
		}, []string{"connection reset by peer"}},
		"silence": {func(ctx context.Context, r *report.FrameReader, _ string, _ streams) error {
			r.Next()
			<-ctx.Done()
			return nil
		}, []string{"no answer within"}},
		"a message of another kind": {func(_ context.Context, r *report.FrameReader, nonce string, s streams) error {
			r.Next()
			return report.WriteFrame(s.stdout, nonce, report.Frame{Type: "\x1bhello"})
		}, []string{`answered with "\x1bhello"`}},
		"no valid report": {func(_ context.Context, r *report.FrameReader, nonce string, s streams) error {
			r.Next()
			return report.WriteFrame(s.stdout, nonce, report.Frame{Type: report.FrameReport, Payload: []byte("{}")})
		}, []string{"no valid report"}},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newFakeCluster(t, testNode(nil))
			cluster.kubelet = runningAtOnce
			s, _, err := begin(t.Context(), cluster, c.run, func(cfg *Config) { cfg.ReportTimeout = 300 * time.Millisecond })
			if err != nil {
				t.Fatal(err)
			}
			ended := cluster.created[0].DeepCopy()
			ended.Status = terminated("OOMKilled", "", 137)
			if err := cluster.Tracker().Update(corev1.SchemeGroupVersion.WithResource("pods"), ended, ended.Namespace); err != nil {
				t.Fatal(err)
			}
			_, err = s.Collect(t.Context(), report.NewRequest())
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			wantGone(t, cluster)
		})
	}
}

func TestReportFromTheLogIfTheStreamBreaks(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	c.kubelet = runningAtOnce
	var log bytes.Buffer
	c.PrependReactor("get", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if a.GetSubresource() != "log" {
			return false, nil, nil
		}
		return true, &runtime.Unknown{Raw: log.Bytes()}, nil
	})
	s, _, err := begin(t.Context(), c, func(_ context.Context, r *report.FrameReader, nonce string, s streams) error {
		r.Next()
		report.WriteFrame(s.stdout, nonce, reportFrame("first"))
		r.Next()
		return errors.New("connection reset by peer")
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if r, err := s.Collect(t.Context(), report.NewRequest()); err != nil || r.Node.Hostname != "first" {
		t.Fatalf("got %+v, %v", r, err)
	}
	log.WriteString("noise\n")
	for _, f := range []report.Frame{{Type: report.FrameHello}, reportFrame("first"), reportFrame("second")} {
		report.WriteFrame(&log, s.nonce, f)
	}
	if r, err := s.Collect(t.Context(), report.NewRequest()); err != nil || r.Node.Hostname != "second" {
		t.Fatalf("got %+v, %v", r, err)
	}
}

func TestWithoutFrames(t *testing.T) {
	var b bytes.Buffer
	if err := report.WriteFrame(&b, "n0nce", report.Frame{Type: report.FrameReport, Payload: make([]byte, 5000)}); err != nil {
		t.Fatal(err)
	}
	frame := b.String()
	for name, c := range map[string]struct{ in, want string }{
		"none":          {"nodedoc: cut short\n", "nodedoc: cut short\n"},
		"whole":         {"a b\n" + frame + "panic: c\n", "a b\npanic: c\n"},
		"cut at first":  {frame[1000:] + "panic: c\n", "panic: c\n"},
		"cut at last":   {"killed\n" + frame[:300], "killed\n"},
		"nothing other": {frame, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := withoutFrames(c.in, "n0nce"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
