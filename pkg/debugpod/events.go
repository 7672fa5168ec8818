package debugpod

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
)

// latestEvent is the last thing that was said about the pod, as far as events
// can be read.
func latestEvent(ctx context.Context, client kubernetes.Interface, p *corev1.Pod) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	list, err := client.CoreV1().Events(p.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("involvedObject.uid", string(p.UID)).String(),
		Limit:         50,
	})
	if err != nil {
		return ""
	}
	var latest corev1.Event
	for _, e := range list.Items {
		if e.InvolvedObject.UID == p.UID && !eventTime(e).Before(eventTime(latest)) {
			latest = e
		}
	}
	if latest.Reason == "" {
		return ""
	}
	return quote(latest.Reason, latest.Message)
}

func eventTime(e corev1.Event) time.Time {
	if e.LastTimestamp.IsZero() {
		return e.EventTime.Time
	}
	return e.LastTimestamp.Time
}

// sawStart returns whether the kubelet says that the container has started. It
// says so at once by an event, and in the pod's status only after its next look
// at all containers, up to a second later. Where events are not ours to watch,
// or the watch ends, the status does.
func sawStart(ctx context.Context, client kubernetes.Interface, p *corev1.Pod) bool {
	events, err := client.CoreV1().Events(p.Namespace).Watch(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("involvedObject.uid", string(p.UID)).String(),
	})
	if err != nil {
		return false
	}
	defer events.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case got, ok := <-events.ResultChan():
			if !ok {
				return false
			}
			if e, isEvent := got.Object.(*corev1.Event); isEvent && isStart(e, p) {
				return true
			}
		}
	}
}

// isStart: others may write events, too, but hardly in a kubelet's name.
func isStart(e *corev1.Event, p *corev1.Pod) bool {
	return e.Reason == "Started" && e.InvolvedObject.UID == p.UID && e.InvolvedObject.FieldPath == "spec.containers{"+containerName+"}" &&
		e.Source.Component == "kubelet" && e.Source.Host == p.Spec.NodeName
}
