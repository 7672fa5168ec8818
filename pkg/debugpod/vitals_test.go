package debugpod

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// sickVitals are those of a node whose runtime hangs.
func sickVitals(now time.Time) *vitals {
	ago := func(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }
	long := ago(9 * time.Minute)
	stuck := func(name string, deleted *metav1.Time) corev1.Pod {
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "u-" + "x", CreationTimestamp: long, DeletionTimestamp: deleted},
			Status: corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}}}}}
	}
	going := stuck("old", &long)
	grace := ago(-time.Minute)
	return &vitals{now: now, healthzTold: true, running: errLate, summary: errLate,
		node: &corev1.Node{Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
			{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse},
			{Type: corev1.NodeReady, Status: corev1.ConditionFalse, LastTransitionTime: ago(5 * time.Minute), Reason: "KubeletNotReady", Message: "PLEG is not healthy: \x1b[2Jpleg was last seen active 8m0s ago"}}}},
		pod:    &corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: "own"}},
		pods:   []corev1.Pod{stuck("a", nil), stuck("b", nil), going, stuck("within-grace", &grace), {ObjectMeta: metav1.ObjectMeta{UID: "own"}, Status: corev1.PodStatus{Phase: corev1.PodPending}}},
		events: []corev1.Event{{LastTimestamp: ago(2 * time.Hour), Reason: "Old"}, {LastTimestamp: ago(time.Minute), Reason: "ContainerGCFailed", Message: "rpc error"}},
	}
}

func TestVitalsAreTold(t *testing.T) {
	v := sickVitals(time.Now())
	got := strings.Join(v.lines(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: "own"}}, v.verdict(true)), "\n")
	for _, want := range []string{
		`condition Ready is False for 5m: KubeletNotReady: PLEG is not healthy: \x1b[2Jpleg was last seen active 8m0s ago`,
		"kubelet, healthz: answers",
		"stats/summary: no answer within 3s",
		"waiting for their containers: 2 other pods, shop/a for 9m (ContainerCreating), shop/b for 9m (ContainerCreating)",
		"past their grace, and still there: 1 other pod, shop/old for 9m",
		"event 60s ago: ContainerGCFailed: rpc error",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said:\n%s", want, got)
		}
	}
	for _, no := range []string{"Old", "within-grace", "MemoryPressure", "\x1b"} {
		if strings.Contains(got, no) {
			t.Errorf("%q is said:\n%s", no, got)
		}
	}
}

// TestVitalsVerdict names what hangs, and nothing where it cannot be told.
func TestVitalsVerdict(t *testing.T) {
	resource := schema.GroupResource{Resource: "nodes"}
	forbidden := apierrors.NewForbidden(resource, "n", errors.New("no"))
	unreachable := apierrors.NewGenericServerResponse(502, "get", resource, "n", "dial tcp: refused", 0, false)
	noSandbox := []corev1.PodCondition{{Type: "PodReadyToStartContainers", Status: corev1.ConditionFalse}}
	for name, c := range map[string]struct {
		change  func(*vitals)
		takenUp bool
		want    string
	}{
		"runtime hangs":   {func(*vitals) {}, true, "the runtime's daemon (containerd"},
		"kubelet is dead": {func(v *vitals) { v.healthz, v.healthzTold = unreachable, answeredByKubelet(unreachable) }, false, "the kubelet does not answer"},
		"kubelet hangs":   {func(v *vitals) { v.healthz, v.healthzTold = errLate, false }, false, "the kubelet does not answer"},
		"no right to ask": {func(v *vitals) {
			v.healthz, v.running, v.summary, v.healthzTold = forbidden, forbidden, forbidden, false
		}, false, ""},
		"syncloop stands still": {func(v *vitals) { v.running, v.summary = nil, nil }, false, "syncloop"},
		"runc hangs":            {func(v *vitals) { v.running, v.summary, v.pod.Status.Conditions = nil, nil, noSandbox }, true, "runc, a shim or the network plugin"},
		"runc holds a shim up":  {func(v *vitals) { v.running = nil }, true, "runc, a shim or the network plugin"},
		"runningpods is off":    {func(v *vitals) { v.running, v.runningTold = errors.New("405"), true }, true, "daemon, a shim or runc"},
		"nothing is odd":        {func(v *vitals) { v.running, v.summary = nil, nil }, true, ""},
		"both fail at once":     {func(v *vitals) { v.running, v.summary = errors.New("500"), errors.New("500") }, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := sickVitals(time.Now())
			c.change(v)
			if got := v.verdict(c.takenUp); c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestVitalsOfAHealthyNode that is merely slow are not worth a word.
func TestVitalsOfAHealthyNode(t *testing.T) {
	v := &vitals{now: time.Now(), healthzTold: true, summaryTold: true, node: &corev1.Node{Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}}}
	if got := v.lines(&corev1.Pod{}, v.verdict(true)); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}
