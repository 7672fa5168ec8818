package hostfs

import (
	"bytes"
	"strconv"
)

// Status is what is used of /proc/PID/status, proc_pid_status(5): "Key:\tvalue".
type Status struct {
	Tgid int
	UID  int // effective
	// NSPIDs is the pid in each namespace, outermost first; Linux 4.1 and
	// later, else empty.
	NSPIDs []int
}

// ParseStatus parses the content of /proc/PID/status. Name's value is escaped
// by the kernel, so a line is a line. A field that is missing stays zero; a
// missing UID is -1.
func ParseStatus(b []byte) Status {
	s := Status{UID: -1}
	for line := range bytes.Lines(b) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		f := bytes.Fields(value)
		switch string(key) {
		case "Tgid":
			s.Tgid = number(f, 0, 0)
		case "Uid": // real, effective, saved, filesystem
			s.UID = number(f, 1, -1)
		case "NSpid":
			for i := range f {
				s.NSPIDs = append(s.NSPIDs, number(f, i, 0))
			}
		}
	}
	return s
}

func number(f [][]byte, i, missing int) int {
	if i >= len(f) {
		return missing
	}
	v, err := strconv.Atoi(string(f[i]))
	if err != nil {
		return missing
	}
	return v
}
