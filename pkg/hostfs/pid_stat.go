package hostfs

import (
	"bytes"
	"fmt"
	"strconv"
)

// Stat is /proc/PID/stat, proc_pid_stat(5):
//
//	1234 (comm) S 1 1234 1234 0 -1 4194560 … num_threads 0 starttime vsize rss …
//
// comm may hold anything, spaces, newlines and parentheses included, so fields
// are counted from the last ')'.
type Stat struct {
	PID     int
	Comm    []byte
	State   byte
	PPID    int
	Kernel  bool // PF_KTHREAD
	Threads int
	// StartTicks since boot, in USER_HZ.
	StartTicks uint64
	RSSPages   int64
}

// pfKthread is PF_KTHREAD of include/linux/sched.h, stable since 2.6.27.
const pfKthread = 0x00200000

// ParseStat parses the content of /proc/PID/stat. Comm aliases b.
func ParseStat(b []byte) (Stat, error) {
	var s Stat
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 1 || end < open {
		return s, fmt.Errorf("no (comm) in stat %q", clip(b))
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(b[:open])))
	if err != nil {
		return s, fmt.Errorf("no pid in stat %q", clip(b))
	}
	var v [25]int64 // by the manual page's numbers, the first is 3
	rest := bytes.TrimRight(b[end+1:], "\n")
	for n := 3; n < len(v); n++ {
		var field []byte
		field, rest = cutField(rest)
		if len(field) == 0 || n == 3 && len(field) != 1 {
			return s, fmt.Errorf("%d fields after comm in stat %q, want 22 or more", n-3, clip(b))
		}
		switch n {
		case 3:
			s.State = field[0]
		case 4, 9, 20, 22, 24:
			if v[n], err = strconv.ParseInt(string(field), 10, 64); err != nil {
				return s, fmt.Errorf("field %d of stat is %q", n, field)
			}
		}
	}
	s.PID, s.Comm, s.PPID, s.Kernel = pid, b[open+1:end], int(v[4]), v[9]&pfKthread != 0
	s.Threads, s.StartTicks, s.RSSPages = int(v[20]), uint64(v[22]), v[24]
	return s, nil
}

// ParseCPUTicks is the time that a process has had of the CPUs, utime and stime
// of its stat, in USER_HZ. It is apart from ParseStat, which reads thousands.
func ParseCPUTicks(b []byte) (ticks uint64, err error) {
	const utime, stime = 14, 15
	rest := b[bytes.LastIndexByte(b, ')')+1:]
	for n := 3; n <= stime; n++ {
		var field []byte
		field, rest = cutField(rest)
		if n < utime {
			continue
		}
		t, err := strconv.ParseUint(string(field), 10, 63)
		if err != nil {
			return 0, fmt.Errorf("field %d of stat is %q", n, field)
		}
		ticks += t
	}
	return ticks, nil
}

// cutField cuts off the first word; bytes.Fields would allocate for all 52.
func cutField(b []byte) (field, rest []byte) {
	b = bytes.TrimLeft(b, " ")
	end := bytes.IndexByte(b, ' ')
	if end < 0 {
		end = len(b)
	}
	return b[:end], b[end:]
}

func clip(b []byte) []byte { return b[:min(len(b), 80)] }
