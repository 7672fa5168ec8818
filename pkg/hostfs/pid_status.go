package hostfs

import (
	"bytes"
	"strconv"
)

// Status is what is used of /proc/PID/status, proc_pid_status(5): "Key:\tvalue".
type Status struct {
	Name    string
	State   byte
	Tgid    int
	PPID    int
	Threads int
	RSS     int64 // bytes
	UID     int   // effective
	// NSPIDs is the pid in each namespace, outermost first; Linux 4.1 and
	// later, else empty.
	NSPIDs []int
}

// Kernel says whether this is a kernel thread: those have no memory, and kthreadd
// for a parent, which the kernel starts as process 2.
func (s Status) Kernel() bool {
	return s.RSS == 0 && s.State != 'Z' && (s.PPID == 2 || s.Tgid == 2 && s.PPID == 0)
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
		case "Name": // may hold spaces
			s.Name = string(bytes.TrimSpace(value))
		case "State": // "S (sleeping)"
			if len(f) > 0 {
				s.State = f[0][0]
			}
		case "Tgid":
			s.Tgid = number(f, 0, 0)
		case "PPid":
			s.PPID = number(f, 0, 0)
		case "Threads":
			s.Threads = number(f, 0, 0)
		case "VmRSS": // "1234 kB"
			s.RSS = int64(number(f, 0, 0)) << 10
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
