package hostfs

import (
	"bytes"
	"strconv"
)

// TaskLook is what tells whether a thread has run between two looks, from
// /proc/PID/task/TID/status, proc_pid_status(5).
type TaskLook struct {
	State byte
	// Switches are its context switches, voluntary and not; nil: the kernel does
	// not say.
	Switches *uint64
}

// ParseTaskLook parses the content of a thread's status.
func ParseTaskLook(b []byte) TaskLook {
	var l TaskLook
	var sum uint64
	counts := 0
	for line := range bytes.Lines(b) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch string(key) {
		case "State":
			if len(value) > 0 {
				l.State = value[0]
			}
		case "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches":
			if n, err := strconv.ParseUint(string(value), 10, 64); err == nil {
				sum += n
				counts++
			}
		}
	}
	if counts == 2 {
		l.Switches = &sum
	}
	return l
}

// StateOf is the state's letter in the content of a stat, 0 where it is torn; all
// else of it is passed over.
func StateOf(stat []byte) byte {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 || end+2 >= len(stat) || stat[end+1] != ' ' {
		return 0
	}
	return stat[end+2]
}
