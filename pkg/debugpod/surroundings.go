package debugpod

import (
	"context"
	"fmt"
	"sync"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
)

// surroundings are what the API server says of the place for the pod.
type surroundings struct {
	access access
	node   *corev1.Node
	server serverVersion
	// pods of the node, if they are ours to list.
	pods      []corev1.Pod
	podsKnown bool
	// ranges are the namespace's, or none if they are not ours to list: then
	// the dry run tells.
	ranges []corev1.LimitRange
	// lease that the kubelet renews, nil if it is not ours to read.
	lease *coordinationv1.Lease
}

// lookAround asks for all of it at once: the server may be far away. Of several
// errors it returns the first in the order below.
func lookAround(ctx context.Context, client kubernetes.Interface, cfg Config) (*surroundings, error) {
	s := &surroundings{}
	questions := []func(context.Context, kubernetes.Interface, Config) error{
		s.askAccess, s.askNode, s.askVersion, s.askPods, s.askRanges, s.askLease,
	}
	errs := make([]error, len(questions))
	var asked sync.WaitGroup
	for i, ask := range questions {
		asked.Go(func() { errs[i] = ask(ctx, client, cfg) })
	}
	asked.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *surroundings) askAccess(ctx context.Context, client kubernetes.Interface, cfg Config) (err error) {
	s.access, err = checkAccess(ctx, client, cfg.Namespace)
	return err
}

func (s *surroundings) askNode(ctx context.Context, client kubernetes.Interface, cfg Config) (err error) {
	s.node, err = getNode(ctx, client, cfg.Node)
	return err
}

func (s *surroundings) askVersion(_ context.Context, client kubernetes.Interface, _ Config) error {
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		return fmt.Errorf("failed to ask the API server's version: %w", err)
	}
	s.server = parseServerVersion(version)
	return nil
}

// askPods, like the two below, leaves out what is not ours to ask. It reads the
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

func (s *surroundings) askRanges(ctx context.Context, client kubernetes.Interface, cfg Config) error {
	if list, err := client.CoreV1().LimitRanges(cfg.Namespace).List(ctx, metav1.ListOptions{}); err == nil {
		s.ranges = list.Items
	}
	return nil
}

func (s *surroundings) askLease(ctx context.Context, client kubernetes.Interface, cfg Config) error {
	if lease, err := client.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(ctx, cfg.Node, metav1.GetOptions{}); err == nil {
		s.lease = lease
	}
	return nil
}
