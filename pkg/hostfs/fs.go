// Package hostfs reads a node's files: one Go file per kernel or runtime
// source. Parsers take bytes and build on every OS; readers need Linux.
//
// Nothing here may hang or do harm on a sick node: no stat, statfs or open of
// what a process has open or mounted, only readlink and files of proc, sys and
// the runtimes' state directories.
package hostfs

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// FS is a node's files as a value. Every path that is read hangs off it, so
// that a test passes a temporary tree.
type FS struct {
	Proc string // procfs of the node's initial pid namespace
	Sys  string // sysfs
	Root string // the node's root directory
	// Log is a saved kernel log, as syslog(2) gives it; "": this kernel is asked.
	Log string
	// Guard, where there is one, watches over the reads of Proc.
	Guard *Guard
}

// Cause is the short reason of a failed read, without the path.
func Cause(err error) string {
	var errno syscall.Errno
	var path *os.PathError
	switch {
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &path):
		return path.Err.Error()
	}
	return err.Error()
}

// Gone tells a process or file that ended while it was being read, which is
// life and not an error: ENOENT on open, ESRCH on read.
func Gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}
