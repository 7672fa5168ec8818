package debugpod

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	s := &Session{clients: c, node: &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}}, pod: &corev1.Pod{}}
	v := s.askVitals(ctx)
	o := Outside{Verdict: v.verdict(true), Facts: append(append(v.conditions(), v.endpoints()...), append(v.waiting(s.pod), v.nodeEvents()...)...)}
	if v.node != nil {
		o.Unfit, o.NotReady = Unfit(v.node), NotReadySince(v.node)
	}
	return o
}
