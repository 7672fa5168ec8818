package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// kubeletPatience: stats/summary asks the runtime, and where that hangs it never
	// answers; configz does.
	kubeletPatience = 10 * time.Second
	// A summary of 250 pods is 1 MiB.
	maxKubeletAnswer = 32 << 20
)

// askMemory asks for all parts side by side, each with a deadline of its own. It
// does not fail: what could not be had is said in the result.
func askMemory(ctx context.Context, client kubernetes.Interface, node string) *Memory {
	m := &Memory{}
	var asked sync.WaitGroup
	part := func(ask func(context.Context) error, failure *string, right string) {
		asked.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, kubeletPatience)
			defer cancel()
			if err := ask(ctx); err != nil {
				*failure = report.Escape(whyNot(err, right))
			}
		})
	}
	part(func(ctx context.Context) error { return m.askNode(ctx, client, node) }, &m.NodeError, "get nodes")
	part(func(ctx context.Context) error { return m.askConfig(ctx, client, node) }, &m.ConfigError, "get nodes/proxy")
	part(func(ctx context.Context) error { return m.askSummary(ctx, client, node) }, &m.SummaryError, "get nodes/proxy")
	part(func(ctx context.Context) error { return m.askEvents(ctx, client, node) }, &m.EventsError, "list events in all namespaces")
	asked.Wait()
	return m
}

// whyNot names the right that is missing. A kubelet refuses the API server itself
// where that may not have nodes/proxy, or the finer nodes/configz and nodes/stats
// (KEP-2862); only its own words name the subresource as "subresource=".
func whyNot(err error, right string) string {
	return whyNotWithin(err, right, kubeletPatience)
}

func whyNotWithin(err error, right string, patience time.Duration) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %s", patience)
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "subresource="):
		return fmt.Sprintf("the kubelet refuses the API server: %v", err)
	case apierrors.IsForbidden(err):
		return fmt.Sprintf("the right to %s is missing: %v", right, err)
	}
	return err.Error()
}

func (m *Memory) askNode(ctx context.Context, client kubernetes.Interface, node string) error {
	n, err := client.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{ResourceVersion: "0"})
	if err != nil {
		return err
	}
	m.Capacity, m.Allocatable = memoryOf(n.Status.Capacity), memoryOf(n.Status.Allocatable)
	m.KubeletVersion = report.Escape(n.Status.NodeInfo.KubeletVersion)
	m.Conditions = conditionsOf(n)
	return nil
}

// askConfig: the configuration that is in force, of all files, flags and defaults.
func (m *Memory) askConfig(ctx context.Context, client kubernetes.Interface, node string) error {
	b, err := kubeletSays(ctx, client, node, "configz")
	if err != nil {
		return err
	}
	var answer struct {
		Config *KubeletConfig `json:"kubeletconfig"`
	}
	if err := report.UnmarshalUntrusted(b, &answer); err != nil {
		return fmt.Errorf("failed to read the kubelet's configz: %w", err)
	}
	if answer.Config == nil {
		return errors.New("the kubelet's configz has no kubeletconfig")
	}
	m.Config = answer.Config
	return nil
}

// kubeletSays gets a path of the kubelet through the API server's proxy.
func kubeletSays(ctx context.Context, client kubernetes.Interface, node string, path ...string) ([]byte, error) {
	body, err := client.CoreV1().RESTClient().Get().Resource("nodes").Name(node).SubResource(append([]string{"proxy"}, path...)...).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, maxKubeletAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxKubeletAnswer:
		return nil, fmt.Errorf("the kubelet's answer is larger than %d MiB", maxKubeletAnswer>>20)
	case !json.Valid(b):
		return nil, errors.New("the kubelet's answer is no JSON")
	}
	return b, nil
}

func unixOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
