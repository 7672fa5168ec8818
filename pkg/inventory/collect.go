package inventory

import (
	"context"
	"strings"
	"sync"
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
	workloads *workloads        // a controller's own controller never changes
	volumes   bool              // pods' are wanted, too
	memory    bool              // and so is what the kubelet says of memory
	kubelets  *KubeletQuestions // nil: nothing is
	vitals    bool              // and whether it is well
	before    []Pod
	names     map[string]PodName // by UID, as far as AskNames has asked
}

// NewAsker asks client about node.
func NewAsker(client kubernetes.Interface, node string) *Asker {
	return &Asker{client: client, node: node, workloads: newWorkloads(client), names: map[string]PodName{}}
}

// WithVolumes has Ask fill in the pods' volumes, for an AddStorage later: many
// nodes share one Storage.
func (a *Asker) WithVolumes() *Asker {
	a.volumes = true
	return a
}

// WithMemory has Ask fill in Inventory.Memory, and what pods ask for and have lost.
func (a *Asker) WithMemory() *Asker {
	a.memory = true
	return a
}

// WithVitals has Ask fill in Inventory.Vitals.
func (a *Asker) WithVitals() *Asker {
	a.vitals = true
	return a
}

// Before remembers the pods that there are before the report is made. One that
// ends while it is made leaves mounts in it that are gone a moment later; Ask
// names these pods. Where Before fails there are none.
func (a *Asker) Before(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a.before = nil
	list, err := a.list(ctx)
	if err != nil {
		return
	}
	for i := range list {
		a.before = append(a.before, a.fromPod(&list[i]))
	}
}

// Ask asks the API server for the pods of the node and their controllers. It
// does not fail: what could not be asked is said in the result.
func (a *Asker) Ask(ctx context.Context) *Inventory {
	inv := &Inventory{Node: a.node}
	if a.kubelets != nil { // which takes as long as it was told to
		var asked sync.WaitGroup
		defer asked.Wait()
		whole := ctx
		asked.Go(func() { inv.Kubelets = askKubelets(whole, a.client, a.node, *a.kubelets) })
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var asked sync.WaitGroup // a node in trouble lets its kubelet's answers wait: beside the rest
	defer asked.Wait()
	if a.memory {
		asked.Go(func() { inv.Memory = askMemory(ctx, a.client, a.node) })
	}
	if a.vitals {
		asked.Go(func() { inv.Vitals = AskVitals(ctx, a.client, a.node) })
	}
	list, err := a.list(ctx)
	if err != nil {
		inv.PodsError = err.Error()
		return inv
	}
	w := a.workloads
	inv.WorkloadsError = w.resolve(ctx, list)
	for i := range list {
		p := a.fromPod(&list[i])
		p.Workload = w.of(&list[i])
		inv.Pods = append(inv.Pods, p)
	}
	inv.Departed = departed(a.before, inv.Pods)
	return inv
}

// list lists the node's pods. Resource version 0 is served from the watch cache,
// which spares etcd on a cluster that is in trouble. The list comes after the
// report, and what a lagging cache still holds or lacks is settled by UID.
func (a *Asker) list(ctx context.Context) ([]corev1.Pod, error) {
	list, err := a.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
		FieldSelector:   fields.OneTermEqualSelector("spec.nodeName", a.node).String(),
		ResourceVersion: "0",
	})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

func (a *Asker) fromPod(p *corev1.Pod) Pod {
	pod := fromPod(p)
	if a.volumes {
		addVolumes(&pod, p)
	}
	if a.memory {
		addMemory(&pod, p)
	}
	return pod
}

// departed are those that are not there any more, or have ended since: of one
// that had ended before, the kubelet may still be unmounting volumes.
func departed(before, now []Pod) []Pod {
	ended := map[string]bool{}
	for _, p := range now {
		ended[p.UID] = p.Ended()
	}
	var gone []Pod
	for _, p := range before {
		if has, there := ended[p.UID]; !there || has && !p.Ended() {
			gone = append(gone, p)
		}
	}
	return gone
}

func fromPod(p *corev1.Pod) Pod {
	pod := Pod{Namespace: p.Namespace, Name: p.Name, UID: string(p.UID), Phase: string(p.Status.Phase), Deleting: p.DeletionTimestamp != nil, Labels: p.Labels}
	if pod.Deleting { // the API server adds the grace to it (metav1.ObjectMeta)
		pod.DeleteBy = p.DeletionTimestamp.Unix()
	}
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
			if t := c.State.Terminated; t != nil && pod.Ended() {
				pod.EndedAt = max(pod.EndedAt, t.FinishedAt.Unix())
			}
			// "containerd://<id>"
			_, id, _ := strings.Cut(c.ContainerID, "://")
			container := Container{Name: c.Name, ID: id}
			if r := c.State.Running; r != nil {
				container.RunningSince = max(r.StartedAt.Unix(), 1)
			}
			pod.Containers = append(pod.Containers, container)
		}
	}
	return pod
}
