package hostfs

import (
	"bytes"
	"strconv"
	"strings"
)

// CgroupMount is a mounted hierarchy that may have a controller.
type CgroupMount struct {
	Point string
	// Root is the cgroup at Point, as the reader's cgroup namespace has it, which
	// may be "/../..".
	Root string
	V2   bool
}

// ParseCgroupMount takes a line of mountinfo, proc_pid_mountinfo(5), of cgroup v2
// or of the v1 hierarchy with a controller, here pids:
//
//	36 25 0:33 / /sys/fs/cgroup/pids rw,nosuid shared:16 - cgroup cgroup rw,pids
//	32 25 0:26 / /sys/fs/cgroup rw,nosuid shared:5 - cgroup2 cgroup2 rw,nsdelegate
func ParseCgroupMount(line []byte, controller string) (CgroupMount, bool) {
	if !bytes.Contains(line, []byte(" - cgroup")) {
		return CgroupMount{}, false
	}
	var l MountLine
	if !parseMountLine(line, &l) {
		return CgroupMount{}, false
	}
	return l.CgroupMount(controller)
}

// CgroupMount is ParseCgroupMount of a line that is parsed.
func (m *MountLine) CgroupMount(controller string) (CgroupMount, bool) {
	v2 := string(m.FSType) == "cgroup2"
	if !v2 && (string(m.FSType) != "cgroup" || !HasController(string(m.Super), controller)) {
		return CgroupMount{}, false
	}
	return CgroupMount{Point: Unmangle(m.Point), Root: Unmangle(m.Root), V2: v2}, true
}

// HasController says whether a list "rw,cpu,pids" has one of this name.
func HasController(list, name string) bool {
	for c := range strings.SplitSeq(list, ",") {
		if c == name {
			return true
		}
	}
	return false
}

// ParsePIDsMax parses pids.max: a number, or "max", which is nil.
func ParsePIDsMax(b []byte) (limit *uint64, err error) {
	text := string(bytes.TrimSpace(b))
	if text == "max" {
		return nil, nil //nolint:nilnil // no limit
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return &n, err
}

// ParsePIDsEvents finds "max N" in pids.events: forks that were refused.
func ParsePIDsEvents(b []byte) uint64 {
	for line := range bytes.Lines(b) {
		if v, ok := bytes.CutPrefix(line, []byte("max ")); ok {
			n, _ := strconv.ParseUint(string(bytes.TrimSpace(v)), 10, 64)
			return n
		}
	}
	return 0
}
