package debugpod

import "strings"

// exhausted recognises, in what kubelets and runtimes quote of the kernel, what
// the node has used up: then no pod starts there. "" where it is nothing such.
// The texts are those of strerror(3) and of Go, which writes them in lower case.
func exhausted(message string) string {
	message = strings.ToLower(message)
	for _, e := range []struct{ sign, means string }{
		{"no space left on device", "a filesystem of the node is full, or its inotify watches are used up"}, // ENOSPC
		{"disk quota exceeded", "a disk quota of the node is used up"},
		{"resource temporarily unavailable", "the node, or a cgroup of its daemons, has no process IDs left"}, // EAGAIN of fork(2)
		{"too many open files", "the node, or a daemon of it, has no file descriptors or inotify instances left"},
		{"cannot allocate memory", "the node, or a cgroup of it, has no memory left"},
	} {
		if strings.Contains(message, e.sign) {
			return e.means
		}
	}
	return ""
}
