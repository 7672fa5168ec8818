package cmd

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
)

// apiServer knows a node that is not ready, and allows nothing else.
func apiServer(t *testing.T) string {
	t.Helper()
	lost := corev1.Node{TypeMeta: metav1.TypeMeta{Kind: "Node", APIVersion: "v1"}, ObjectMeta: metav1.ObjectMeta{Name: "lost", Labels: map[string]string{corev1.LabelOSStable: "linux"}},
		Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{Architecture: "amd64"}, Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Message: "Kubelet stopped posting node status."}}}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if answer, known := map[string]any{"/api/v1/nodes/lost": lost, "/version": version.Info{GitVersion: "v1.35.0"}}[r.URL.Path]; known {
			_ = json.NewEncoder(w).Encode(answer)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Reason: metav1.StatusReasonForbidden, Message: "no word of it to you", Code: http.StatusForbidden})
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// Why a node gave no answer is said once to a person: with the node. A program that reads
// the answer leaves it to the error to tell whoever looks at that.
func TestWhyANodeCannotBeExaminedIsSaidOnce(t *testing.T) {
	const why = "the debug pod is not allowed in namespace"
	for format, c := range map[string]struct{ said, errors int }{"table": {1, 0}, "markdown": {1, 0}, "json": {1, 1}} {
		stdout, stderr, code := run(t, "checkup", "lost", "--server", apiServer(t), "-o", format)
		if code != ExitFailed || strings.Count(stdout, why) != c.said || strings.Count(stderr, why) != c.errors || !strings.Contains(stdout, "node-not-examined") {
			t.Errorf("%s, exit %d:\n%s\n%s", format, code, stdout, stderr)
		}
		if told := "error: no answer from lost: what is printed says why\n"; c.errors == 0 && !strings.HasSuffix(stderr, told) {
			t.Errorf("%s: got %q, want %q", format, stderr, told)
		}
	}
}
