package inventory

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// asks is a container that requests and is limited, in MiB; 0: not at all.
func asks(name string, request, limit int64) corev1.Container {
	c := corev1.Container{Name: name, Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{}, Limits: corev1.ResourceList{}}}
	if request > 0 {
		c.Resources.Requests["memory"] = *resource.NewQuantity(request<<20, resource.BinarySI)
	}
	if limit > 0 {
		c.Resources.Limits["memory"] = *resource.NewQuantity(limit<<20, resource.BinarySI)
	}
	return c
}

func sidecar(c corev1.Container) corev1.Container {
	always := corev1.ContainerRestartPolicyAlways
	c.RestartPolicy = &always
	return c
}

func TestWhatAPodAsksFor(t *testing.T) {
	for name, c := range map[string]struct {
		change         func(*corev1.PodSpec)
		request, limit uint64 // MiB
	}{
		"the sum of its containers":   {func(*corev1.PodSpec) {}, 300, 600},
		"a larger init container":     {func(s *corev1.PodSpec) { s.InitContainers = []corev1.Container{asks("i", 900, 900)} }, 900, 900},
		"a sidecar runs beside":       {func(s *corev1.PodSpec) { s.InitContainers = []corev1.Container{sidecar(asks("i", 50, 60))} }, 350, 660},
		"a sidecar without limit":     {func(s *corev1.PodSpec) { s.InitContainers = []corev1.Container{sidecar(asks("i", 50, 0))} }, 350, 0},
		"an init container without":   {func(s *corev1.PodSpec) { s.InitContainers = []corev1.Container{asks("i", 0, 0)} }, 300, 600},
		"one container without limit": {func(s *corev1.PodSpec) { s.Containers = append(s.Containers, asks("c", 0, 0)) }, 300, 0},
		"its runtime's overhead":      {func(s *corev1.PodSpec) { s.Overhead = corev1.ResourceList{"memory": resource.MustParse("20Mi")} }, 320, 620},
		"resources of the whole pod":  {func(s *corev1.PodSpec) { r := asks("", 700, 800).Resources; s.Resources = &r }, 700, 800},
		"only a limit of the whole pod": {func(s *corev1.PodSpec) {
			r := asks("", 0, 800).Resources
			s.Resources = &r
			s.Containers = append(s.Containers, asks("c", 0, 0))
		}, 300, 800},
	} {
		t.Run(name, func(t *testing.T) {
			p := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{asks("a", 100, 200), asks("b", 200, 400)}}}
			c.change(&p.Spec)
			got := Pod{}
			addMemory(&got, p)
			if got.MemoryRequest != c.request<<20 || got.MemoryLimit != c.limit<<20 {
				t.Errorf("requests %d MiB, limited to %d MiB", got.MemoryRequest>>20, got.MemoryLimit>>20)
			}
		})
	}
}

func TestWhatBecameOfAPod(t *testing.T) {
	killed := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137, ContainerID: "containerd://old", FinishedAt: metav1.Unix(900, 0)}}
	limit := resource.MustParse("1Gi")
	p := pod("hub-0", nil)
	p.Spec.InitContainers = []corev1.Container{asks("init", 10, 20)}
	p.Spec.Containers = []corev1.Container{asks("app", 100, 200), asks("grown", 100, 200)}
	p.Spec.Volumes = []corev1.Volume{
		{Name: "shm", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: "Memory", SizeLimit: &limit}}},
		{Name: "unbounded", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: "Memory"}}},
		{Name: "disk", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	p.Status = corev1.PodStatus{Phase: corev1.PodFailed, QOSClass: "Burstable", Reason: "Evicted", Message: "The node was low on resource: memory.\x1b[2J",
		InitContainerStatuses: []corev1.ContainerStatus{{Name: "init"}},
		ContainerStatuses: []corev1.ContainerStatus{
			{Name: "grown", Resources: &corev1.ResourceRequirements{Limits: asks("", 0, 300).Resources.Limits}},
			{Name: "app", RestartCount: 7, State: killed, LastTerminationState: killed}},
		EphemeralContainerStatuses: []corev1.ContainerStatus{{Name: "debugger", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 137}}}}}
	got := fromPod(p)
	addMemory(&got, p)
	end := Termination{ID: "old", ExitCode: 137, FinishedAt: 900}
	wantContainers := []Container{
		{Name: "init", MemoryRequest: 10 << 20, MemoryLimit: 20 << 20},
		{Name: "grown", MemoryRequest: 100 << 20, MemoryLimit: 300 << 20},
		{Name: "app", MemoryRequest: 100 << 20, MemoryLimit: 200 << 20, Restarts: 7, OOMKilled: []Termination{end, end}},
		{Name: "debugger"},
	}
	if !reflect.DeepEqual(got.Containers, wantContainers) {
		t.Errorf("got %+v", got.Containers)
	}
	if got.QOS != "Burstable" || got.Reason != "Evicted" || got.Message != `The node was low on resource: memory.\x1b[2J` ||
		!reflect.DeepEqual(got.MemoryVolumes, []MemoryVolume{{Name: "shm", Limit: 1 << 30}, {Name: "unbounded"}}) {
		t.Errorf("got %+v", got)
	}
}
