package debugpod

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// What the probe gets. Listing descriptors charges about 0.9 KB of dentries
// and inodes each to its cgroup, so memory leaves room for 200,000 of them: 219,000
// took 199 MiB. Beyond that, and under a namespace's smaller limit, the kernel
// takes them back as it goes: 440,000 were listed within 64 MiB in 0.5 s more.
// One core, as the node is sick. The requests decide who yields when the node is busy, and
// are asked for only where they are free.
func memoryLimit() resource.Quantity   { return resource.MustParse("256Mi") }
func cpuLimit() resource.Quantity      { return resource.MustParse("1") }
func memoryRequest() resource.Quantity { return resource.MustParse("32Mi") }
func cpuRequest() resource.Quantity    { return resource.MustParse("100m") }

// chooseResources always sets all four, since a quota may demand them, and
// stays within the namespace's limit ranges. It also says whether the pod may
// be critical without costing another pod its place.
func chooseResources(r room, ranges []corev1.LimitRange) (resources corev1.ResourceRequirements, critical bool) {
	resources = corev1.ResourceRequirements{Requests: corev1.ResourceList{}, Limits: corev1.ResourceList{}}
	critical = r.known && r.pod
	for _, x := range []struct {
		name                   corev1.ResourceName
		limit, preferred, free resource.Quantity
	}{
		{corev1.ResourceCPU, cpuLimit(), cpuRequest(), r.cpu},
		{corev1.ResourceMemory, memoryLimit(), memoryRequest(), r.memory},
	} {
		least, most := bounds(ranges, x.name)
		request, limit := least, x.limit
		if r.known && x.free.Cmp(x.preferred) >= 0 && least.Cmp(x.preferred) < 0 {
			request = x.preferred
		}
		if most != nil && limit.Cmp(*most) > 0 {
			limit = *most
		}
		if limit.Cmp(least) < 0 {
			limit = least
		}
		if request.Cmp(limit) > 0 {
			request = limit
		}
		resources.Requests[x.name], resources.Limits[x.name] = request, limit
		if !request.IsZero() && x.free.Cmp(request) < 0 {
			critical = false
		}
	}
	return resources, critical
}

// bounds are what limit ranges demand of a container or a pod of one
// container: at least, and at most.
func bounds(ranges []corev1.LimitRange, name corev1.ResourceName) (least resource.Quantity, most *resource.Quantity) {
	for _, lr := range ranges {
		for _, item := range lr.Spec.Limits {
			if item.Type != corev1.LimitTypeContainer && item.Type != corev1.LimitTypePod {
				continue
			}
			if q, ok := item.Min[name]; ok && q.Cmp(least) > 0 {
				least = q
			}
			if q, ok := item.Max[name]; ok && (most == nil || q.Cmp(*most) < 0) {
				most = &q
			}
		}
	}
	return least, most
}
