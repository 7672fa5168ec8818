package inventory

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// addMemory gives a pod what it asks for, why it ended, and what of it was killed.
func addMemory(pod *Pod, p *corev1.Pod) {
	pod.QOS, pod.Reason, pod.Message = string(p.Status.QOSClass), report.Escape(p.Status.Reason), said(p.Status.Message)
	if pod.Ended() && p.Status.StartTime != nil {
		pod.StartedAt = unixOf(p.Status.StartTime.Time)
	}
	// The spec's numbers and those that a resize has left in the status (KEP-1287):
	// the larger ones are set aside.
	options := resource.PodResourcesOptions{UseStatusResources: true}
	pod.MemoryRequest = memoryOf(resource.PodRequests(p, options))
	if resource.IsPodLevelLimitsSet(p) || allLimited(p) {
		pod.MemoryLimit = memoryOf(resource.PodLimits(p, options))
	}
	for _, v := range p.Spec.Volumes {
		if e := v.EmptyDir; e != nil && e.Medium == corev1.StorageMediumMemory {
			m := MemoryVolume{Name: report.Escape(v.Name)}
			if e.SizeLimit != nil {
				m.Limit = uint64(max(e.SizeLimit.Value(), 0))
			}
			pod.MemoryVolumes = append(pod.MemoryVolumes, m)
		}
	}
	specs := map[string]corev1.ResourceRequirements{}
	for _, list := range [][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for _, c := range list {
			specs[c.Name] = c.Resources
		}
	}
	at := 0 // in the order of fromPod
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses, p.Status.EphemeralContainerStatuses} {
		for i := range list {
			addContainer(&pod.Containers[at], &list[i], specs[list[i].Name])
			at++
		}
	}
}

func addContainer(c *Container, status *corev1.ContainerStatus, spec corev1.ResourceRequirements) {
	if status.Resources != nil && len(status.Resources.Limits) > 0 { // what is in force, during a resize
		spec.Limits = status.Resources.Limits
	}
	c.MemoryRequest, c.MemoryLimit, c.Restarts = memoryOf(spec.Requests), memoryOf(spec.Limits), int(status.RestartCount)
	for _, state := range []corev1.ContainerState{status.State, status.LastTerminationState} {
		t := state.Terminated
		if t == nil || t.Reason != "OOMKilled" {
			continue
		}
		_, id, _ := strings.Cut(t.ContainerID, "://")
		end := Termination{ID: report.Escape(id), ExitCode: int(t.ExitCode)}
		if !t.FinishedAt.IsZero() {
			end.FinishedAt = t.FinishedAt.Unix()
		}
		c.OOMKilled = append(c.OOMKilled, end)
	}
}

// allLimited: only then is the pod's cgroup given a limit.
func allLimited(p *corev1.Pod) bool {
	for _, c := range p.Spec.Containers {
		if c.Resources.Limits.Memory().IsZero() {
			return false
		}
	}
	for _, c := range p.Spec.InitContainers {
		if sidecar := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways; sidecar && c.Resources.Limits.Memory().IsZero() {
			return false
		}
	}
	return true
}

func memoryOf(l corev1.ResourceList) uint64 { return uint64(max(l.Memory().Value(), 0)) }
