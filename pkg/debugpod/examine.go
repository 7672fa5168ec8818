package debugpod

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// Outside is what can be told of a node without anything being started there.
type Outside struct {
	// Unfit says why nothing can be told: no Linux, or virtual.
	Unfit string
	// NotReady says why no pod may start, and since when; "": the node is ready, or
	// nobody knows.
	NotReady string
	// Verdict is what hangs there, as far as the kubelet's endpoints tell.
	Verdict string
	// Facts are all that was told.
	Facts []string
}

// LookFromOutside asks the API server, and the kubelet through it.
func LookFromOutside(ctx context.Context, c Clients, node string) Outside {
	found := make(chan *corev1.Node, 1)
	go func() { found <- nodeSoon(ctx, c, node) }()
	v := inventory.AskVitals(ctx, c.Kube, node)
	o := Outside{Verdict: v.Verdict(nil)}
	for _, f := range v.Facts() {
		o.Facts = append(o.Facts, f.String())
	}
	if n := <-found; n != nil {
		o.Unfit, o.NotReady = Unfit(n), NotReadySince(n)
	}
	return o
}

// nodeSoon is nil where the API server does not say soon.
func nodeSoon(ctx context.Context, c Clients, node string) *corev1.Node {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	n, err := within(ctx, func(ctx context.Context) (*corev1.Node, error) {
		return c.Kube.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	})
	if err != nil {
		return nil
	}
	return n
}
