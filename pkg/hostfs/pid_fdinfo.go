package hostfs

import (
	"bytes"
	"strconv"
)

// FDFlags are the open flags in /proc/PID/fdinfo/N, proc_pid_fdinfo(5), in the
// numbers of the node's architecture (O_DIRECTORY of arm64 is not amd64's):
//
//	pos:	0
//	flags:	0100000
//	mnt_id:	15
//
// ok is false where there is no such line.
func FDFlags(b []byte) (flags uint64, ok bool) {
	for line := range bytes.Lines(b) {
		if v, found := bytes.CutPrefix(line, []byte("flags:")); found {
			n, err := strconv.ParseUint(string(bytes.TrimSpace(v)), 8, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// FDMount is the id of the mount that the file was opened on, "mnt_id" since
// Linux 3.15: the first field of a line of mountinfo. ok is false without it.
func FDMount(b []byte) (id int, ok bool) {
	for line := range bytes.Lines(b) {
		if v, found := bytes.CutPrefix(line, []byte("mnt_id:")); found {
			return decimal(bytes.TrimSpace(v))
		}
	}
	return 0, false
}

// watchPrefix begins the line of each watch in the fdinfo of an inotify
// instance (fs/notify/fdinfo.c):
//
//	inotify wd:1 ino:2b3 sdev:fd00000 mask:3c0 ignored_mask:0 …
var watchPrefix = []byte("inotify wd:")

// IsWatch says whether a line of fdinfo is that of an inotify watch.
func IsWatch(line []byte) bool { return bytes.HasPrefix(line, watchPrefix) }
