package debugpod

import (
	"errors"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
)

func TestLeaseExpired(t *testing.T) {
	now := metav1.Unix(1700000000, 0)
	renewed := func(before time.Duration) *coordinationv1.Lease {
		return &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Namespace: corev1.NamespaceNodeLease, Name: "worker-1", ManagedFields: []metav1.ManagedFieldsEntry{
				{Manager: "somebody", Time: new(metav1.NewTime(now.Add(-time.Hour)))}, {Manager: "kubelet", Time: new(metav1.NewTime(now.Add(-before)))}, {}}},
			// A node whose clock is an hour late.
			Spec: coordinationv1.LeaseSpec{RenewTime: new(metav1.NewMicroTime(now.Add(-before - time.Hour))), LeaseDurationSeconds: new(int32(40))},
		}
	}
	for name, c := range map[string]struct {
		lease *coordinationv1.Lease
		now   serverTime
		want  string
	}{
		"fresh, by a clock that is wrong": {renewed(12 * time.Second), now, ""},
		"just in time":                    {renewed(40 * time.Second), now, ""},
		"expired":                         {renewed(41 * time.Second), now, `the kubelet of node "worker-1" has not renewed its lease for 41s`},
		"a longer one": {func() *coordinationv1.Lease {
			l := renewed(time.Minute)
			l.Spec.LeaseDurationSeconds = new(int32(120))
			return l
		}(), now, ""},
		"not ours to read":   {nil, now, ""},
		"nobody noted it":    {&coordinationv1.Lease{}, now, ""},
		"the time not known": {renewed(time.Hour), serverTime{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := leaseExpired(testNode(nil), c.lease, c.now); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A kubelet that hangs is noticed before anything is created, gets less time,
// and the other way in is named twice: before the wait and after it.
func TestDeadKubeletIsSaidFirst(t *testing.T) {
	c := newFakeCluster(t, testNode(func(n *corev1.Node) {
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, LastHeartbeatTime: metav1.Unix(1700000000, 0)}}
	}))
	created := false
	c.kubelet = func(*corev1.Pod) { created = true }
	_, said, err := begin(t.Context(), c, answers, func(cfg *Config) { cfg.StartTimeout = 50 * time.Millisecond })
	if err == nil || !strings.Contains(err.Error(), "stopped posting its status") || !strings.Contains(err.Error(), "kubectl nodedoc script worker-1") {
		t.Errorf("got %v", err)
	}
	if !created {
		t.Error("it was not tried")
	}
	if len(said) < 2 || !strings.Contains(said[1], "a new pod may never start there; if none does, have its report made over ssh: kubectl nodedoc script worker-1") {
		t.Errorf("said %q", said)
	}
	wantGone(t, c)
}

func TestStartTimeout(t *testing.T) {
	for _, c := range []struct {
		sick  string
		given time.Duration
		want  time.Duration
	}{{"", 0, time.Minute}, {"not ready", 0, 20 * time.Second}, {"not ready", time.Hour, time.Hour}, {"", time.Second, time.Second}} {
		s := Session{sick: c.sick, cfg: Config{StartTimeout: c.given}}
		if got := s.startTimeout(); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

// A node may fall ill while the pod is waited for.
func TestLookAgain(t *testing.T) {
	notReady := func(n *corev1.Node) {
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Message: "PLEG is not healthy"}}
	}
	for name, c := range map[string]struct {
		now     func(*corev1.Node)
		takenUp bool
		want    string
	}{
		"healthy and slow":     {nil, true, ""},
		"not ready meanwhile":  {notReady, true, "PLEG is not healthy"},
		"a kubelet that hangs": {nil, false, `the kubelet of node "worker-1" does not react`},
		"gone":                 {func(n *corev1.Node) { n.Name = "other" }, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := Session{clients: Clients{Kube: newFakeCluster(t, testNode(c.now))}, node: testNode(nil), pod: pod(testSpec(nil))}
			s.lookAgain(t.Context(), time.Now(), c.takenUp)
			if !strings.Contains(s.sick, c.want) || (c.want == "") != (s.sick == "") {
				t.Errorf("got %q, want %q", s.sick, c.want)
			}
		})
	}
}

// A kubelet of which an API server that has gone can tell nothing is not blamed.
func TestLookAgainWithoutAPIServer(t *testing.T) {
	kube := newFakeCluster(t, testNode(nil))
	kube.PrependReactor("get", "nodes", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("dial tcp 10.0.0.1:6443: connect: connection refused")
	})
	s := Session{clients: Clients{Kube: kube}, node: testNode(nil), pod: pod(testSpec(nil)), hangs: "the kubelet answers, and its container runtime does not"}
	s.lookAgain(t.Context(), time.Now(), false)
	if want := "the API server is what fails: dial tcp 10.0.0.1:6443: connect: connection refused"; s.sick != "" || s.hangs != want {
		t.Errorf("got %q, %q, want %q", s.sick, s.hangs, want)
	}
	err := s.notStarted(errors.New("the pod did not start within 20s"), true)
	if _, is := errors.AsType[*NotStartedError](err); !is || strings.Contains(err.Error(), "kubelet") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}
