package debugpod

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Where the node has no image that is known to carry a shell, any image that
// it has serves, pause first, with the node's own shell: the directories of
// programs and libraries are mounted into the container, read-only. This is
// the exception. By default the pod mounts nothing of the host.

// hostDirs are the node's directories of programs and libraries. The type
// Directory makes the kubelet check them: where it is left open, the runtime
// makes what is missing, on the node. So only what surely exists is named:
// every dynamic loader of amd64 that glibc builds is in /lib64, that of arm64
// in /lib, and such nodes may have no /lib64. Where these are symbolic links
// into /usr, the mounts follow them.
func hostDirs(arch string) []string {
	dirs := []string{"/usr", "/bin", "/lib"}
	if arch == "amd64" {
		dirs = append(dirs, "/lib64")
	}
	return dirs
}

// mayHaveShell is false for systems that are known to come without sh in /bin
// or without the directories above.
func mayHaveShell(node *corev1.Node) bool {
	return !slices.ContainsFunc([]string{"Talos", "Bottlerocket", "NixOS"}, func(system string) bool {
		return strings.HasPrefix(node.Status.NodeInfo.OSImage, system)
	})
}

// anyImage is one that the node has, whatever it holds: pause, which no image
// garbage collection removes and no pull secret guards, then the smallest.
func anyImage(onNode []corev1.ContainerImage) string {
	type candidate struct {
		name  string
		bytes int64
	}
	var all []candidate
	for _, image := range onNode {
		for _, name := range image.Names {
			if !strings.Contains(name, "<none>") && !strings.Contains(name, "@") {
				all = append(all, candidate{name, image.SizeBytes})
			}
		}
	}
	isPause := func(c candidate) bool { return strings.HasPrefix(path.Base(repository(c.name)), "pause") }
	if len(all) == 0 {
		return ""
	}
	return slices.MinFunc(all, func(a, b candidate) int {
		switch {
		case isPause(a) != isPause(b):
			if isPause(a) {
				return -1
			}
			return 1
		case a.bytes != b.bytes:
			return int(min(max(a.bytes-b.bytes, -1), 1))
		}
		return strings.Compare(a.name, b.name)
	}).name
}

// hostEnv is the one program that starts before the image's environment is
// gone.
const hostEnv = "/usr/bin/env"

// underHostShell runs sh, which is "sh" and its arguments, as the node's.
// Whoever may run a pod on the node may bring an image there, and this
// container is privileged, so nothing of the image may count: programs and
// libraries are the node's, the environment is dropped, /etc, where a dynamic
// loader looks for what to preload, is hidden (see hostMounts).
func underHostShell(sh []string) []string {
	return append([]string{hostEnv, "-i", "PATH=/usr/bin:/bin", "/bin/sh"}, sh[1:]...)
}

// loaderEnv unsets what a dynamic loader would heed before hostEnv has dropped
// the rest.
func loaderEnv() []corev1.EnvVar {
	names := []string{"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GLIBC_TUNABLES"}
	env := make([]corev1.EnvVar, 0, len(names)+1)
	for _, name := range names {
		env = append(env, corev1.EnvVar{Name: name})
	}
	return append(env, corev1.EnvVar{Name: "LC_ALL", Value: "C"}) // reads no file
}

func hostVolumes(arch string) []corev1.Volume {
	dirs := hostDirs(arch)
	volumes := make([]corev1.Volume, 0, len(dirs))
	for _, dir := range dirs {
		volumes = append(volumes, corev1.Volume{Name: hostVolume(dir), VolumeSource: corev1.VolumeSource{
			HostPath: &corev1.HostPathVolumeSource{Path: dir, Type: new(corev1.HostPathDirectory)},
		}})
	}
	return volumes
}

// hostMounts also hide the image's /etc under the probe's volume. The runtime
// puts its hosts and resolv.conf there.
func hostMounts(arch string) []corev1.VolumeMount {
	dirs := hostDirs(arch)
	mounts := make([]corev1.VolumeMount, 0, len(dirs)+1)
	mounts = append(mounts, corev1.VolumeMount{Name: volumeName, MountPath: "/etc"})
	for _, dir := range dirs {
		mounts = append(mounts, corev1.VolumeMount{Name: hostVolume(dir), MountPath: dir, ReadOnly: true})
	}
	return mounts
}

func hostVolume(dir string) string { return "host-" + strings.TrimPrefix(dir, "/") }

// startedBy tells from a pod what starts the probe in it.
func startedBy(p *corev1.Pod) starter {
	switch p.Spec.Containers[0].Command[0] {
	case hostEnv:
		return byHostShell
	case probeInImage:
		return byItself
	}
	return byImageShell
}
