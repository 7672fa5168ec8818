package debugpod

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func standbyPod(edit func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "nodedoc-standby-amd64-x", Labels: standbyLabels("amd64"),
		Annotations: map[string]string{annotationVersion: "v1"}}, Spec: corev1.PodSpec{NodeName: "worker-1", HostPID: true,
		Volumes: []corev1.Volume{{Name: keptVolume, VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: report.KeptDir}}}}}}
	p.Labels[labelSession] = "0123456789abcdef"
	runningAtOnce(p)
	if edit != nil {
		edit(p)
	}
	return p
}

// Two clients at once, and others before: it waits, and takes its own answer.
func TestStandbyCollect(t *testing.T) {
	c := newFakeCluster(t, testNode(nil), standbyPod(nil))
	s, err := FindStandby(t.Context(), c, "worker-1", "default")
	if err != nil || !s.Running || s.Pod != "nodedoc-standby-amd64-x" {
		t.Fatalf("found %+v, %v", s, err)
	}
	attach := func(_ Clients, p *corev1.Pod, _ bool) (attachFunc, error) {
		return func(_ context.Context, s streams) error {
			f, err := report.NewFrameReader(s.stdin, p.Labels[labelSession]).Next()
			if err != nil || f.Type != report.FrameRequest {
				return fmt.Errorf("got %q (%w)", f.Type, err)
			}
			own := asked(f).ReplyTo
			for _, m := range []struct{ nonce, kind, text, host string }{
				{own, report.FrameWait, "2", ""}, {"beef", report.FrameReport, "", "another's"}, {own, report.FrameWait, "0", ""}, {own, report.FrameReport, "", "ours"},
			} {
				payload := []byte(m.text)
				if m.kind == report.FrameReport {
					if payload, err = report.EncodeReport(&report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind, Node: report.Node{Hostname: m.host}}); err != nil {
						return err
					}
				}
				if err := report.WriteFrame(s.stdout, m.nonce, report.Frame{Type: m.kind, Payload: payload}); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}
	var said []string
	r, err := s.collect(t.Context(), Clients{Kube: c}, report.NewRequest(), attach, func(w string) { said = append(said, w) })
	if err != nil || r.Node.Hostname != "ours" || len(said) != 1 || !strings.Contains(said[0], "serves 2 others first") {
		t.Errorf("got %+v, %v, said %q", r, err, said)
	}
	if s.Skew("v1", "kubectl") != "" || !strings.Contains(s.Skew("v2", "kubectl --context=c"), "`kubectl nodedoc --context=c standby install` renews it") {
		t.Errorf("skew: %s", s.Skew("v2", "kubectl --context=c"))
	}
	broken := func(Clients, *corev1.Pod, bool) (attachFunc, error) {
		return func(context.Context, streams) error { return errors.New("dial tcp 10.0.0.1:10250: connection refused") }, nil
	}
	if _, err := s.collect(t.Context(), Clients{Kube: c}, report.NewRequest(), broken, func(string) {}); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
	c.denied["create pods/attach"] = true
	if _, err := s.collect(t.Context(), Clients{Kube: c}, report.NewRequest(), attach, func(string) {}); err == nil || !strings.Contains(err.Error(), "you may not create pods/attach") {
		t.Errorf("got %v", err)
	}
}

// Of two, as while one replaces the other, the one that runs is found; never what only
// has the label, as any pod may.
func TestFindStandby(t *testing.T) {
	for name, edit := range map[string]func(*corev1.Pod){
		"sees its own processes": func(p *corev1.Pod) { p.Spec.HostPID = false },
		"has no disk":            func(p *corev1.Pod) { p.Spec.Volumes = nil },
	} {
		if s, err := FindStandby(t.Context(), newFakeCluster(t, testNode(nil), standbyPod(edit)), "worker-1"); !errors.Is(err, ErrNoStandby) {
			t.Errorf("%s: found %+v, %v", name, s, err)
		}
	}
	pending := standbyPod(func(p *corev1.Pod) { p.Name, p.Status = "a", corev1.PodStatus{Phase: corev1.PodPending} })
	c := newFakeCluster(t, testNode(nil), pending, standbyPod(nil))
	if s, err := FindStandby(t.Context(), c, "worker-1"); err != nil || s.Pod != "nodedoc-standby-amd64-x" {
		t.Errorf("found %+v, %v", s, err)
	}
	if _, err := FindStandby(t.Context(), newFakeCluster(t, testNode(nil)), "worker-1"); !errors.Is(err, ErrNoStandby) {
		t.Errorf("got %v", err)
	}
	swept, err := Sweep(t.Context(), c, SweepOptions{Force: true})
	if err != nil || len(swept.Deleted)+len(swept.Running)+len(swept.Recorders) > 0 || len(c.pods(t)) != 2 {
		t.Errorf("swept %+v, %v", swept, err)
	}
}

// A node that is sick is left to its standby, and nothing is created; without one it is tried.
func TestElsewhere(t *testing.T) {
	sick := testNode(func(n *corev1.Node) {
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Message: "container runtime is down"}}
	})
	c := newFakeCluster(t, sick)
	_, _, err := begin(t.Context(), c, answers, func(cfg *Config) { cfg.Elsewhere = func(context.Context) bool { return true } })
	var other *ElsewhereError
	if !errors.As(err, &other) || other.Removed != nil || !strings.Contains(err.Error(), "container runtime is down") || len(c.created) > 0 {
		t.Errorf("got %v, created %d", err, len(c.created))
	}
	c.kubelet = runningAtOnce
	asked := 0
	s, _, err := begin(t.Context(), c, answers, func(cfg *Config) { cfg.Elsewhere = func(context.Context) bool { asked++; return false } })
	if err != nil || asked != 1 {
		t.Fatalf("got %v, asked %d times", err, asked)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// What a kubelet, or what stands before it, may answer.
func TestReadKept(t *testing.T) {
	packed, err := report.EncodeReport(&report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind, Node: report.Node{Hostname: "n"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		code int
		body string
		want string
	}{
		"whole":                {200, string(packed), ""},
		"cut":                  {200, string(packed[:len(packed)-9]), "is no valid report"},
		"none was kept":        {404, "404 page not found\n", `node "worker-1" has no report of a standby (/var/log/nodedoc/report.gz)`},
		"switched off":         {405, "logs endpoint is disabled.\n", "enableSystemLogHandler"},
		"not allowed":          {403, "{}", "you may not get nodes/proxy"},
		"the kubelet is dead":  {502, "dial tcp: connection \x1b[31mrefused", `HTTP status 502: dial tcp: connection \x1b[31mrefused`},
		"a page of some proxy": {200, "<html>", "is no valid report"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/v1/nodes/worker-1/proxy/logs/nodedoc/report.gz" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 04:00:00 GMT")
				w.Header().Set("Date", "Sun, 22 Nov 2026 04:01:30 GMT")
				w.WriteHeader(c.code)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			kept, err := ReadKept(t.Context(), Clients{REST: &rest.Config{Host: server.URL}}, "worker-1")
			switch {
			case c.want == "" && (err != nil || kept.Report.Node.Hostname != "n" || kept.Age != 90*time.Second):
				t.Errorf("got %+v, %v", kept, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v", err)
			}
		})
	}
}
