//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// fakeNode makes a node's object without a node.
func fakeNode(t *testing.T, name string, n corev1.Node) {
	t.Helper()
	n.Name = name
	nodes := cluster.Client.CoreV1().Nodes()
	_ = nodes.Delete(t.Context(), name, metav1.DeleteOptions{})
	if _, err := nodes.Create(t.Context(), &n, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := nodes.Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// manyPods makes pods on a node that does not exist.
func manyPods(t *testing.T, namespace string, count int) {
	t.Helper()
	pods := cluster.Client.CoreV1().Pods(namespace)
	t.Cleanup(func() {
		now := int64(0)
		_ = pods.DeleteCollection(context.Background(), metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{FieldSelector: "spec.nodeName=fault-nowhere"})
	})
	for i := range count {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("crowd-%d", i)},
			Spec: incidents.PodSpec("fault-nowhere", incidents.Container("main", "/actor"))}
		if _, err := pods.Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// cloneRequest keeps a request for when its client is no longer there.
func cloneRequest(t *testing.T, r *http.Request) (again func([]byte) *http.Request, body []byte) {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	kept := r.Clone(context.Background())
	return func(body []byte) *http.Request {
		kept.Body, kept.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return kept
	}, body
}

// discard is a client that has gone.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
