package debugpod

import (
	"context"
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// GetNode returns the node, or an error that names similar ones.
func GetNode(ctx context.Context, client kubernetes.Interface, name string) (*corev1.Node, error) {
	node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		if err != nil {
			return nil, fmt.Errorf("failed to get node %q: %w", name, err)
		}
		return node, nil
	}
	if similar := similarNodes(ctx, client, name); len(similar) > 0 {
		return nil, fmt.Errorf("there is no node %q: did you mean %s?", name, strings.Join(similar, ", "))
	}
	return nil, fmt.Errorf("there is no node %q: see `kubectl get nodes`", name)
}

// similarNodes are at most three nodes whose names contain the given one, or
// are contained in it. One page only: it is a courtesy.
func similarNodes(ctx context.Context, client kubernetes.Interface, name string) []string {
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{Limit: 500})
	if err != nil {
		return nil
	}
	var similar []string
	asked := strings.ToLower(name)
	for _, n := range list.Items {
		if (strings.Contains(n.Name, asked) || strings.Contains(asked, n.Name)) && len(similar) < 3 {
			similar = append(similar, n.Name)
		}
	}
	return similar
}

// checkNode refuses nodes that run no Linux processes that we could look at.
func checkNode(n *corev1.Node) error {
	if os := n.Status.NodeInfo.OperatingSystem; os != "linux" && os != "" || n.Labels[corev1.LabelOSStable] == "windows" {
		return fmt.Errorf("node %q runs %s: only Linux nodes can be diagnosed", n.Name, report.Escape(os))
	}
	if why := virtual(n); why != "" {
		return fmt.Errorf("node %q is virtual (%s): there is no machine behind it to diagnose", n.Name, why)
	}
	return nil
}

// virtual says what marks a node as the front of a service, not of a machine.
func virtual(n *corev1.Node) string {
	switch {
	case n.Labels["type"] == "virtual-kubelet":
		return "label type=virtual-kubelet"
	case n.Labels["eks.amazonaws.com/compute-type"] == "fargate":
		return "AWS Fargate"
	case n.Labels["type"] == "kwok" || n.Annotations["kwok.x-k8s.io/node"] != "":
		return "kwok"
	case strings.Contains(n.Status.NodeInfo.KubeletVersion, "-vk-"):
		return "kubelet version " + report.Escape(n.Status.NodeInfo.KubeletVersion)
	}
	for _, t := range n.Spec.Taints {
		if strings.HasPrefix(t.Key, "virtual-kubelet.io/") {
			return "taint " + t.Key
		}
	}
	return ""
}

// notReady says why the node may never start a pod, "" if it is ready.
func notReady(n *corev1.Node) string {
	for _, c := range n.Status.Conditions {
		switch {
		case c.Type != corev1.NodeReady || c.Status == corev1.ConditionTrue:
		case c.Status == corev1.ConditionUnknown:
			return fmt.Sprintf("the kubelet of node %q stopped posting its status at %s", n.Name, c.LastHeartbeatTime.UTC().Format(time.RFC3339))
		default:
			return fmt.Sprintf("node %q is not ready: %s", n.Name, report.Escape(c.Message))
		}
	}
	return ""
}

// otherWay is what remains where no pod starts: a script that makes the report,
// and whose command says how. kubectl is the user's own, with the flags that lead
// to this cluster.
func otherWay(kubectl, node string) string {
	return "have its report made over ssh: kubectl nodedoc script " + node + strings.TrimPrefix(kubectl, "kubectl")
}

// OtherWay is otherWay, for whoever has tried the rest.
func OtherWay(kubectl, node string) string { return otherWay(kubectl, node) }

// nodedocOf begins a command of this plugin with the user's flags.
func nodedocOf(kubectl string) string {
	return "kubectl nodedoc" + strings.TrimPrefix(kubectl, "kubectl")
}

// leaseExpired says that the kubelet no longer renews its lease, which it does every
// ten seconds; the node is declared dead at four times that or later. The
// server's own note of the last renewal is compared with the server's time,
// since the node's clock may be wrong.
func leaseExpired(n *corev1.Node, lease *coordinationv1.Lease, now serverTime) string {
	if lease == nil || now.IsZero() {
		return ""
	}
	allowed := 40 * time.Second
	if s := lease.Spec.LeaseDurationSeconds; s != nil && *s > 0 {
		allowed = time.Duration(*s) * time.Second
	}
	renewed := inventory.LeaseRenewed(lease)
	if age := now.Sub(renewed); !renewed.IsZero() && age > allowed {
		return fmt.Sprintf("the kubelet of node %q has not renewed its lease for %s", n.Name, age.Round(time.Second))
	}
	return ""
}

// pressures are the node's conditions under which a kubelet refuses pods.
func pressures(n *corev1.Node) []string {
	var found []string
	for _, c := range n.Status.Conditions {
		switch c.Type {
		case corev1.NodeDiskPressure, corev1.NodeMemoryPressure, corev1.NodePIDPressure:
			if c.Status == corev1.ConditionTrue {
				found = append(found, string(c.Type))
			}
		}
	}
	return found
}
