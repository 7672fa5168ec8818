package inventory

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// patience bounds how long an API server in trouble may delay the answer: the
// node's own files name most pods too.
const patience = 30 * time.Second

// Asker asks the API server about one node, again and again. It serves one
// goroutine.
type Asker struct {
	client    kubernetes.Interface
	node      string
	workloads *workloads // a controller's own controller never changes
}

// NewAsker asks client about node.
func NewAsker(client kubernetes.Interface, node string) *Asker {
	return &Asker{client: client, node: node, workloads: newWorkloads(client)}
}

// Ask asks the API server for the pods of the node and their controllers. It
// does not fail: what could not be asked is said in the result.
func (a *Asker) Ask(ctx context.Context) *Inventory {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	inv := &Inventory{Node: a.node}
	// Resource version 0 is served from the watch cache, which spares etcd on a
	// cluster that is in trouble. The list comes after the report, and what a
	// lagging cache still holds or lacks is settled by UID.
	list, err := a.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
		FieldSelector:   fields.OneTermEqualSelector("spec.nodeName", a.node).String(),
		ResourceVersion: "0",
	})
	if err != nil {
		inv.PodsError = err.Error()
		return inv
	}
	w := a.workloads
	inv.WorkloadsError = w.resolve(ctx, list.Items)
	for i := range list.Items {
		p := fromPod(&list.Items[i])
		p.Workload = w.of(&list.Items[i])
		inv.Pods = append(inv.Pods, p)
	}
	return inv
}

func fromPod(p *corev1.Pod) Pod {
	pod := Pod{Namespace: p.Namespace, Name: p.Name, UID: string(p.UID), Phase: string(p.Status.Phase), Deleting: p.DeletionTimestamp != nil, Labels: p.Labels}
	if !p.Spec.HostNetwork {
		for _, ip := range p.Status.PodIPs {
			pod.IPs = append(pod.IPs, ip.IP)
		}
	}
	if _, mirror := p.Annotations[corev1.MirrorPodAnnotationKey]; mirror {
		pod.ConfigHash = report.Escape(p.Annotations["kubernetes.io/config.hash"])
	}
	for _, c := range p.Spec.Containers {
		for _, port := range c.Ports {
			if port.HostPort != 0 {
				pod.HostPorts = append(pod.HostPorts, HostPort{HostPort: port.HostPort, Container: c.Name, Port: port.ContainerPort, Protocol: string(port.Protocol)})
			}
		}
	}
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses, p.Status.EphemeralContainerStatuses} {
		for _, c := range list {
			// "containerd://<id>"
			_, id, _ := strings.Cut(c.ContainerID, "://")
			pod.Containers = append(pod.Containers, Container{Name: c.Name, ID: id})
		}
	}
	return pod
}
