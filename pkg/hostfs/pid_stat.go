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
	f := bytes.Fields(b[end+1:])
	if len(f) < 22 || len(f[0]) != 1 {
		return s, fmt.Errorf("%d fields after comm in stat %q, want 22 or more", len(f), clip(b))
	}
	// f[0] is field 3 of the manual page.
	field := func(n int) int64 {
		v, e := strconv.ParseInt(string(f[n-3]), 10, 64)
		if e != nil && err == nil {
			err = fmt.Errorf("field %d of stat is %q", n, f[n-3])
		}
		return v
	}
	s = Stat{PID: pid, Comm: b[open+1 : end], State: f[0][0],
		PPID: int(field(4)), Kernel: field(9)&pfKthread != 0, Threads: int(field(20)),
		StartTicks: uint64(field(22)), RSSPages: field(24)}
	return s, err
}

func clip(b []byte) []byte { return b[:min(len(b), 80)] }
