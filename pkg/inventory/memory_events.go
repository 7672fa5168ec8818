package inventory

import (
	"cmp"
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxEvents  = 200
	eventsPage = 500
	eventPages = 10 // of one question
)

// askEvents asks for the node's own events (SystemOOM, EvictionThresholdMet,
// NodeHasInsufficientMemory), and those of pods that its kubelet evicted.
func (m *Memory) askEvents(ctx context.Context, client kubernetes.Interface, node string) error {
	ofNode, err := listEvents(ctx, client, metav1.NamespaceAll, both("involvedObject.kind", "Node", "involvedObject.name", node), func(*corev1.Event) bool { return true })
	if err != nil {
		return err
	}
	ofPods, err := listEvents(ctx, client, metav1.NamespaceAll, both("involvedObject.kind", "Pod", "reason", "Evicted"), func(e *corev1.Event) bool {
		return e.Source.Host == node || e.ReportingInstance == node // by no selector
	})
	m.Events = slices.Concat(ofNode, ofPods)
	slices.SortStableFunc(m.Events, func(a, b Event) int { return cmp.Compare(b.Last, a.Last) })
	m.Events = m.Events[:min(len(m.Events), maxEvents)]
	return err
}

// both selects by two fields, in this order: fields.Set has none.
func both(field, value, other, otherValue string) fields.Selector {
	return fields.AndSelectors(fields.OneTermEqualSelector(field, value), fields.OneTermEqualSelector(other, otherValue))
}

// listEvents: the API server sorts events by namespace and name.
func listEvents(ctx context.Context, client kubernetes.Interface, namespace string, selected fields.Selector, wanted func(*corev1.Event) bool) ([]Event, error) {
	options := metav1.ListOptions{FieldSelector: selected.String(), Limit: eventsPage}
	var events []Event
	for range eventPages {
		page, err := client.CoreV1().Events(namespace).List(ctx, options)
		if err != nil {
			return events, err
		}
		for i := range page.Items {
			if wanted(&page.Items[i]) {
				events = append(events, fromEvent(&page.Items[i]))
			}
		}
		if options.Continue = page.Continue; options.Continue == "" {
			break
		}
	}
	return events, nil
}

// said is a message as somebody wrote it, without likely secrets: of a command that
// failed, of a URL.
func said(message string) string { return report.Escape(hostfs.RedactCommand(message)) }

// fromEvent: who records by events.k8s.io/v1 leaves the old fields empty.
func fromEvent(e *corev1.Event) Event {
	out := Event{Reason: report.Escape(e.Reason), Type: report.Escape(e.Type), Message: said(e.Message),
		Count: int(e.Count), First: unixOf(e.FirstTimestamp.Time), Last: unixOf(e.LastTimestamp.Time)}
	if s := e.Series; s != nil {
		out.Count, out.Last = max(out.Count, int(s.Count)), max(out.Last, unixOf(s.LastObservedTime.Time))
	}
	out.First = cmp.Or(out.First, unixOf(e.EventTime.Time), unixOf(e.CreationTimestamp.Time))
	out.Last = cmp.Or(out.Last, out.First)
	if o := e.InvolvedObject; o.Kind == "Pod" {
		out.Namespace, out.Pod, out.PodUID = report.Escape(o.Namespace), report.Escape(o.Name), report.Escape(string(o.UID))
	}
	return out
}
