package debugpod

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// commonImage chooses as chooseImage does, among the images that all the nodes have.
func commonImage(cfg Config, nodes []corev1.Node) imageChoice {
	names := map[string]int{}
	for _, n := range nodes {
		for _, image := range n.Status.Images {
			for _, name := range slices.Compact(slices.Sorted(slices.Values(image.Names))) {
				names[name]++
			}
		}
	}
	common := nodes[0].DeepCopy()
	for i := range common.Status.Images {
		image := &common.Status.Images[i]
		image.Names = slices.DeleteFunc(image.Names, func(name string) bool { return names[name] < len(nodes) })
	}
	for i := range nodes {
		if !mayHaveShell(&nodes[i]) {
			common.Status.NodeInfo.OSImage = nodes[i].Status.NodeInfo.OSImage
		}
	}
	return chooseImage(cfg, common)
}

// roomOfAll is what the fullest of the nodes has left. Standbys that are there make
// room for the new.
func roomOfAll(ctx context.Context, client kubernetes.Interface, nodes []corev1.Node) room {
	list, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return room{}
	}
	on := map[string][]corev1.Pod{}
	for _, p := range list.Items {
		if !isStandby(&p) {
			on[p.Spec.NodeName] = append(on[p.Spec.NodeName], p)
		}
	}
	least := roomBeside(&nodes[0], on[nodes[0].Name])
	for i := range nodes[1:] {
		r := roomBeside(&nodes[1+i], on[nodes[1+i].Name])
		least.pod = least.pod && r.pod
		if r.cpu.Cmp(least.cpu) < 0 {
			least.cpu = r.cpu
		}
		if r.memory.Cmp(least.memory) < 0 {
			least.memory = r.memory
		}
	}
	return least
}
