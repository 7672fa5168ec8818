package debugpod

import (
	"context"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
)

// surroundings are what the API server says of the place for the pod.
type surroundings struct {
	Survey
	node *corev1.Node
	// pods of the node, if they are ours to list.
	pods      []corev1.Pod
	podsKnown bool
	// lease that the kubelet renews, nil if it is not ours to read.
	lease *coordinationv1.Lease
}

// lookAround asks for all of it at once, and not again for what a survey knows.
func lookAround(ctx context.Context, client kubernetes.Interface, cfg Config) (*surroundings, error) {
	s := &surroundings{}
	questions := []question{s.askAccess, s.askNode, s.askVersion, s.askPods, s.askRanges, s.askLease}
	if cfg.Survey != nil {
		s.Survey = *cfg.Survey
		questions = []question{s.askNode, s.askPods, s.askLease}
	}
	if err := askAll(ctx, client, cfg, questions); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *surroundings) askNode(ctx context.Context, client kubernetes.Interface, cfg Config) (err error) {
	s.node, err = GetNode(ctx, client, cfg.Node)
	return err
}

// askPods, like askLease and askRanges, leaves out what is not ours to ask. It reads the
// server's cache, by resource version 0, which has an index by node.
func (s *surroundings) askPods(ctx context.Context, client kubernetes.Interface, cfg Config) error {
	list, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{
		FieldSelector:   fields.OneTermEqualSelector("spec.nodeName", cfg.Node).String(),
		ResourceVersion: "0",
	})
	if err == nil {
		s.pods, s.podsKnown = list.Items, true
	}
	return nil
}

func (s *surroundings) askLease(ctx context.Context, client kubernetes.Interface, cfg Config) error {
	if lease, err := client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(ctx, cfg.Node, metav1.GetOptions{}); err == nil {
		s.lease = lease
	}
	return nil
}
