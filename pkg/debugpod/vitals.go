package debugpod

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/client-go/rest"
)

const (
	// vitalsAfter a pod was created that does not run, what else can tell is asked: a
	// healthy node takes a second or two.
	vitalsAfter = 5 * time.Second
	// vitalsPatience is for each that is asked, side by side.
	vitalsPatience = 3 * time.Second
	// vitalsNamed are the pods, and the events, that are named.
	vitalsNamed = 3
)

// errLate: no answer within vitalsPatience.
var errLate = fmt.Errorf("no answer within %v", vitalsPatience)

// vitals are what the API server, and the kubelet through it, still tell of a node
// on which a pod does not start.
type vitals struct {
	now              time.Time
	node             *corev1.Node
	pod              *corev1.Pod
	pods             []corev1.Pod
	events           []corev1.Event
	nodeErr, podsErr error
	// The kubelet's endpoints; nil: it has answered. healthz asks nobody else; runningpods
	// asks the runtime's daemon for what it remembers; for stats/summary that asks its
	// shims, which wait for runc.
	healthz, running, summary             error
	healthzTold, runningTold, summaryTold bool // by the kubelet itself, be it an error
}

// vitalsTold is what whoever waits is told.
type vitalsTold struct {
	verdict string
	lines   []string
}

// vitalsLater tells them where the pod does not run by then; never where many nodes
// are asked at once.
func (s *Session) vitalsLater(ctx context.Context, w *waiter) <-chan vitalsTold {
	told := make(chan vitalsTold, 1)
	if s.cfg.Survey != nil {
		return told
	}
	after := min(vitalsAfter, s.startTimeout()/2)
	go func() {
		if pause(ctx, after) == nil {
			v := s.askVitals(ctx)
			verdict := v.verdict(w.takenUp.Load())
			told <- vitalsTold{verdict, v.lines(s.pod, verdict)}
		}
	}()
	return told
}

// askVitals asks all side by side.
func (s *Session) askVitals(ctx context.Context) *vitals {
	v := &vitals{now: time.Now()}
	var asked sync.WaitGroup
	var mu sync.Mutex // who is late writes into nothing that is read
	part := func(ask func(context.Context) (func(), error), failure *error) {
		asked.Go(func() {
			ctx, cancel := context.WithTimeoutCause(ctx, vitalsPatience, errLate)
			defer cancel()
			keep, err := within(ctx, ask)
			if err != nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			mu.Lock()
			defer mu.Unlock()
			if *failure = err; keep != nil {
				keep()
			}
		})
	}
	core, name := s.clients.Kube.CoreV1(), s.node.Name
	var ignored [2]error
	part(func(ctx context.Context) (func(), error) {
		n, err := core.Nodes().Get(ctx, name, metav1.GetOptions{})
		return func() { v.node = orNil(n, err) }, err
	}, &v.nodeErr)
	part(func(ctx context.Context) (func(), error) {
		p, err := core.Pods(s.pod.Namespace).Get(ctx, s.pod.Name, metav1.GetOptions{})
		return func() { v.pod = orNil(p, err) }, err
	}, &ignored[0])
	part(func(ctx context.Context) (func(), error) {
		list, err := core.Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("spec.nodeName", name).String(), ResourceVersion: "0"})
		return func() {
			if err == nil {
				v.pods = list.Items
			}
		}, err
	}, &v.podsErr)
	part(func(ctx context.Context) (func(), error) {
		list, err := core.Events(metav1.NamespaceDefault).List(ctx, metav1.ListOptions{FieldSelector: fields.Set{"involvedObject.kind": "Node", "involvedObject.name": name}.String(), Limit: 200})
		return func() {
			if err == nil {
				v.events = list.Items
			}
		}, err
	}, &ignored[1])
	kubelet := func(path string, told *bool, failure *error) {
		part(func(ctx context.Context) (func(), error) {
			err := s.kubeletSays(ctx, strings.Split(path, "/")...)
			return func() { *told = answeredByKubelet(err) }, err
		}, failure)
	}
	kubelet("healthz", &v.healthzTold, &v.healthz)
	kubelet("runningpods/", &v.runningTold, &v.running)
	kubelet("stats/summary", &v.summaryTold, &v.summary)
	asked.Wait()
	return v
}

// orNil: client-go returns an empty object beside an error.
func orNil[T any](object *T, err error) *T {
	if err != nil {
		return nil
	}
	return object
}

// kubeletSays gets a path of the kubelet through the API server.
func (s *Session) kubeletSays(ctx context.Context, path ...string) error {
	client, ok := s.clients.Kube.CoreV1().RESTClient().(*rest.RESTClient)
	if !ok || client == nil {
		return errors.New("there is no way to ask")
	}
	return client.Get().Resource("nodes").Name(s.node.Name).SubResource(append([]string{"proxy"}, path...)...).Do(ctx).Error()
}

// answeredByKubelet: an error of its own is an answer, too. What the API server says
// where it does not reach it is a 502, 503 or 504.
func answeredByKubelet(err error) bool {
	var status apierrors.APIStatus
	if err == nil || !errors.As(err, &status) {
		return err == nil
	}
	code := status.Status().Code
	return code != 502 && code != 503 && code != 504 && !apierrors.IsForbidden(err)
}

// verdict is where a start hangs, as far as these tell; "": they do not.
func (v *vitals) verdict(takenUp bool) string {
	switch {
	case apierrors.IsForbidden(v.healthz):
		return ""
	case !v.healthzTold && v.healthz != nil:
		return "the kubelet does not answer, or the API server does not reach it"
	case errors.Is(v.running, errLate):
		return "the kubelet answers, and its container runtime does not: the runtime's daemon (containerd, docker, cri-o) hangs"
	case v.running == nil && (errors.Is(v.summary, errLate) || v.withoutSandbox()):
		return "the kubelet and the runtime's daemon answer, and no container starts: runc, a shim or the network plugin hangs or is slow"
	case errors.Is(v.summary, errLate):
		return "the kubelet answers, and its container runtime does not: the runtime's daemon, a shim or runc hangs"
	case !takenUp:
		return "the kubelet answers and does not take the pod up: its loop over pods (syncloop) stands still"
	}
	return ""
}

// withoutSandbox, by the kubelet's own word (since 1.28, PodReadyToStartContainers).
func (v *vitals) withoutSandbox() bool {
	if v.pod == nil {
		return false
	}
	for _, c := range v.pod.Status.Conditions {
		if strings.HasSuffix(string(c.Type), "ReadyToStartContainers") || strings.HasSuffix(string(c.Type), "PodHasNetwork") {
			return c.Status == corev1.ConditionFalse
		}
	}
	return false
}

// lines are what is told beside the verdict; none where nothing is out of order.
func (v *vitals) lines(own *corev1.Pod, verdict string) []string {
	waiting := v.waiting(own)
	if verdict == "" && len(waiting) == 0 && v.ready() {
		return nil
	}
	return slices.Concat(v.conditions(), v.endpoints(), waiting, v.nodeEvents())
}

func (v *vitals) since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " for " + duration.HumanDuration(max(v.now.Sub(t), 0))
}
