//go:build e2e

package e2e

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
)

var (
	cuts    = flag.Int("cuts", 24, "at how many points to cut the stream")
	cutSeed = flag.Uint64("cuts.seed", 0, "which points, besides the fixed ones; 0: others each time")
)

// cutPoints of a stream, counted in bytes of both ways together: a third from
// its start on a logarithmic scale, a third at random, and a third spread over
// the little that comes after the delivery: hello, request, report,
// acknowledgement.
func cutPoints(t *testing.T, delivered, total int64) []int64 {
	seed := *cutSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("stream of %d bytes, delivery ends at %d, -cuts.seed=%d", total, delivered, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	points := make([]int64, 0, *cuts)
	for i := range *cuts {
		part := float64(i+1) / float64(*cuts+1)
		switch i % 3 {
		case 0:
			points = append(points, int64(math.Pow(float64(delivered), part)))
		case 1:
			points = append(points, 1+random.Int64N(total))
		default:
			points = append(points, delivered+int64(part*float64(total-delivered)))
		}
	}
	return points
}

// TestStreamIsCutAfterKBytes: wherever delivery, hello,
// request, report or acknowledgement end, there is the full right answer or a
// clear error, and nothing stays.
func TestStreamIsCutAfterKBytes(t *testing.T) {
	t.Parallel()
	whole := newProxy(t, nil)
	answered(t, newPlace(t, node, nil).through(t, whole).fd(t, 30*time.Second))
	points := cutPoints(t, whole.delivered.Load(), whole.carried.Load())
	const lanes = 4
	for lane := range lanes {
		t.Run(fmt.Sprint("lane ", lane), func(t *testing.T) {
			t.Parallel()
			for i := lane; i < len(points); i += lanes {
				x := newProxy(t, nil)
				x.limitAction = []limitAction{cutStream, resetStream}[i/lanes%2]
				x.limit.Store(points[i])
				r := newPlace(t, node, nil).through(t, x).fd(t, 75*time.Second)
				t.Logf("cut after %d: exit code %d %s", points[i], r.code, r.stderr)
				if r.code == 0 {
					answered(t, r)
				} else {
					refused(t, r, "on node \""+node+"\"")
				}
			}
		})
	}
}

// TestHalfOpenStream: bytes are taken and nobody answers. While the
// probe is delivered that is an error in time; once it has answered, its log is
// the second way.
func TestHalfOpenStream(t *testing.T) {
	t.Parallel()
	whole := newProxy(t, nil)
	answered(t, newPlace(t, node, nil).through(t, whole).fd(t, 30*time.Second))
	delivered, total := whole.delivered.Load(), whole.carried.Load()
	t.Run("in delivery", func(t *testing.T) {
		t.Parallel()
		x := newProxy(t, nil)
		x.limitAction = freezeStream
		x.limit.Store(delivered / 3)
		refused(t, newPlace(t, node, nil).through(t, x).fd(t, 75*time.Second), "failed to start the probe", "30s")
	})
	t.Run("in the report", func(t *testing.T) {
		t.Parallel()
		x := newProxy(t, nil)
		x.limitAction = freezeStream
		x.limit.Store((delivered + total) / 2)
		began := time.Now()
		answered(t, newPlace(t, node, nil).through(t, x).fd(t, 3*time.Minute))
		if time.Since(began) < 20*time.Second {
			t.Error("the stream carried all: nothing was tested")
		}
	})
}

// TestAttachComesLate: the container says nothing before somebody
// listens, so nothing of it is lost.
func TestAttachComesLate(t *testing.T) {
	t.Parallel()
	p := newPlace(t, node, nil)
	held := false
	x := newProxy(t, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if isAttach(r) {
			held = true
			pod := p.pods(t)[0]
			eventually(t, "the shell waits for its first line", 30*time.Second, func() bool {
				return onNode(t, "grep -l "+string(pod.UID)+" $(pgrep -xf 'sleep 120' | sed 's:.*:/proc/&/cgroup:') /dev/null || true") != ""
			})
			var log []byte
			eventually(t, "the API server knows of the container", 30*time.Second, func() bool {
				var err error
				log, err = cluster.Client.CoreV1().Pods(p.namespace).GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(t.Context())
				return err == nil
			})
			if len(log) > 0 {
				t.Errorf("before the attach it said %q", log)
			}
		}
		pass.ServeHTTP(w, r)
	})
	answered(t, p.through(t, x).fd(t, time.Minute))
	if !held {
		t.Error("nobody attached: nothing was tested")
	}
}

// TestWebSocketIsRefused: SPDY carries the stream.
func TestWebSocketIsRefused(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusBadRequest, http.StatusForbidden, http.StatusBadGateway} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			t.Parallel()
			x := newProxy(t, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
				if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
					w.WriteHeader(code)
					return
				}
				pass.ServeHTTP(w, r)
			})
			answered(t, newPlace(t, node, nil).through(t, x).fd(t, 30*time.Second))
			if len(x.requests("POST", "/attach")) != 1 || len(x.requests("GET", "/attach")) != 1 {
				t.Errorf("attached with %v, want WebSocket and then SPDY", x.requests("/attach"))
			}
		})
	}
}

// TestNoiseInTheStream: what others print into the container's
// streams is not taken for the probe's.
func TestNoiseInTheStream(t *testing.T) {
	t.Parallel()
	p := newPlace(t, node, nil)
	b := p.start(t, "fd", node, "--interval", "3s")
	_, pid := p.samples(t)
	onNode(t, `for i in 1 2 3; do for fd in 1 2; do
		printf 'Welcome to the jungle\nnodedoc nodedoc: {}\n' >/proc/`+pid+`/fd/$fd; done; done`)
	answered(t, b.end(t, 30*time.Second))
	p.clean(t)
}

// TestSecondAttacher: another client may take part in the stream,
// but its bytes are not taken for ours.
func TestSecondAttacher(t *testing.T) {
	t.Parallel()
	t.Run("before us", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t, node, nil)
		x := newProxy(t, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
			if isAttach(r) {
				attach(t, &p.pods(t)[0], "echo who am I\n")
			}
			pass.ServeHTTP(w, r)
		})
		refused(t, p.through(t, x).fd(t, time.Minute), "another client is attached")
	})
	t.Run("while the probe samples", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t, node, nil)
		b := p.start(t, "fd", node, "--interval", "4s")
		pod, _ := p.samples(t)
		attach(t, pod, "echo who am I\n")
		r := b.end(t, time.Minute)
		if r.code == 0 {
			answered(t, r)
		} else {
			refused(t, r, "failed to get a report")
		}
		p.clean(t)
	})
}

// attach sends something to the container's stdin, and stays for two seconds.
func attach(t *testing.T, pod *corev1.Pod, says string) {
	t.Helper()
	url := cluster.Client.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("attach").
		VersionedParams(&corev1.PodAttachOptions{Container: "nodedoc", Stdin: true, Stdout: true, Stderr: true}, scheme.ParameterCodec).URL()
	executor, err := remotecommand.NewSPDYExecutor(cluster.REST, "POST", url)
	if err != nil {
		t.Error(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	in, said := io.Pipe()
	go func() { _, _ = io.WriteString(said, says) }()
	_ = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: in, Stdout: io.Discard, Stderr: io.Discard})
}

// TestAPIServerRestarts while the probe samples: the stream breaks.
// The report is there when the server is back, or a clear error; the pod goes.
// Nothing runs beside this test.
func TestAPIServerRestarts(t *testing.T) {
	p := newPlace(t, node, nil)
	b := p.start(t, "fd", node, "--interval", "3s")
	p.samples(t)
	restartService(t, "kube-apiserver")
	r := b.end(t, 90*time.Second)
	t.Logf("exit code %d %s", r.code, r.stderr)
	if r.code == 0 {
		answered(t, r)
	} else {
		refused(t, r, "failed to get a report on node")
	}
	p.clean(t)
}
