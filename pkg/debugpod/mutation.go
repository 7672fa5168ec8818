package debugpod

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// mutations compares the pod that was asked for with what admission made of
// it. Some changes make it another thing than we meant to run (fatal), others
// are worth a word (notable). Defaults, tokens and tolerations that the API
// server adds are neither.
func mutations(asked, got *corev1.Pod) (fatal, notable []string) {
	fatal = append(changedPod(asked, got), addedContainers(got)...)
	fatal = append(fatal, changedVolumes(asked, got)...)
	i := slices.IndexFunc(got.Spec.Containers, func(c corev1.Container) bool { return c.Name == containerName })
	if i < 0 {
		return append(fatal, "container "+containerName+" removed"), nil
	}
	a, g := &asked.Spec.Containers[0], &got.Spec.Containers[i]
	fatal = append(fatal, changedContainer(a, g)...)
	fatal = append(fatal, changedSecurity(a.SecurityContext, g.SecurityContext)...)
	return fatal, append(notablePod(asked, got), notableContainer(a, g)...)
}

// changed lists what differs, by name.
type changed []string

func (c *changed) check(what string, asked, got any) {
	if !equality.Semantic.DeepEqual(asked, got) {
		*c = append(*c, fmt.Sprintf("%s changed from %s to %s", what, show(asked), show(got)))
	}
}

// show is a value as it reads in a manifest.
func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil || string(text) == "null" {
		return "nothing"
	}
	return string(text)
}

func changedPod(asked, got *corev1.Pod) []string {
	var c changed
	a, g := asked.Spec, got.Spec
	c.check("nodeName", a.NodeName, g.NodeName)
	c.check("hostPID", a.HostPID, g.HostPID)
	c.check("hostNetwork", a.HostNetwork, g.HostNetwork)
	c.check("restartPolicy", a.RestartPolicy, g.RestartPolicy)
	// Another runtime is a sandbox, in which the node is not to be seen.
	c.check("runtimeClassName", a.RuntimeClassName, g.RuntimeClassName)
	for _, l := range []string{labelName, labelManagedBy, labelSession} {
		c.check("label "+l, asked.Labels[l], got.Labels[l])
	}
	return c
}

func addedContainers(got *corev1.Pod) []string {
	var added []string
	for _, i := range got.Spec.InitContainers {
		added = append(added, fmt.Sprintf("init container %q added", i.Name))
	}
	for _, i := range got.Spec.Containers {
		if i.Name != containerName {
			added = append(added, fmt.Sprintf("container %q added", i.Name))
		}
	}
	return added
}

func changedContainer(asked, got *corev1.Container) []string {
	var c changed
	c.check("image", asked.Image, got.Image)
	if !slices.Equal(asked.Command, got.Command) || !slices.Equal(asked.Args, got.Args) {
		c = append(c, "command changed")
	}
	c.check("stdin", asked.Stdin, got.Stdin)
	c.check("stdinOnce", asked.StdinOnce, got.StdinOnce)
	c.check("tty", asked.TTY, got.TTY)
	c.check("workingDir", asked.WorkingDir, got.WorkingDir)
	for _, m := range asked.VolumeMounts {
		i := slices.IndexFunc(got.VolumeMounts, func(g corev1.VolumeMount) bool { return g.Name == m.Name && g.MountPath == m.MountPath })
		if i < 0 {
			c = append(c, "mount of "+m.MountPath+" removed")
		} else {
			c.check("readOnly of mount "+m.MountPath, m.ReadOnly, got.VolumeMounts[i].ReadOnly)
		}
	}
	for _, e := range asked.Env {
		if !slices.Contains(got.Env, e) {
			c = append(c, fmt.Sprintf("environment variable %q changed", e.Name))
		}
	}
	return c
}

// changedVolumes: whatever is in another volume than ours, it is not what runs
// there. Added ones are not ours to judge.
func changedVolumes(asked, got *corev1.Pod) []string {
	var c changed
	for _, v := range asked.Spec.Volumes {
		i := slices.IndexFunc(got.Spec.Volumes, func(g corev1.Volume) bool { return g.Name == v.Name })
		if i < 0 {
			c = append(c, fmt.Sprintf("volume %q removed", v.Name))
		} else {
			c.check(fmt.Sprintf("volume %q", v.Name), v.VolumeSource, got.Spec.Volumes[i].VolumeSource)
		}
	}
	return c
}

// changedSecurity compares what was asked for; a field that was left open may
// have been defaulted.
func changedSecurity(asked, got *corev1.SecurityContext) []string {
	if got == nil {
		return []string{"securityContext removed"}
	}
	var c changed
	c.check("runAsUser", asked.RunAsUser, got.RunAsUser)
	c.check("runAsNonRoot", asked.RunAsNonRoot, got.RunAsNonRoot)
	c.check("readOnlyRootFilesystem", asked.ReadOnlyRootFilesystem, got.ReadOnlyRootFilesystem)
	c.check("privileged", asked.Privileged, got.Privileged)
	if asked.AllowPrivilegeEscalation != nil {
		c.check("allowPrivilegeEscalation", asked.AllowPrivilegeEscalation, got.AllowPrivilegeEscalation)
	}
	c.check("capabilities", asked.Capabilities, got.Capabilities)
	c.check("seLinuxOptions", asked.SELinuxOptions, got.SELinuxOptions)
	c.check("seccompProfile", asked.SeccompProfile, got.SeccompProfile)
	c.check("appArmorProfile", asked.AppArmorProfile, got.AppArmorProfile)
	return c
}

func notablePod(asked, got *corev1.Pod) []string {
	var c changed
	a, g := asked.Spec, got.Spec
	c.check("activeDeadlineSeconds", a.ActiveDeadlineSeconds, g.ActiveDeadlineSeconds)
	c.check("terminationGracePeriodSeconds", a.TerminationGracePeriodSeconds, g.TerminationGracePeriodSeconds)
	c.check("automountServiceAccountToken", a.AutomountServiceAccountToken, g.AutomountServiceAccountToken)
	c.check("priorityClassName", a.PriorityClassName, g.PriorityClassName)
	if !slices.Contains(g.Tolerations, a.Tolerations[0]) {
		c = append(c, "toleration of every taint removed")
	}
	if len(g.NodeSelector) > 0 || g.Affinity != nil {
		c = append(c, "a node selector or affinity added")
	}
	for _, v := range g.Volumes {
		if !slices.ContainsFunc(a.Volumes, func(ours corev1.Volume) bool { return ours.Name == v.Name }) {
			c = append(c, fmt.Sprintf("volume %q added", v.Name))
		}
	}
	return c
}

func notableContainer(asked, got *corev1.Container) []string {
	c := make(changed, 0, len(got.Env))
	c.check("imagePullPolicy", asked.ImagePullPolicy, got.ImagePullPolicy)
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		c.check(string(name)+" limit", asked.Resources.Limits[name], got.Resources.Limits[name])
	}
	for _, e := range got.Env {
		if slices.ContainsFunc(asked.Env, func(ours corev1.EnvVar) bool { return ours.Name == e.Name }) {
			continue
		}
		c = append(c, fmt.Sprintf("environment variable %q added", e.Name))
	}
	return c
}
