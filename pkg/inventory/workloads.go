package inventory

import (
	"context"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// parallelGets bounds the requests for controllers that are under way at once.
const parallelGets = 8

// workloads finds the topmost controllers of pods. ReplicaSets and Jobs are
// looked up for their own controller; every other kind stands for itself.
type workloads struct {
	client  kubernetes.Interface
	parents map[string]string // "namespace/Kind/name" of the owner → its owner's "Kind/name"
}

func newWorkloads(client kubernetes.Interface) *workloads {
	return &workloads{client: client, parents: map[string]string{}}
}

// resolve looks up the owners of pods, each once; it returns the first failure.
func (w *workloads) resolve(ctx context.Context, pods []corev1.Pod) (failure string) {
	var (
		mu    sync.Mutex
		group sync.WaitGroup
		slots = make(chan struct{}, parallelGets)
		asked = map[string]bool{}
	)
	for i := range pods {
		owner := metav1.GetControllerOf(&pods[i])
		if owner == nil || !slices.Contains([]string{"ReplicaSet", "Job"}, owner.Kind) {
			continue
		}
		key := pods[i].Namespace + "/" + owner.Kind + "/" + owner.Name
		if asked[key] {
			continue
		}
		asked[key] = true
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			parent, err := w.parent(ctx, pods[i].Namespace, owner)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil && failure == "":
				failure = err.Error()
			case parent != nil:
				w.parents[key] = parent.Kind + "/" + parent.Name
			}
		})
	}
	group.Wait()
	return failure
}

func (w *workloads) parent(ctx context.Context, namespace string, owner *metav1.OwnerReference) (*metav1.OwnerReference, error) {
	var o metav1.Object
	var err error
	if owner.Kind == "Job" {
		o, err = w.client.BatchV1().Jobs(namespace).Get(ctx, owner.Name, metav1.GetOptions{ResourceVersion: "0"})
	} else {
		o, err = w.client.AppsV1().ReplicaSets(namespace).Get(ctx, owner.Name, metav1.GetOptions{ResourceVersion: "0"})
	}
	if err != nil {
		return nil, err
	}
	return metav1.GetControllerOf(o), nil
}

// of is the workload of a pod, "Kind/name".
func (w *workloads) of(p *corev1.Pod) string {
	owner := metav1.GetControllerOf(p)
	switch {
	case owner == nil:
		return ""
	case owner.Kind == "Node":
		return "static pod"
	}
	if parent := w.parents[p.Namespace+"/"+owner.Kind+"/"+owner.Name]; parent != "" {
		return parent
	}
	return owner.Kind + "/" + owner.Name
}
