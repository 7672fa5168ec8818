package hostfs

import (
	"bytes"
	"strings"
)

// JoinArgs joins arguments by spaces, limit bytes at most; cut says that there
// was more.
func JoinArgs(args []string, limit int) (line string, cut bool) {
	line = strings.Join(args, " ")
	if cut = len(line) > limit; cut {
		line = line[:limit]
	}
	return line, cut
}

// Args splits the content of /proc/PID/cmdline, arguments that each end in NUL.
// A process may overwrite them (setproctitle(3)): then there may be no NUL, or
// many at the end.
func Args(b []byte) []string {
	b = bytes.TrimRight(b, "\x00")
	if len(b) == 0 {
		return nil
	}
	var args []string
	for a := range bytes.SplitSeq(b, []byte{0}) {
		args = append(args, string(a))
	}
	return args
}
