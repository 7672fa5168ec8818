package debugpod

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// rereadEvery is how often the pod is read anew whether the watch says
// something or not: a proxy may hold back a watch's events.
const rereadEvery = 3 * time.Second

// waiter waits for the debug container to run, and says why it waits.
type waiter struct {
	client   kubernetes.Interface
	reasons  chan string
	said     map[string]bool
	takenUp  atomic.Bool   // the kubelet has begun with the pod
	sandbox  atomic.Bool   // an event is of a step that comes after the sandbox's
	eventsAt time.Time     // when events were last read
	started  chan struct{} // closed at the kubelet's word that the container has started
}

// wait returns once the container runs, at once for what cannot heal, and when
// ctx ends. Each round watches the pod from where it was last read until
// something ends the watch, so that a watch which is refused, closed or too old
// (410) costs a read and no more. An informer would need "list" as well and, of
// servers before 1.19, would await a bookmark that they never send.
func (w *waiter) wait(ctx context.Context, p *corev1.Pod) error {
	w.started = make(chan struct{})
	go func() {
		if sawStart(ctx, w.client, p) {
			close(w.started)
		}
	}()
	got, err := p, error(nil)
	for {
		switch {
		case apierrors.IsNotFound(err), err == nil && got.UID != p.UID:
			return fmt.Errorf("the pod is gone: somebody deleted it")
		case err == nil:
			running, err := w.judge(ctx, got)
			if running || err != nil {
				return err
			}
			if running, err = w.watch(ctx, got); running || err != nil {
				return err
			}
			if err := w.tellEvent(ctx, p); err != nil {
				return err
			}
		case ctx.Err() == nil:
			w.tell(ctx, fmt.Sprintf("the API server does not answer: %v", err))
		}
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return err
		}
		got, err = w.client.CoreV1().Pods(p.Namespace).Get(ctx, p.Name, metav1.GetOptions{})
	}
}

// watch follows the pod's changes for a while.
func (w *waiter) watch(ctx context.Context, p *corev1.Pod) (running bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, rereadEvery)
	defer cancel()
	changes, err := w.client.CoreV1().Pods(p.Namespace).Watch(ctx, metav1.ListOptions{
		FieldSelector:   fields.OneTermEqualSelector("metadata.name", p.Name).String(),
		ResourceVersion: p.ResourceVersion,
	})
	if err != nil {
		return false, nil
	}
	defer changes.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, nil
		case <-w.started:
			return true, nil
		case event, ok := <-changes.ResultChan():
			changed, isPod := event.Object.(*corev1.Pod)
			if !ok || !isPod || event.Type == watch.Deleted || changed.UID != p.UID {
				return false, nil
			}
			if running, err := w.judge(ctx, changed); running || err != nil {
				return running, err
			}
		}
	}
}

func (w *waiter) judge(ctx context.Context, p *corev1.Pod) (running bool, err error) {
	if p.Status.StartTime != nil {
		w.takenUp.Store(true)
	}
	running, why, err := stateOf(p)
	if !running && err == nil {
		w.tell(ctx, why)
	}
	return running, err
}

// tell passes on a reason that has not been told before.
func (w *waiter) tell(ctx context.Context, why string) {
	if why == "" || w.said[why] {
		return
	}
	w.said[why] = true
	select {
	case w.reasons <- why:
	case <-ctx.Done():
	}
}

// tellEvent passes on what events say, since a kubelet that waits for a
// sandbox or a volume says so nowhere else. One of them cannot heal: a node
// without the directories that are to be mounted.
func (w *waiter) tellEvent(ctx context.Context, p *corev1.Pod) error {
	if time.Since(w.eventsAt) < rereadEvery {
		return nil
	}
	w.eventsAt = time.Now()
	said := latestEvent(ctx, w.client, p)
	if strings.Contains(said, "hostPath type check failed") {
		return fmt.Errorf("%s%s", said, noStarter(p, "no such file or directory"))
	}
	if reason, _, _ := strings.Cut(said, ":"); slices.Contains([]string{"Pulling", "Pulled", "Failed", "BackOff", "Created", "Started"}, reason) {
		w.sandbox.Store(true)
	}
	w.tell(ctx, said)
	return nil
}

// pause waits for d, or fails when ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
