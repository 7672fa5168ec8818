package hostfs

import "bytes"

// FormatCmdline joins the NUL-separated arguments of /proc/PID/cmdline by
// spaces, limit bytes at most; cut says that there was more. A process may
// overwrite its arguments (setproctitle(3)): then there may be no NUL, or many
// at the end.
func FormatCmdline(b []byte, limit int) (line string, cut bool) {
	b = bytes.TrimRight(b, "\x00")
	if cut = len(b) > limit; cut {
		b = b[:limit]
	}
	return string(bytes.ReplaceAll(b, []byte{0}, []byte{' '})), cut
}

// Args splits the content of /proc/PID/cmdline.
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
