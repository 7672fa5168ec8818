package hostfs

import (
	"bytes"
	"strings"
)

// CgroupLine is one line of /proc/PID/cgroup, cgroups(7):
//
//	hierarchy-ID:controller-list:cgroup-path
//
// "0::/path" is the v2 hierarchy, "1:name=systemd:/path" a named v1 one. The
// path may hold colons.
type CgroupLine struct {
	Controllers string
	Path        string
}

// ParseCgroup parses the content of /proc/PID/cgroup; lines of another form
// are left out.
func ParseCgroup(b []byte) []CgroupLine {
	var lines []CgroupLine
	for line := range bytes.Lines(b) {
		f := bytes.SplitN(bytes.TrimSuffix(line, []byte("\n")), []byte(":"), 3)
		if len(f) == 3 && len(f[2]) > 0 && f[2][0] == '/' {
			lines = append(lines, CgroupLine{Controllers: string(f[1]), Path: string(f[2])})
		}
	}
	return lines
}

// InPod says whether a cgroup's path is that of a pod's container, or lies
// below one: coarse, and only to tell that a process is none of the host's own.
// The first container's element decides. That of cri-o's monitor, beside its
// container in the pod's cgroup, is the host's; so is the node itself where it
// runs in a container (/docker/<id>/system.slice/…).
func InPod(path string) bool {
	// Seen from a pod's cgroup namespace, kubepods may lie above the view.
	below := strings.HasPrefix(path, "/..")
	for e := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == ':' }) {
		below = below || strings.Contains(e, "kubepods")
		e = strings.TrimSuffix(strings.TrimSuffix(e, deletedMark), ".scope")
		at := max(len(e)-64, 0)
		if prefix := e[:at]; below && IsContainerID(e[at:]) && (prefix == "" || strings.HasSuffix(prefix, "-")) {
			return !strings.HasSuffix(prefix, "conmon-")
		}
	}
	return false
}

// HasContainerID says whether an element of the path is a container, of a pod or
// not.
func HasContainerID(path string) bool {
	for e := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == ':' }) {
		e = strings.TrimSuffix(e, ".scope")
		if at := len(e) - 64; at >= 0 && IsContainerID(e[at:]) {
			return true
		}
	}
	return false
}
