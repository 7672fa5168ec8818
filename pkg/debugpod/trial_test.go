package debugpod

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
)

func runTry(t *testing.T, c *fakeCluster) Trial {
	t.Helper()
	trial, err := try(t.Context(), Clients{Kube: c}, testConfig(), parts{probe: func(string) ([]byte, error) { return []byte("probe"), nil }})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.created) > 0 {
		t.Error("a trial made a pod")
	}
	return trial
}

func TestTrial(t *testing.T) {
	trial := runTry(t, newFakeCluster(t, testNode(nil)))
	if trial.Refused != nil || trial.Sick != "" || trial.Image != "docker.io/library/busybox:1.36" || trial.ImageFrom != "on the node" ||
		trial.Priority != criticalClass || !strings.HasPrefix(trial.State, "ready; linux/amd64") {
		t.Errorf("got %+v", trial)
	}
}

func TestTrialOnASickNode(t *testing.T) {
	c := newFakeCluster(t, testNode(func(n *corev1.Node) {
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown}, {Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue}}
	}))
	trial := runTry(t, c)
	if trial.Refused != nil || !strings.Contains(trial.Sick, "stopped posting") || !strings.Contains(trial.State, "DiskPressure") {
		t.Errorf("got %+v", trial)
	}
}

func TestTrialThatAdmissionRefuses(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	c.admit = func(*corev1.Pod) error { return errors.New("no pods on Sundays") }
	if trial := runTry(t, c); trial.Refused == nil || !strings.Contains(trial.Refused.Error(), "no pods on Sundays") {
		t.Errorf("got %+v", trial)
	}
}

func TestTrialOfNoNode(t *testing.T) {
	_, err := try(t.Context(), Clients{Kube: newFakeCluster(t)}, testConfig(), parts{})
	if err == nil || !strings.Contains(err.Error(), `there is no node "worker-1"`) {
		t.Errorf("got %v", err)
	}
}

// Who may not even get nodes is told all that is missing, too.
func TestTrialWithoutRights(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	c.denied["get nodes"], c.denied["create pods"] = true, true
	c.PrependReactor("get", "nodes", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "nodes"}, "worker-1", errors.New("no"))
	})
	trial := runTry(t, c)
	if trial.State != "not known: you may not get nodes" || trial.Refused == nil || !strings.Contains(trial.Refused.Error(), "you may not get nodes, create pods") {
		t.Errorf("got %+v", trial)
	}
}
