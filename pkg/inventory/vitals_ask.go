package inventory

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// vitalsPatience is for each that is asked, side by side.
	vitalsPatience = 3 * time.Second
	// vitalEvents are kept of the node's.
	vitalEvents = 20
	// maxStuck pods are kept, stuckExplained of them with their last event.
	maxStuck, stuckExplained = 50, 3
	// stuckAfter: a healthy node starts a pod in a second or two.
	stuckAfter = 5 * time.Second
)

// vitalsAsker asks for them.
type vitalsAsker struct {
	client kubernetes.Interface
	node   string
	now    time.Time
	out    *Vitals
}

// AskVitals asks for all parts side by side, and is over within seconds. It does not
// fail: what could not be had is said in the result.
func AskVitals(ctx context.Context, client kubernetes.Interface, node string) *Vitals {
	now := time.Now()
	a := &vitalsAsker{client: client, node: node, now: now, out: &Vitals{Node: node, Time: now.Unix()}}
	failed := func(to *string, right string) func(error) {
		return func(err error) { *to = report.Escape(whyNot(err, right)) }
	}
	v := a.out
	endpoints := vitalEndpoints()
	questions := append(make([]question, 0, 4+len(endpoints)), []question{
		{a.askState, failed(&v.StateError, "get nodes")},
		{a.askLease, failed(&v.LeaseError, "get leases")},
		{a.askEvents, failed(&v.EventsError, "list events in namespace default")},
		{a.askPods, failed(&v.PodsError, "list pods in all namespaces")},
	}...)
	v.Endpoints = make([]Endpoint, len(endpoints))
	for i, e := range endpoints {
		v.Endpoints[i].Name = e.name
		questions = append(questions, a.askEndpoint(e, &v.Endpoints[i]))
	}
	answered := false
	for i, q := range questions {
		questions[i].ask = func(ctx context.Context) (func(), error) {
			keep, err := q.ask(ctx)
			return func() { answered = true; keep() }, err
		}
		questions[i].failed = func(err error) { answered = answered || !Unanswered(err); q.failed(err) }
	}
	askBeside(ctx, vitalsPatience, questions)
	if !answered {
		v.Unanswered = v.StateError
	}
	return v
}

// Unanswered says that an error is no word of a working API server's: it was not reached,
// was late, or failed itself (5xx).
func Unanswered(err error) bool {
	if _, understood := errors.AsType[notUnderstoodError](err); understood {
		return false
	}
	var status apierrors.APIStatus
	return err != nil && (!errors.As(err, &status) || status.Status().Code >= http.StatusInternalServerError)
}

func (a *vitalsAsker) askState(ctx context.Context) (func(), error) {
	n, err := a.client.CoreV1().Nodes().Get(ctx, a.node, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	info := n.Status.NodeInfo
	s := &NodeState{Conditions: conditionsOf(n), Runtime: report.Escape(info.ContainerRuntimeVersion), Kubelet: report.Escape(info.KubeletVersion),
		MachineID: report.Escape(info.MachineID), BootID: report.Escape(info.BootID), Unschedulable: n.Spec.Unschedulable}
	return func() { a.out.State = s }, nil
}

func conditionsOf(n *corev1.Node) []Condition {
	all := make([]Condition, 0, len(n.Status.Conditions))
	for _, c := range n.Status.Conditions {
		all = append(all, Condition{Type: report.Escape(string(c.Type)), Status: report.Escape(string(c.Status)),
			Reason: report.Escape(c.Reason), Message: said(c.Message), Since: unixOf(c.LastTransitionTime.Time)})
	}
	return all
}

func (a *vitalsAsker) askLease(ctx context.Context) (func(), error) {
	l, err := a.client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(ctx, a.node, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	renewed := LeaseRenewed(l)
	if renewed.IsZero() {
		return nil, errors.New("the API server does not note when it was renewed")
	}
	lease := &Lease{Renewed: renewed.Unix(), DurationSeconds: 40}
	if s := l.Spec.LeaseDurationSeconds; s != nil && *s > 0 {
		lease.DurationSeconds = int(*s)
	}
	return func() { a.out.Lease = lease }, nil
}

// LeaseRenewed is when the API server last took a renewal, by its own clock.
func LeaseRenewed(l *coordinationv1.Lease) (renewed time.Time) {
	for _, f := range l.ManagedFields {
		if f.Time != nil && f.Time.After(renewed) {
			renewed = f.Time.Time
		}
	}
	return renewed
}

// askEvents: a node's events are in namespace default.
func (a *vitalsAsker) askEvents(ctx context.Context) (func(), error) {
	events, err := listEvents(ctx, a.client, metav1.NamespaceDefault, both("involvedObject.kind", "Node", "involvedObject.name", a.node), func(*corev1.Event) bool { return true })
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(b.Last, a.Last) })
	return func() { a.out.Events = events[:min(len(events), vitalEvents)] }, nil
}

// askPods finds those that are stuck, the longest first, and asks what happened last
// to the first of them.
func (a *vitalsAsker) askPods(ctx context.Context) (func(), error) {
	list, err := a.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", a.node).String(), ResourceVersion: "0"})
	if err != nil {
		return nil, err
	}
	var stuck []StuckPod
	for i := range list.Items {
		if p, is := a.stuck(&list.Items[i]); is {
			stuck = append(stuck, p)
		}
	}
	slices.SortStableFunc(stuck, func(a, b StuckPod) int { return cmp.Compare(a.Since, b.Since) })
	stuck = stuck[:min(len(stuck), maxStuck)]
	for i := range stuck[:min(len(stuck), stuckExplained)] {
		stuck[i].Event = a.lastEvent(ctx, stuck[i])
	}
	return func() { a.out.Stuck = stuck }, nil
}

// stuck: its containers are not made, or its grace is over. What nodedoc itself has made
// is about to start or to go.
func (a *vitalsAsker) stuck(p *corev1.Pod) (StuckPod, bool) {
	s := StuckPod{Namespace: report.Escape(p.Namespace), Name: report.Escape(p.Name), UID: report.Escape(string(p.UID)), Since: unixOf(p.CreationTimestamp.Time)}
	switch {
	case isOwn(p):
	case p.DeletionTimestamp != nil:
		s.Terminating, s.Since = true, unixOf(p.DeletionTimestamp.Time)
		return s, a.now.After(p.DeletionTimestamp.Time)
	case p.Status.Phase == corev1.PodPending && a.now.Sub(p.CreationTimestamp.Time) > stuckAfter:
		s.Why, s.NoSandbox = waitingWhy(p), WithoutSandbox(p)
		return s, true
	}
	return s, false
}

// waitingWhy is why the first container waits.
func waitingWhy(p *corev1.Pod) string {
	for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if w := c.State.Waiting; w != nil && w.Reason != "PodInitializing" {
			return said(told(w.Reason, w.Message))
		}
	}
	return ""
}

// WithoutSandbox is by the kubelet's own word (since 1.28, PodReadyToStartContainers;
// PodHasNetwork before).
func WithoutSandbox(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == "PodReadyToStartContainers" || c.Type == "PodHasNetwork" {
			return c.Status == corev1.ConditionFalse
		}
	}
	return false
}

// lastEvent is nil where there is none, or it cannot be had.
func (a *vitalsAsker) lastEvent(ctx context.Context, p StuckPod) *Event {
	events, err := listEvents(ctx, a.client, p.Namespace, fields.OneTermEqualSelector("involvedObject.uid", p.UID), func(e *corev1.Event) bool { return string(e.InvolvedObject.UID) == p.UID })
	if err != nil || len(events) == 0 {
		return nil
	}
	last := slices.MaxFunc(events, func(a, b Event) int { return cmp.Compare(a.Last, b.Last) })
	return &last
}
