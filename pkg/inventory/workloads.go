package inventory

import (
	"cmp"
	"context"
	"maps"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// parallelGets bounds the requests for controllers that are under way at once.
const parallelGets = 8

// workloads finds the topmost controllers of pods. ReplicaSets and Jobs are
// looked up for their own controller; every other kind stands for itself.
type workloads struct {
	client  kubernetes.Interface
	parents map[ownerKey]string // of the owner → its owner's "Kind/name"
	settled map[ownerKey]bool   // looked up before
}

type ownerKey struct{ namespace, kind, name string }

// hasParent says whether a controller is one of Kubernetes' own that may have a
// controller itself: others have kinds of these names too, e.g. Volcano's Job.
func hasParent(o *metav1.OwnerReference) bool {
	group, _, _ := strings.Cut(o.APIVersion, "/")
	return o.Kind == "ReplicaSet" && (group == "apps" || group == "extensions") || o.Kind == "Job" && group == "batch"
}

func newWorkloads(client kubernetes.Interface) *workloads {
	return &workloads{client: client, parents: map[ownerKey]string{}, settled: map[ownerKey]bool{}}
}

// resolve looks up the owners of pods, each once; it returns the first failure
// in the order of pods. An owner that is gone is none: the pod outlives it.
func (w *workloads) resolve(ctx context.Context, pods []corev1.Pod) string {
	var (
		mu       sync.Mutex
		group    sync.WaitGroup
		slots    = make(chan struct{}, parallelGets)
		asked    = maps.Clone(w.settled)
		failures = make([]string, len(pods))
	)
	for i := range pods {
		owner := metav1.GetControllerOf(&pods[i])
		if owner == nil || !hasParent(owner) {
			continue
		}
		key := ownerKey{pods[i].Namespace, owner.Kind, owner.Name}
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
			case apierrors.IsNotFound(err): // or not in the watch cache yet
				return
			case err != nil:
				failures[i] = err.Error()
				return
			case parent != nil:
				w.parents[key] = workloadName(parent)
			}
			w.settled[key] = true
		})
	}
	group.Wait()
	return cmp.Or(failures...)
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
	if parent := w.parents[ownerKey{p.Namespace, owner.Kind, owner.Name}]; hasParent(owner) && parent != "" {
		return parent
	}
	return workloadName(owner)
}

// workloadName escapes: whoever may create a pod may write anything there.
func workloadName(o *metav1.OwnerReference) string { return report.Escape(o.Kind + "/" + o.Name) }
