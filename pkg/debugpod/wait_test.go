package debugpod

import (
	"errors"
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// Whatever ends a watch, the pod is read again: nothing is missed.
func TestWatchThatEnds(t *testing.T) {
	expired := apierrors.NewResourceExpired("too old resource version")
	for name, end := range map[string]func(*watch.FakeWatcher) error{
		"closed":                        func(w *watch.FakeWatcher) error { w.Stop(); return nil },
		"410 as an event":               func(w *watch.FakeWatcher) error { go w.Error(&expired.ErrStatus); return nil },
		"410 as an answer":              func(*watch.FakeWatcher) error { return expired },
		"forbidden":                     func(*watch.FakeWatcher) error { return forbidden("no watch") },
		"a proxy's page":                func(*watch.FakeWatcher) error { return errors.New(http.StatusText(http.StatusBadGateway)) },
		"an object of an unknown kind":  func(w *watch.FakeWatcher) error { go w.Add(&metav1.Status{}); return nil },
		"deletion, of another of yours": func(w *watch.FakeWatcher) error { go w.Delete(&corev1.Pod{}); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			c := newFakeCluster(t, testNode(nil))
			c.kubelet = func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending }
			watches := 0
			c.PrependWatchReactor("pods", func(clienttesting.Action) (bool, watch.Interface, error) {
				if watches++; watches > 1 {
					return false, nil, nil
				}
				// The pod runs from now on, and this watch will not tell.
				p := c.created[0].DeepCopy()
				runningAtOnce(p)
				if err := c.Tracker().Update(corev1.SchemeGroupVersion.WithResource("pods"), p, p.Namespace); err != nil {
					t.Error(err)
				}
				w := watch.NewFake()
				return true, w, end(w)
			})
			s, _, err := begin(t.Context(), c, answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			wantGone(t, c)
		})
	}
}

// 429 and 503 come from a server that is overrun: removal waits and tries on.
func TestRemovalThroughAStorm(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	c.kubelet = runningAtOnce
	storm := []error{apierrors.NewTooManyRequests("slow down", 1), apierrors.NewServiceUnavailable("etcd"), apierrors.NewTimeoutError("late", 1)}
	c.PrependReactor("delete", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		if len(storm) == 0 {
			return false, nil, nil
		}
		err := storm[0]
		storm = storm[1:]
		return true, nil, err
	})
	s, _, err := begin(t.Context(), c, answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wantGone(t, c)
}

// An image is pulled into a sandbox that is there; of one that fails no event says more.
func TestEventsTellOfASandbox(t *testing.T) {
	p := pod(testSpec(nil))
	p.UID = "own"
	for reason, want := range map[string]bool{"Pulling": true, "BackOff": true, "FailedCreatePodSandBox": false, "FailedMount": false} {
		client := fake.NewClientset(&corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "e", Namespace: p.Namespace}, InvolvedObject: corev1.ObjectReference{UID: p.UID}, Reason: reason, Message: "of it"})
		w := waiter{client: client, reasons: make(chan string, 1), said: map[string]bool{}}
		if err := w.tellEvent(t.Context(), p); err != nil || w.sandbox.Load() != want || len(w.reasons) != 1 {
			t.Errorf("%s: got %v, %v", reason, w.sandbox.Load(), err)
		}
	}
}
