package debugpod

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// imageOf attaches to a container of an image that holds the probe: it takes a
// line, no probe, and says its version.
func imageOf(version string) func(Clients, *corev1.Pod, bool) (attachFunc, error) {
	return func(_ Clients, p *corev1.Pod, _ bool) (attachFunc, error) {
		return func(ctx context.Context, s streams) error {
			in, nonce := bufio.NewReader(s.stdin), p.Labels[labelSession]
			if line, err := in.ReadString('\n'); err != nil || line != nonce+"\n" {
				return fmt.Errorf("first line %q (%w)", line, err)
			}
			if err := report.WriteFrame(s.stdout, nonce, report.Frame{Type: report.FrameHello, Payload: []byte(version)}); err != nil {
				return err
			}
			return answers(ctx, report.NewFrameReader(in, nonce), nonce, s)
		}, nil
	}
}

func TestProbeImage(t *testing.T) {
	for name, c := range map[string]struct{ version, want string }{
		"of our version":     {"v0.1.0", ""},
		"of another version": {"v0.0.9\x1b[2J", `image corp/probe:1 holds the probe of version v0.0.9\x1b[2J, and this is v0.1.0: name an image of this version, or leave --probe-image away`},
		"of no version":      {"", "holds the probe of version no reason given"},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newFakeCluster(t, testNode(nil))
			cluster.kubelet = runningAtOnce
			cfg := testConfig()
			cfg.ProbeImage, cfg.RemoveTimeout = "corp/probe:1", 2*time.Second
			s, err := start(t.Context(), Clients{Kube: cluster}, cfg, parts{attach: imageOf(c.version)}, func(string) {}, func(string) {})
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
				wantGone(t, cluster)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r := report.NewRequest(report.CollectProcesses)
			r.PIDs = []int{7}
			if got, err := s.Collect(t.Context(), r); err != nil || got.Node.Hostname != "[7]" {
				t.Errorf("got %+v, %v", got, err)
			}
			s.Finish()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			wantGone(t, cluster)
			if p := cluster.created[0]; len(p.Spec.Volumes) > 0 || p.Spec.Containers[0].Image != "corp/probe:1" {
				t.Errorf("got %+v", p.Spec)
			}
		})
	}
}

func TestImageWithoutAProbe(t *testing.T) {
	p := &corev1.Pod{Spec: pod(testSpec(func(s *podSpec) {
		s.image = imageChoice{name: "corp/x:1", by: byItself}
		s.command = command(byItself, s.nonce, nil)
	})).Spec, Status: terminated("StartError", `exec: "/nodedoc-probe": stat /nodedoc-probe: no such file or directory: unknown`, 128)}
	if _, _, err := stateOf(p); err == nil || !strings.Contains(err.Error(), "image corp/x:1 holds no probe at /nodedoc-probe") {
		t.Errorf("got %v", err)
	}
}

// The recipe and the pod must agree on where the probe is.
func TestRecipe(t *testing.T) {
	recipe, err := os.ReadFile("../../cmd/nodedoc-probe/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`FROM scratch`, `COPY .*nodedoc-probe-linux-\$\{TARGETARCH\} ` + probeInImage, `ENTRYPOINT \["` + probeInImage + `"\]`} {
		if !regexp.MustCompile(`(?m)^` + line + `$`).Match(recipe) {
			t.Errorf("no line %q in\n%s", line, recipe)
		}
	}
}
