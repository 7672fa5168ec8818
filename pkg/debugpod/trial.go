package debugpod

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/payload"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Trial is how far a session on a node would come before anything is created.
type Trial struct {
	// Refused is why no pod can be made, nil if one can.
	Refused error
	// Sick is why it may never start, "" if nothing says so.
	Sick string
	// State of the node and its kubelet, in words.
	State string
	// Image that would serve, and how.
	Image, ImageFrom string
	// Priority class of the pod, "" for none.
	Priority string
	Warnings []string
}

// Try does all that a session does before it creates something, a dry run of the
// pod included. Its error is that there is no such node.
func Try(ctx context.Context, c Clients, cfg Config) (Trial, error) {
	return try(ctx, c, cfg, parts{probe: payload.Probe})
}

func try(ctx context.Context, c Clients, cfg Config, by parts) (Trial, error) {
	cfg = cfg.withDefaults()
	var t Trial
	node, err := within(ctx, func(ctx context.Context) (*corev1.Node, error) { return GetNode(ctx, c.Kube, cfg.Node) })
	switch {
	case err == nil:
		t.State = nodeState(node)
	case apierrors.IsForbidden(err): // the check names what is missing beside
		t.State = "not known: you may not get nodes"
	default:
		return t, err
	}
	p, err := check(ctx, c, cfg, by, func(w string) { t.Warnings = append(t.Warnings, w) })
	if err != nil {
		t.Refused = err
		return t, nil //nolint:nilerr // that is the answer
	}
	image := chooseImage(cfg, node)
	t.Image, t.Sick, t.Priority = image.name, p.sick, p.pod.Spec.PriorityClassName
	switch {
	case image.by == byHostShell:
		t.ImageFrom = "on the node, with the node's own shell mounted into it"
	case image.onNode:
		t.ImageFrom = "on the node"
	default:
		t.ImageFrom = "has to be pulled, unless the node has it and does not list it"
	}
	return t, nil
}

func nodeState(n *corev1.Node) string {
	state := "ready"
	if why := NotReadySince(n); why != "" {
		state = why
	}
	for _, pressure := range pressures(n) {
		state += ", " + pressure
	}
	info := n.Status.NodeInfo
	return report.Escape(fmt.Sprintf("%s; %s/%s, kubelet %s, %s", state, info.OperatingSystem, architecture(n), info.KubeletVersion, info.ContainerRuntimeVersion))
}

// ServerVersion asks the API server for its version: whether it is there at all.
func ServerVersion(ctx context.Context, client kubernetes.Interface) (string, error) {
	ctx, cancel := bounded(ctx, standbyPatience, "the API server (or the credential plugin) did not answer")
	defer cancel()
	return within(ctx, func(context.Context) (string, error) {
		v, err := client.Discovery().ServerVersion()
		if err != nil {
			return "", fmt.Errorf("failed to reach the API server: %w", err)
		}
		return report.Escape(v.GitVersion), nil
	})
}

// PodSecurity tells which standard a namespace sets for its pods.
func PodSecurity(ctx context.Context, client kubernetes.Interface, namespace string) (string, error) {
	ns, err := client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	if level := ns.Labels[podSecurityLabel]; level != "" {
		return "PodSecurity level " + report.Escape(level), nil
	}
	return "no PodSecurity level: the cluster's default decides", nil
}

// MayAskStandby says why a standby cannot be asked live, nil if it can.
func MayAskStandby(ctx context.Context, client kubernetes.Interface, s Standby) error {
	_, err := checkAccess(ctx, client, s.Namespace, standbyVerbs())
	return err
}
