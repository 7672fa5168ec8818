package debugpod

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// room is what the node has left for requests, and whether it takes one more
// pod. The kubelet evicts other pods to make room for a critical one, for a
// single missing millicore as well as for the pod count, so nothing is asked
// for that is not known to be free, and nothing critical without knowing.
type room struct {
	known       bool
	pod         bool
	cpu, memory resource.Quantity
}

// roomBeside adds up what runs on the node.
func roomBeside(node *corev1.Node, pods []corev1.Pod) room {
	free := node.Status.Allocatable.DeepCopy()
	r := room{known: true, cpu: *free.Cpu(), memory: *free.Memory()}
	count := int64(0)
	for i := range pods {
		if p := &pods[i]; p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			count++
			r.cpu.Sub(podRequest(p, corev1.ResourceCPU))
			r.memory.Sub(podRequest(p, corev1.ResourceMemory))
		}
	}
	r.pod = count < free.Pods().Value()
	return r
}

// podRequest is what the kubelet counts for a pod, or more: init containers
// are added to the others, which can only leave us too careful.
func podRequest(p *corev1.Pod, name corev1.ResourceName) resource.Quantity {
	sum := p.Spec.Overhead[name].DeepCopy()
	for _, containers := range [][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for _, c := range containers {
			sum.Add(c.Resources.Requests[name])
		}
	}
	if p.Spec.Resources != nil {
		if whole := p.Spec.Resources.Requests[name]; whole.Cmp(sum) > 0 {
			return whole
		}
	}
	return sum
}
