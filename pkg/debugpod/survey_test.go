package debugpod

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// requests counts those that a preflight makes of each kind, e.g. "create
// selfsubjectaccessreviews".
func requests(c *fakeCluster) map[string]int {
	counts := map[string]int{}
	for _, a := range c.Actions() {
		counts[a.GetVerb()+" "+a.GetResource().Resource]++
	}
	return counts
}

func TestASurveyIsNotAskedAgain(t *testing.T) {
	c := newFakeCluster(t, testNode(nil))
	c.denied["get pods/attach"] = true
	cfg := testConfig()
	var err error
	if cfg.Survey, err = NewSurvey(t.Context(), Clients{Kube: c}, cfg, func(w string) { t.Errorf("warning %q", w) }); err != nil {
		t.Fatal(err)
	}
	if n := requests(c)["create selfsubjectaccessreviews"]; n != len(verbs()) {
		t.Errorf("%d reviews, want %d", n, len(verbs()))
	}
	c.ClearActions()
	for range 3 {
		p, warnings, err := runPreflight(t, c, cfg)
		if err != nil || warnings != "" || p.webSocket {
			t.Errorf("got %v, %q, webSocket %v", err, warnings, p.webSocket)
		}
	}
	for _, asked := range []string{"create selfsubjectaccessreviews", "list limitranges", "get version"} {
		if n := requests(c)[asked]; n != 0 {
			t.Errorf("%s: %d times, want none", asked, n)
		}
	}
	if n := requests(c)["get nodes"]; n != 3 {
		t.Errorf("each node is looked at: %d, want 3", n)
	}
}

// What would fail on each node fails once, before any is asked.
func TestSurveyRefuses(t *testing.T) {
	c := newFakeCluster(t)
	c.denied["delete pods"] = true
	_, err := NewSurvey(t.Context(), Clients{Kube: c}, testConfig(), func(string) {})
	if err == nil || !strings.Contains(err.Error(), `you may not delete pods in namespace "default": nothing was created`) {
		t.Errorf("got %v", err)
	}
}

func TestNotReadySince(t *testing.T) {
	for want, condition := range map[string]corev1.NodeCondition{
		"": {Status: corev1.ConditionTrue},
		"not ready: the kubelet stopped posting its status":                            {Status: corev1.ConditionUnknown},
		`not ready since 2023-11-14T22:13:20Z: PLEG is not healthy\x1b[2J`:             {Status: corev1.ConditionFalse, Message: "PLEG is not healthy\x1b[2J", LastTransitionTime: metav1.Unix(1_700_000_000, 0)},
		"not ready since 2023-11-14T22:13:20Z: the kubelet stopped posting its status": {Status: corev1.ConditionUnknown, Message: "x", LastTransitionTime: metav1.Unix(1_700_000_000, 0)},
	} {
		condition.Type = corev1.NodeReady
		if got := NotReadySince(&corev1.Node{Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{condition}}}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
