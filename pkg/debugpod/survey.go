package debugpod

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Survey is what the API server says of the place for a pod that is the same on
// every node: asked once, it serves the sessions of a thousand nodes.
type Survey struct {
	access access
	server serverVersion
	// ranges are the namespace's, or none if they are not ours to list: then
	// the dry run tells.
	ranges []corev1.LimitRange
}

// NewSurvey asks what sessions of this configuration on many nodes have in
// common, refuses what would fail on each of them, and clears what earlier ones
// left. Pass it on in Config.Survey.
func NewSurvey(ctx context.Context, c Clients, cfg Config, warn func(string)) (*Survey, error) {
	cfg = cfg.withDefaults()
	go sweepBefore(ctx, c.Kube, cfg.Namespace)
	ctx, cancel := bounded(ctx, cfg.CheckTimeout, "the API server (or the credential plugin) did not answer")
	defer cancel()
	s, err := within(ctx, func(ctx context.Context) (*Survey, error) {
		s := &Survey{}
		return s, askAll(ctx, c.Kube, cfg, s.questions())
	})
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return nil, cause
	}
	if err != nil {
		return nil, err
	}
	s.access.warn(warn)
	return s, nil
}

// warn says what the reviews left open.
func (a access) warn(warn func(string)) {
	if a.unchecked != nil {
		warn(fmt.Sprintf("whether you may delete the pod again is not known: %v", a.unchecked))
	}
}

// question is one to the API server.
type question func(context.Context, kubernetes.Interface, Config) error

func (s *Survey) questions() []question { return []question{s.askAccess, s.askVersion, s.askRanges} }

// askAll asks all of them at once: the server may be far away. Of several errors
// it returns the first in their order.
func askAll(ctx context.Context, client kubernetes.Interface, cfg Config, questions []question) error {
	errs := make([]error, len(questions))
	var asked sync.WaitGroup
	for i, ask := range questions {
		asked.Go(func() { errs[i] = ask(ctx, client, cfg) })
	}
	asked.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Survey) askAccess(ctx context.Context, client kubernetes.Interface, cfg Config) (err error) {
	s.access, err = checkAccess(ctx, client, cfg.Namespace, verbs())
	return err
}

func (s *Survey) askVersion(_ context.Context, client kubernetes.Interface, _ Config) error {
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		return fmt.Errorf("failed to ask the API server's version: %w", err)
	}
	s.server = parseServerVersion(version)
	return nil
}

func (s *Survey) askRanges(ctx context.Context, client kubernetes.Interface, cfg Config) error {
	if list, err := client.CoreV1().LimitRanges(cfg.Namespace).List(ctx, metav1.ListOptions{}); err == nil {
		s.ranges = list.Items
	}
	return nil
}
