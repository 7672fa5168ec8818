package debugpod

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Unfit says why no probe can run on a node whatever its state: it runs no
// Linux, or is virtual. "" if none of these.
func Unfit(n *corev1.Node) string {
	if err := checkNode(n); err != nil {
		return err.Error()
	}
	return ""
}

// NotReadySince says why a pod may never start on a node, and since when; "" if
// the node is ready.
func NotReadySince(n *corev1.Node) string {
	for _, c := range n.Status.Conditions {
		if c.Type != corev1.NodeReady || c.Status == corev1.ConditionTrue {
			continue
		}
		why := "the kubelet stopped posting its status"
		if c.Status != corev1.ConditionUnknown {
			why = report.Escape(c.Message)
		}
		if c.LastTransitionTime.IsZero() {
			return "not ready: " + why
		}
		return fmt.Sprintf("not ready since %s: %s", c.LastTransitionTime.UTC().Format(time.RFC3339), why)
	}
	return ""
}
