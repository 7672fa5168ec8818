package debugpod

import (
	"context"
	"strings"
	"sync"

	authv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Right is what some command asks of the API server: docs/rbac grants it.
type Right struct {
	Verbs []string
	// Resources as RBAC names them; Group is theirs.
	Group     string
	Resources []string
	// Namespace that it is needed in; "": all of them, or the thing has none.
	Namespace string
	// Required: without it no pod is made on a node.
	Required bool
	// Without says what is lost.
	Without string

	// Missing are those that the user has not, such as "watch pods"; Unknown is why
	// that could not be asked, "" if it could.
	Missing []string
	Unknown string
}

// rights are all that any command uses, in the order of their weight. namespace is
// that of the pods.
func rights(namespace string) []Right {
	core := func(required bool, namespace, verbs, resources, without string) Right {
		return Right{Verbs: strings.Fields(verbs), Resources: strings.Fields(resources), Namespace: namespace, Required: required, Without: without}
	}
	in := func(group, verbs, resources, without string) Right {
		r := core(false, "", verbs, resources, without)
		r.Group = group
		return r
	}
	return []Right{
		core(true, "", "get", "nodes", "no node is found"),
		core(true, namespace, "create get delete", "pods", "no pod is made, and so none on a node; a standby may still answer"),
		core(true, namespace, "create", "pods/attach", "the probe cannot be delivered, nor its answer read"),
		core(false, namespace, "get", "pods/attach", "SPDY carries the answer, no WebSocket: some proxies stop it"),
		core(false, namespace, "list watch", "pods", "what interrupted runs left is not found and removed, nor are recorders; the wait for a pod asks again and again"),
		core(false, namespace, "get", "pods/log", "an answer whose stream broke is lost; a recording that has ended cannot be read"),
		core(false, namespace, "list watch", "events", "why a pod does not start is told by its state alone"),
		core(false, namespace, "list", "limitranges", "the pod is not fitted to the namespace's limits, which may refuse it"),
		core(false, "", "list", "pods", "pods are named by the node's own files only, workloads not at all; the pod is not critical, so a node under pressure refuses it"),
		in("apps", "get", "replicasets", "the workload is the ReplicaSet, not its Deployment"),
		in("batch", "get", "jobs", "the workload is the Job, not its CronJob"),
		core(false, "", "list", "nodes", "nodes have to be named, one by one"),
		core(false, "", "get", "nodes/proxy", "the kubelet's own figures and thresholds, whether kubelet or runtime hangs, and what a standby kept are not told"),
		core(false, "", "list", "persistentvolumes", "whether a volume's PersistentVolume is gone is unknown"),
		in("storage.k8s.io", "list", "volumeattachments csidrivers", "whether a volume is attached is unknown"),
		core(false, "", "list", "events", "OOM kills that the kernel's log has lost are not told"),
		core(false, "", "get list", "namespaces", "the PodSecurity level is not told ahead, nor a namespace that takes the pod"),
		{Verbs: []string{"get"}, Group: "coordination.k8s.io", Resources: []string{"leases"}, Namespace: corev1.NamespaceNodeLease, Without: "a kubelet that has just died is noticed later"},
		{Verbs: strings.Fields("create get list update delete"), Group: "apps", Resources: []string{daemonSets}, Namespace: namespace, Without: "standbys are not put into this namespace, nor taken away"},
		core(false, namespace, "create get list update delete", configMaps, "standbys are not put into this namespace, nor taken away"),
		in("apps", "list", daemonSets, "`standby install` does not see those in other namespaces"),
	}
}

// AskRights asks which of them the user has.
func AskRights(ctx context.Context, client kubernetes.Interface, namespace string) []Right {
	all := rights(namespace)
	var asked sync.WaitGroup
	for i := range all {
		asked.Go(func() { all[i].ask(ctx, client) })
	}
	asked.Wait()
	return all
}

func (r *Right) ask(ctx context.Context, client kubernetes.Interface) {
	for _, resource := range r.Resources {
		name, sub, _ := strings.Cut(resource, "/")
		for _, verb := range r.Verbs {
			ok, err := review(ctx, client, &authv1.ResourceAttributes{Verb: verb, Group: r.Group, Resource: name, Subresource: sub, Namespace: r.Namespace})
			switch {
			case err != nil:
				r.Unknown = err.Error()
				return
			case !ok:
				r.Missing = append(r.Missing, verb+" "+resource)
			}
		}
	}
}

func review(ctx context.Context, client kubernetes.Interface, attributes *authv1.ResourceAttributes) (bool, error) {
	answer, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authv1.SelfSubjectAccessReview{
		Spec: authv1.SelfSubjectAccessReviewSpec{ResourceAttributes: attributes},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return answer.Status.Allowed, nil
}
