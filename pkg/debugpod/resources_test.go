package debugpod

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func testRoom(cpu, memory string, pod bool) room {
	return room{known: true, pod: pod, cpu: resource.MustParse(cpu), memory: resource.MustParse(memory)}
}

func quantities(cpu, memory string) corev1.ResourceList {
	l := corev1.ResourceList{}
	if cpu != "" {
		l[corev1.ResourceCPU] = resource.MustParse(cpu)
	}
	if memory != "" {
		l[corev1.ResourceMemory] = resource.MustParse(memory)
	}
	return l
}

func limitRange(least, most corev1.ResourceList) []corev1.LimitRange {
	return []corev1.LimitRange{{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
		{Type: corev1.LimitTypePersistentVolumeClaim, Max: quantities("1m", "1")},
		{Type: corev1.LimitTypeContainer, Min: least, Max: most},
	}}}}
}

func TestChooseResources(t *testing.T) {
	for name, c := range map[string]struct {
		room   room
		ranges []corev1.LimitRange
		want   string // requests, limits, critical
	}{
		"room for all":                          {testRoom("1", "1Gi", true), nil, "100m 32Mi 1 256Mi true"},
		"CPU fully requested":                   {testRoom("0", "1Gi", true), nil, "0 32Mi 1 256Mi true"},
		"overcommitted":                         {testRoom("-1", "-1Gi", true), nil, "0 0 1 256Mi true"},
		"no place for one more pod":             {testRoom("1", "1Gi", false), nil, "100m 32Mi 1 256Mi false"},
		"room unknown":                          {room{}, nil, "0 0 1 256Mi false"},
		"limit range with little memory":        {testRoom("1", "1Gi", true), limitRange(nil, quantities("", "16Mi")), "100m 16Mi 1 16Mi true"},
		"limit range with little CPU":           {testRoom("1", "1Gi", true), limitRange(nil, quantities("50m", "")), "50m 32Mi 50m 256Mi true"},
		"limit range asks for more":             {testRoom("1", "1Gi", true), limitRange(quantities("200m", "512Mi"), nil), "200m 512Mi 1 512Mi true"},
		"limit range asks for what is not free": {testRoom("100m", "1Gi", true), limitRange(quantities("200m", ""), nil), "200m 32Mi 1 256Mi false"},
	} {
		t.Run(name, func(t *testing.T) {
			r, critical := chooseResources(c.room, c.ranges)
			got := fmt.Sprint(r.Requests.Cpu(), " ", r.Requests.Memory(), " ", r.Limits.Cpu(), " ", r.Limits.Memory(), " ", critical)
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestRoomBesideCountsAsTheKubelet(t *testing.T) {
	node := &corev1.Node{Status: corev1.NodeStatus{Allocatable: quantities("1", "1Gi")}}
	node.Status.Allocatable[corev1.ResourcePods] = resource.MustParse("3")
	running := func(edit func(*corev1.Pod)) corev1.Pod {
		p := corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Resources: corev1.ResourceRequirements{Requests: quantities("300m", "100Mi")}}}}}
		if edit != nil {
			edit(&p)
		}
		return p
	}
	pods := []corev1.Pod{
		running(nil),
		running(func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }),
		running(func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }),
		running(func(p *corev1.Pod) { p.Spec.Overhead = quantities("100m", "") }),
	}
	if r := roomBeside(node, pods); r.cpu.String() != "300m" || r.memory.String() != "824Mi" || !r.pod {
		t.Errorf("got %s, %s, %v", r.cpu.String(), r.memory.String(), r.pod)
	}
	whole := running(func(p *corev1.Pod) {
		p.Spec.Resources = &corev1.ResourceRequirements{Requests: quantities("400m", "")}
	})
	if r := roomBeside(node, append(pods, whole)); r.cpu.String() != "-100m" || r.pod {
		t.Errorf("with a pod-level request: got %s, %v", r.cpu.String(), r.pod)
	}
}
