package hostfs

import "strings"

// ParsePodLogDir splits a directory's name below /var/log/pods, which the
// kubelet makes since 1.14: <namespace>_<pod>_<uid>. Neither part can hold '_'.
func ParsePodLogDir(name string) (namespace, pod, uid string, ok bool) {
	f := strings.Split(name, "_")
	if len(f) != 3 || f[0] == "" || f[1] == "" || f[2] == "" {
		return "", "", "", false
	}
	return f[0], f[1], f[2], true
}

// ParseContainerLog splits a link's name below /var/log/containers, which the
// kubelet makes for every runtime and removes with the container:
// <pod>_<namespace>_<container>-<id>.log. A longer one than a name may be is cut.
func ParseContainerLog(name string) (namespace, pod, container, id string, ok bool) {
	f := strings.Split(strings.TrimSuffix(name, ".log"), "_")
	if len(f) != 3 || f[0] == "" || f[1] == "" {
		return "", "", "", "", false
	}
	at := strings.LastIndexByte(f[2], '-')
	if at < 1 || !IsContainerID(f[2][at+1:]) {
		return "", "", "", "", false
	}
	return f[1], f[0], f[2][:at], f[2][at+1:], true
}
