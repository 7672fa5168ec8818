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
