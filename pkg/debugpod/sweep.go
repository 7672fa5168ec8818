package debugpod

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
)

// SweepOptions choose among the pods that nodedoc left behind.
type SweepOptions struct {
	// Namespace to look into, "" for all.
	Namespace string
	// Force deletes pods of sessions that may still run, too.
	Force bool
	// MinAge spares younger pods: a finished pod's log may be about to be read.
	MinAge time.Duration
	// Now is the time to compare with, zero for the present.
	Now time.Time
}

// Swept says what became of each pod found, as namespace/name.
type Swept struct {
	Deleted []string
	// Running pods belong to a session that may be alive; Force takes them.
	Running []string
	// Recorders were left, each with what it is; Force takes them.
	Recorders []string
	// Stuck pods were deleted before, and something holds them.
	Stuck []string
}

// overdue is how long after its deadline a pod is given up: the clocks of
// server and client may differ.
const overdue = 5 * time.Minute

// Sweep deletes the pods that earlier sessions left: those that have finished,
// and those that have outlived their deadline. Recorders stay, and once they have
// ended, for a while what they recorded. It neither strips finalizers
// nor forces a deletion.
func Sweep(ctx context.Context, client kubernetes.Interface, o SweepOptions) (Swept, error) {
	list, err := client.CoreV1().Pods(o.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: labels.Set{labelName: appName, labelManagedBy: managedBy}.String(),
	})
	if err != nil {
		return Swept{}, fmt.Errorf("failed to list the pods of nodedoc: %w", err)
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	var swept Swept
	var failed []error
	for i := range list.Items {
		p := &list.Items[i]
		name := p.Namespace + "/" + p.Name
		switch {
		case isStandby(p): // a DaemonSet's, see UninstallStandby
		case p.DeletionTimestamp != nil:
			if o.Now.Sub(p.DeletionTimestamp.Time) > time.Minute {
				swept.Stuck = append(swept.Stuck, fmt.Sprintf("%s (terminating since %s, %s)",
					name, p.DeletionTimestamp.UTC().Format(time.RFC3339), stuck(p)))
			}
		case !o.Force && isRecorder(p) && !recordingIsOld(p, o.Now):
			swept.Recorders = append(swept.Recorders, name+": "+asRecorder(p).String())
		case !o.Force && !isOver(p, o.Now):
			swept.Running = append(swept.Running, name)
		case o.Now.Sub(p.CreationTimestamp.Time) < o.MinAge:
		default:
			err := client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, metav1.DeleteOptions{
				Preconditions: &metav1.Preconditions{UID: &p.UID},
			})
			if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
				failed = append(failed, fmt.Errorf("failed to delete pod %q: %w", name, err))
				continue
			}
			swept.Deleted = append(swept.Deleted, name)
		}
	}
	return swept, errors.Join(failed...)
}

// isOver says whether no session can still use the pod.
func isOver(p *corev1.Pod, now time.Time) bool {
	if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return true
	}
	deadline := p.Spec.ActiveDeadlineSeconds
	return deadline != nil && now.Sub(p.CreationTimestamp.Time) > time.Duration(*deadline)*time.Second+overdue
}

// sweepBefore clears, as well as it can, what a killed session left in the
// namespace that the next one uses.
func sweepBefore(ctx context.Context, client kubernetes.Interface, namespace string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	_, _ = Sweep(ctx, client, SweepOptions{Namespace: namespace, MinAge: 2 * time.Minute})
}
