package hostfs

import (
	"bytes"
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
