package debugpod

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// admit asks the server, by a dry run, what it would make of the pod, so that
// PodSecurity, quota, webhooks and priority speak before anything is created.
// It returns the pod that may be created, and what time the server has.
func admit(ctx context.Context, client kubernetes.Interface, spec podSpec, warn func(string)) (*corev1.Pod, serverTime, error) {
	asked := pod(spec)
	got, err := dryRun(ctx, client, asked)
	if spec.critical && (apierrors.IsForbidden(err) || apierrors.IsInvalid(err)) && !isPodSecurity(err) {
		// A quota may keep the class to other namespaces.
		spec.critical = false
		plain := pod(spec)
		if again, plainErr := dryRun(ctx, client, plain); plainErr == nil {
			warn(fmt.Sprintf("namespace %q may not use priority class %s: without it, a node under disk, memory or PID "+
				"pressure refuses the pod (%v)", spec.namespace, criticalClass, err))
			asked, got, err = plain, again, nil
		}
	}
	if apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "dry run") {
		warn(fmt.Sprintf("what admission makes of the pod is not known before it is created: %v", err))
		return asked, serverTime{}, nil
	}
	if err != nil {
		return nil, serverTime{}, explainRejection(ctx, client, asked, err)
	}
	fatal, notable := mutations(asked, got)
	if len(fatal) > 0 {
		return nil, serverTime{}, mutationError(spec.namespace, fatal)
	}
	if len(notable) > 0 {
		warn("admission changes the pod: " + strings.Join(notable, "; "))
	}
	return asked, got.CreationTimestamp, nil
}

// serverTime is the API server's, zero if it is not known. Nodes and clients
// may have other clocks.
type serverTime = metav1.Time

func dryRun(ctx context.Context, client kubernetes.Interface, p *corev1.Pod) (*corev1.Pod, error) {
	return client.CoreV1().Pods(p.Namespace).Create(ctx, p, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
}

func mutationError(namespace string, fatal []string) error {
	return fmt.Errorf("admission (a webhook or plugin of the cluster) changes the pod in namespace %q: %s; "+
		"try another namespace with --pod-namespace, or have this pod exempted", namespace, strings.Join(fatal, "; "))
}

func isPodSecurity(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "violates PodSecurity")
}

// isRefusal says whether the server surely created nothing. Any other error
// may mean that only its answer was lost.
func isRefusal(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) ||
		apierrors.IsNotFound(err) || apierrors.IsUnauthorized(err)
}

func explainRejection(ctx context.Context, client kubernetes.Interface, p *corev1.Pod, err error) error {
	switch {
	case isPodSecurity(err):
		return podSecurityError(ctx, client, p.Namespace, err)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("there is no namespace %q for the debug pod: name another one with --pod-namespace: %w", p.Namespace, err)
	case apierrors.IsAlreadyExists(err): // only a recorder's name is not new each time
		return fmt.Errorf("pod %s/%s is there: somebody has just started to record node %q", p.Namespace, p.Name, p.Spec.NodeName)
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err):
		return fmt.Errorf("the debug pod is not allowed in namespace %q%s: try another one with --pod-namespace: %w", p.Namespace, mountsWhat(p), err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case apierrors.IsInternalError(err) && strings.Contains(err.Error(), "failed calling webhook"):
		return fmt.Errorf("a webhook of the cluster does not answer, and no pod is made without it: try another namespace "+
			"with --pod-namespace, or see `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations`: %w", err)
	}
	return fmt.Errorf("the server did not accept the debug pod (dry run)%s: %w", mountsWhat(p), err)
}

// mountsWhat names what a policy about volumes may object to.
func mountsWhat(p *corev1.Pod) string {
	if startedBy(p) != byHostShell {
		return ""
	}
	return " (it mounts the node's programs, for their shell: with --image and an image that has one, or --probe-image, it mounts nothing)"
}

// podSecurityLabel of a namespace sets the standard that its pods must meet.
const podSecurityLabel = "pod-security.kubernetes.io/enforce"

func podSecurityError(ctx context.Context, client kubernetes.Interface, namespace string, err error) error {
	hint := "one whose label " + podSecurityLabel + " is privileged would do"
	if other := permissiveNamespace(ctx, client, namespace); other != "" {
		hint = "try `-n " + other + "`"
	}
	return fmt.Errorf("the PodSecurity standard of namespace %q forbids a pod that sees the host: %s: %w", namespace, hint, err)
}

// permissiveNamespace is one that is labelled privileged, else one that has no
// label, which the cluster's default decides; kube-system before others. Empty
// if none is found, or if namespaces are not ours to list.
func permissiveNamespace(ctx context.Context, client kubernetes.Interface, not string) string {
	list, err := client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return ""
	}
	best, bestScore := "", 0
	for _, ns := range list.Items {
		score := 0
		switch level, labelled := ns.Labels[podSecurityLabel]; {
		case ns.Name == not || ns.Status.Phase == corev1.NamespaceTerminating:
		case level == "privileged":
			score = 3
		case !labelled:
			score = 1
		}
		if score > 0 && ns.Name == metav1.NamespaceSystem {
			score++
		}
		if score > bestScore {
			best, bestScore = ns.Name, score
		}
	}
	return best
}
