//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"

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

// manyPods makes pods that never run: some on a node that does not exist, the
// rest for a scheduler that nobody has.
func manyPods(t *testing.T, namespace string, count int) {
	t.Helper()
	const nowhere, makers = "fault-nowhere", 16
	fakeNode(t, nowhere, corev1.Node{}) // without its object its pods would be collected as garbage
	config := rest.CopyConfig(cluster.REST)
	config.QPS, config.ContentType = -1, runtime.ContentTypeProtobuf
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	pods := client.CoreV1().Pods(namespace)
	make := func(i int) error {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("crowd-%d", i), Labels: map[string]string{"maker": strconv.Itoa(i % makers)}},
			Spec: incidents.PodSpec("", incidents.Container("main", "/actor"))}
		pod.Spec.SchedulerName, pod.Spec.AutomountServiceAccountToken = "fault-nobody", new(false)
		if i%20 == 0 {
			pod.Spec.NodeName = nowhere
		}
		_, err := pods.Create(t.Context(), pod, metav1.CreateOptions{})
		return err
	}
	t.Cleanup(func() {
		workqueue.ParallelizeUntil(context.Background(), makers, makers, func(i int) {
			if err := pods.DeleteCollection(context.Background(), metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))},
				metav1.ListOptions{LabelSelector: "maker=" + strconv.Itoa(i)}); err != nil {
				t.Error(err)
			}
		})
	})
	workqueue.ParallelizeUntil(t.Context(), makers, count, func(i int) {
		if err := make(i); err != nil {
			t.Error(err)
		}
	})
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
