//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// gate holds requests of one kind until it opens, or until the client gives up.
type gate struct {
	reached, open chan struct{}
	once          sync.Once
}

func newGate() *gate { return &gate{reached: make(chan struct{}), open: make(chan struct{})} }

func (g *gate) hold(r *http.Request) (goOn bool) {
	g.once.Do(func() { close(g.reached) })
	select {
	case <-g.open:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (g *gate) await(t *testing.T) {
	t.Helper()
	select {
	case <-g.reached:
	case <-time.After(time.Minute):
		t.Fatal("the phase was not reached within a minute")
	}
}

// holding is a fault that holds the requests that are meant.
func holding(g *gate, meant func(*http.Request) bool) fault {
	return func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if !meant(r) || g.hold(r) {
			pass.ServeHTTP(w, r)
		}
	}
}

// interruptible are phases in which a proxy can hold a run, and whether the pod
// may be there by then.
func interruptible(t *testing.T) map[string]struct {
	mayBeThere bool
	fault      func(*gate) fault
} {
	meaning := func(meant func(*http.Request) bool) func(*gate) fault {
		return func(g *gate) fault { return holding(g, meant) }
	}
	return map[string]struct {
		mayBeThere bool
		fault      func(*gate) fault
	}{
		"while checking access":    {false, meaning(func(r *http.Request) bool { return strings.Contains(r.URL.Path, "selfsubject") })},
		"in the dry run":           {false, meaning(isDryRun)},
		"while the pod is created": {true, meaning(isCreate)},
		"when the pod is created and nobody has said so": {true, func(g *gate) fault {
			return func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
				if !isCreate(r) {
					pass.ServeHTTP(w, r)
					return
				}
				again, body := cloneRequest(t, r)
				pass.ServeHTTP(discard{}, again(body))
				g.hold(r)
				lose()
			}
		}},
		"while the stream opens":   {true, meaning(isAttach)},
		"while the pod is removed": {true, meaning(isDelete)},
		"while the pod is waited for": {true, meaning(func(r *http.Request) bool {
			return isPod(r, http.MethodGet) && strings.Contains(r.URL.Path, "/pods/nodedoc-")
		})},
	}
}

// TestInterruptedInEachPhase: one Ctrl-C cleans up.
func TestInterruptedInEachPhase(t *testing.T) {
	t.Parallel()
	for name, phase := range interruptible(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGate()
			p := newPlace(t, node, nil).through(t, newProxy(t, phase.fault(g)))
			b := p.start(t, "fd", node, "--interval", "200ms")
			g.await(t)
			_ = b.Process.Signal(os.Interrupt)
			time.AfterFunc(500*time.Millisecond, func() { close(g.open) })
			r := b.end(t, 45*time.Second)
			if r.code != 130 || !strings.HasSuffix(r.stderr, "interrupted\n") {
				t.Errorf("exit code %d, stderr %q, want 130 and no more than that", r.code, r.stderr)
			}
			if !phase.mayBeThere {
				p.nothingCreated(t)
			}
			p.clean(t)
		})
	}
}

// TestInterruptedTwiceInEachPhase: it leaves at once, with the
// command that finishes by hand, which does.
func TestInterruptedTwiceInEachPhase(t *testing.T) {
	t.Parallel()
	for name, phase := range interruptible(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGate()
			p := newPlace(t, node, nil).through(t, newProxy(t, phase.fault(g)))
			b := p.start(t, "fd", node, "--interval", "200ms")
			g.await(t)
			_ = b.Process.Signal(os.Interrupt)
			time.Sleep(100 * time.Millisecond)
			_ = b.Process.Signal(os.Interrupt)
			r := b.end(t, 2*time.Second)
			if r.code != 130 {
				t.Errorf("exit code %d, want 130: %s", r.code, r.stderr)
			}
			if phase.mayBeThere != strings.Contains(r.stderr, "delete pod nodedoc-") {
				t.Errorf("%q: says how to finish by hand, want %t", r.stderr, phase.mayBeThere)
			}
			p.kubeconfig = ""
			p.cleanupByHand(t)
		})
	}
}

// cleanupByHand removes what a run could not.
func (p place) cleanupByHand(t *testing.T) {
	t.Helper()
	if r := run(t, p.command("cleanup", "--force")); r.code != 0 {
		t.Errorf("cleanup: %+v", r)
	}
	p.cleanWithin(t, 40*time.Second)
}

// TestKilledAndSwept: nobody is left to clean up. The container ends
// by itself, at stdin's end or after the shell's two minutes, and the next run
// in the namespace removes the record.
func TestKilledAndSwept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		patience time.Duration
		reach    func(*testing.T, place, *gate)
		fault    func(*gate) fault
	}{
		"while the probe samples": {15 * time.Second, func(t *testing.T, p place, _ *gate) { p.samples(t) }, func(*gate) fault { return nil }},
		"before the stream opens": {135 * time.Second, func(t *testing.T, _ place, g *gate) { g.await(t) }, func(g *gate) fault { return holding(g, isAttach) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, g := newPlace(t, node, nil), newGate()
			b := p.through(t, newProxy(t, c.fault(g))).start(t, "fd", node, "--interval", "100s")
			c.reach(t, p, g)
			_ = b.Process.Kill()
			_ = b.Wait()
			var left *corev1.Pod
			eventually(t, "container ends", c.patience, func() bool {
				left = p.pod(t, "is known", exists)
				return left.Status.Phase == corev1.PodFailed || left.Status.Phase == corev1.PodSucceeded
			})
			if r := run(t, p.command("cleanup")); !strings.Contains(r.stdout, "deleted pod "+p.namespace+"/"+left.Name) && name == "while the probe samples" {
				t.Errorf("cleanup: %+v", r)
			}
			if name == "before the stream opens" { // younger ones may be about to be read
				time.Sleep(time.Until(left.CreationTimestamp.Add(125 * time.Second)))
			}
			answered(t, p.fd(t, 30*time.Second))
		})
	}
}

// TestNetworkLostWhileRemoving: the answer is there; the retries are
// bounded, and the command that finishes by hand is printed.
func TestNetworkLostWhileRemoving(t *testing.T) {
	t.Parallel()
	t.Run("for good", func(t *testing.T) {
		t.Parallel()
		p, x := newPlace(t, node, nil), newProxy(t, nil)
		x.setFault(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
			if isDelete(r) {
				time.Sleep(time.Second) // the goodbye on the stream, sent just before, arrives
				x.dark.Store(true)
				x.hang(r)
				return
			}
			pass.ServeHTTP(w, r)
		})
		r := p.through(t, x).runDirty(t, 75*time.Second, "fd", node, "--interval", "200ms")
		if r.code != 1 || !strings.Contains(r.stdout, "kubelet.service") {
			t.Errorf("exit code %d, want 1, and the answer: %q", r.code, r.stdout)
		}
		left := p.pod(t, "is there", exists)
		for _, says := range []string{"could not delete pod " + p.namespace + "/" + left.Name, "delete pod " + left.Name + " -n " + p.namespace} {
			if !strings.Contains(r.stderr, says) {
				t.Errorf("%q does not say %q", r.stderr, says)
			}
		}
		eventually(t, "container ends by itself", 20*time.Second, func() bool {
			phase := p.pod(t, "is there", exists).Status.Phase
			return phase == corev1.PodSucceeded || phase == corev1.PodFailed
		})
		p.cleanupByHand(t)
	})
	t.Run("for a while", func(t *testing.T) {
		t.Parallel()
		var lost atomic.Int32
		x := newProxy(t, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
			if isDelete(r) && lost.Add(1) <= 4 {
				lose()
			}
			pass.ServeHTTP(w, r)
		})
		answered(t, newPlace(t, node, nil).through(t, x).fd(t, 45*time.Second))
	})
}

// TestForeignFinalizer: it is named, and stays.
func TestForeignFinalizer(t *testing.T) {
	t.Parallel()
	const finalizer = "faults.nodedoc.test/hold"
	p := newPlace(t, node, nil)
	pods := cluster.Client.CoreV1().Pods(p.namespace)
	b := p.start(t, "fd", node, "--interval", "3s")
	pod, _ := p.samples(t)
	patch := func(text string) {
		if _, err := pods.Patch(t.Context(), pod.Name, types.MergePatchType, []byte(text), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	patch(`{"metadata":{"finalizers":["` + finalizer + `"]}}`)
	r := b.end(t, time.Minute)
	if r.code != 1 || !strings.Contains(r.stdout, "kubelet.service") || !strings.Contains(r.stderr, "finalizers hold it: ["+finalizer+"]") ||
		!strings.Contains(r.stderr, "delete pod "+pod.Name) {
		t.Errorf("got %+v", r)
	}
	if still := p.pod(t, "is there", exists); len(still.Finalizers) != 1 || still.DeletionTimestamp == nil {
		t.Errorf("finalizers %v, deleted at %v", still.Finalizers, still.DeletionTimestamp)
	}
	if r := run(t, p.command("cleanup", "--force")); strings.Contains(r.stdout, "deleted pod") {
		t.Errorf("cleanup: %+v", r)
	}
	patch(`{"metadata":{"finalizers":null}}`)
	p.clean(t)
}

// TestObjectIsForceDeleted while the container lives: said, and the
// container goes as well.
func TestObjectIsForceDeleted(t *testing.T) {
	t.Parallel()
	p := newPlace(t, node, nil)
	b := p.start(t, "fd", node, "--interval", "30s")
	pod, _ := p.samples(t)
	deleteAtOnce(t, p.namespace, pod.Name)
	r := b.end(t, 20*time.Second)
	refused(t, r, "failed to get a report", "somebody deleted the pod")
	p.clean(t)
}

// TestTerminatedWhileDelivering: what a supervisor sends is a Ctrl-C, too.
func TestTerminatedWhileDelivering(t *testing.T) {
	t.Parallel()
	x := newProxy(t, nil)
	x.limitAction = freezeStream
	x.limit.Store(300_000)
	p := newPlace(t, node, nil)
	b := p.through(t, x).start(t, "fd", node)
	eventually(t, "stream stands", time.Minute, func() bool { return x.carried.Load() > 300_000 })
	_ = b.Process.Signal(syscall.SIGTERM)
	if r := b.end(t, 30*time.Second); r.code != 130 {
		t.Errorf("got %+v, want 130", r)
	}
	p.clean(t)
}
