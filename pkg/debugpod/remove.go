package debugpod

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// settle is how long a pod is looked for whose creation was neither confirmed
// nor refused: the server may still be at it.
func settle(timeout time.Duration) time.Duration { return min(5*time.Second, timeout/4) }

// leftover is a pod to remove.
type leftover struct {
	client          kubernetes.Interface
	namespace, name string
	nonce           string
	uid             types.UID // empty: not known to exist
	kubectl         string
}

func (l leftover) byHand() string {
	return fmt.Sprintf("%s delete pod %s -n %s", l.kubectl, l.name, l.namespace)
}

// remove deletes the pod and waits until it is really gone, that is, until the
// kubelet has confirmed that its container is. It has a context of its own:
// the caller's may be the reason for removing it. Finalizers stay untouched,
// and deletion is never forced while the container may run: that would hide it.
func (l leftover) remove(timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	accepted, err := within(ctx, func(ctx context.Context) (bool, error) {
		if l.uid == "" {
			var err error
			if l.uid, err = l.find(ctx, settle(timeout)); err != nil || l.uid == "" {
				return false, err
			}
		}
		return l.delete(ctx)
	})
	if err != nil {
		return fmt.Errorf("could not delete pod %s/%s: it ends by itself, but its record stays; run `%s`: %w",
			l.namespace, l.name, l.byHand(), err)
	}
	if !accepted {
		return nil
	}
	last, err := within(ctx, l.waitGone)
	if err != nil {
		return fmt.Errorf("could not confirm that pod %s/%s is gone: its deletion was accepted, %s; check with `%s get pod %s -n %s`, "+
			"and if it is still there run `%s`", l.namespace, l.name, last, l.kubectl, l.name, l.namespace, l.byHand())
	}
	return nil
}

// delete returns whether there was something to delete. It tries again while
// that may help: the server may be restarting.
func (l leftover) delete(ctx context.Context) (accepted bool, last error) {
	for wait := 250 * time.Millisecond; ; wait = min(2*wait, 4*time.Second) {
		err := l.client.CoreV1().Pods(l.namespace).Delete(ctx, l.name, metav1.DeleteOptions{
			Preconditions: &metav1.Preconditions{UID: &l.uid},
		})
		switch {
		case err == nil:
			return true, nil
		case apierrors.IsNotFound(err), apierrors.IsConflict(err): // conflict: another pod of this name
			return false, nil
		case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
			return false, err
		case last == nil || ctx.Err() == nil:
			last = err
		}
		if pause(ctx, wait) != nil {
			return false, last
		}
	}
}

// find looks for a pod that may have been created although nobody said so.
func (l leftover) find(ctx context.Context, patience time.Duration) (types.UID, error) {
	until := time.Now().Add(patience)
	for {
		p, err := l.client.CoreV1().Pods(l.namespace).Get(ctx, l.name, metav1.GetOptions{})
		switch {
		case err == nil && p.Labels[labelSession] == l.nonce:
			return p.UID, nil
		case err == nil:
			return "", nil
		case apierrors.IsNotFound(err) && time.Now().After(until):
			return "", nil
		case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
			return "", err
		}
		if pause(ctx, 500*time.Millisecond) != nil {
			return "", err
		}
	}
}

// waitGone returns what is known of the pod when ctx ends before it is gone.
func (l leftover) waitGone(ctx context.Context) (last string, err error) {
	for {
		p, err := l.client.CoreV1().Pods(l.namespace).Get(ctx, l.name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err), err == nil && p.UID != l.uid:
			return "", nil
		case err == nil:
			last = stuck(p)
			if l.watchGone(ctx, p) {
				return "", nil
			}
		case ctx.Err() == nil:
			last = "but since then " + err.Error()
		}
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return last, errors.New("timeout")
		}
	}
}

// watchGone follows the pod's end for a while. As soon as the kubelet says that
// the container has ended, nothing of the pod runs any more, and its record can
// go, as that of any finished pod does when it is deleted. The kubelet would
// drop it with its next look at all containers, a second later.
func (l leftover) watchGone(ctx context.Context, p *corev1.Pod) bool {
	ctx, cancel := context.WithTimeout(ctx, rereadEvery)
	defer cancel()
	ended := hasEnded(p)
	if ended && l.drop(ctx, p) {
		return true
	}
	changes, err := l.client.CoreV1().Pods(l.namespace).Watch(ctx, metav1.ListOptions{
		FieldSelector:   fields.OneTermEqualSelector("metadata.name", l.name).String(),
		ResourceVersion: p.ResourceVersion,
	})
	if err != nil {
		return false
	}
	defer changes.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case event, ok := <-changes.ResultChan():
			changed, isPod := event.Object.(*corev1.Pod)
			switch {
			case !ok || !isPod || changed.UID != l.uid:
				return false
			case event.Type == watch.Deleted:
				return true
			case !ended && hasEnded(changed):
				if ended = true; l.drop(ctx, changed) {
					return true
				}
			}
		}
	}
}

// drop deletes the record of a pod that has ended, and says whether it is gone
// by that. If not, the kubelet does it, or a finalizer holds it.
func (l leftover) drop(ctx context.Context, p *corev1.Pod) bool {
	err := l.client.CoreV1().Pods(l.namespace).Delete(ctx, l.name, metav1.DeleteOptions{
		GracePeriodSeconds: new(int64(0)),
		Preconditions:      &metav1.Preconditions{UID: &l.uid},
	})
	return err == nil && len(p.Finalizers) == 0 || apierrors.IsNotFound(err)
}

// hasEnded says whether the kubelet has seen the container's end. For one that
// it cannot find it makes up a status without an id.
func hasEnded(p *corev1.Pod) bool {
	c := containerStatus(p)
	return c != nil && c.State.Terminated != nil && c.State.Terminated.ContainerID != ""
}

// stuck says what a pod in deletion waits for.
func stuck(p *corev1.Pod) string {
	if len(p.Finalizers) > 0 {
		return fmt.Sprintf("but finalizers hold it: %v", p.Finalizers)
	}
	return fmt.Sprintf("but the kubelet of node %q has not confirmed it", p.Spec.NodeName)
}
