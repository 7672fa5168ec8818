package cmd

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// TestNodeOfAReport: never another machine's pods, and never those of another boot.
func TestNodeOfAReport(t *testing.T) {
	node := func(name, boot string) *corev1.Node {
		return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{BootID: boot}}}
	}
	client := fake.NewClientset(node("node-1", "boot-1"), node("node-2.example", "boot-2"), node("kind-a", "shared"), node("kind-b", "shared"))
	for name, c := range map[string]struct {
		of      report.Node
		want    string
		because string
	}{
		"its name and boot":       {report.Node{Hostname: "node-1", BootID: "boot-1"}, "node-1", ""},
		"another name":            {report.Node{Hostname: "node-2", BootID: "boot-2"}, "node-2.example", ""},
		"two on one machine":      {report.Node{Hostname: "kind-b", BootID: "shared"}, "kind-b", ""},
		"two, and neither's name": {report.Node{Hostname: "machine", BootID: "shared"}, "", "2 nodes run on the machine"},
		"booted since":            {report.Node{Hostname: "node-1", BootID: "before"}, "", "has booted since"},
		"another cluster's":       {report.Node{Hostname: "node-9", BootID: "boot-9"}, "", "no node of this cluster"},
		"an answer without boot":  {report.Node{Hostname: "node-1"}, "", "does not say which boot"},
	} {
		got, err := nodeOf(t.Context(), client, c.of)
		if got != c.want || (err == nil) != (c.because == "") || err != nil && !strings.Contains(err.Error(), c.because) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

// What the API server said when the report was made is not replaced by what it says now.
func TestJoinOfAJoinedReport(t *testing.T) {
	_, stderr, code := run(t, "fd", "--from", save(t, sickNode(), hubInventory()), "--join")
	if code != ExitFailed || !strings.Contains(stderr, "is in the file already") {
		t.Errorf("got %q, exit %d", stderr, code)
	}
}
