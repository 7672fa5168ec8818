//go:build linux

package probe

import (
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// fdinfo tells a directory from a file where it was opened as one. It costs
// more than the link, so only requested processes and small ones get it, each
// as a whole.
const (
	directoryLooks    = 5000 // descriptors of other processes, in all
	directoryLooksPer = 256  // and in one of them
)

// fdInfo reads /proc/PID/fdinfo beside a walk of /proc/PID/fd.
type fdInfo struct {
	proc *hostfs.Proc
	left int
}

// wants says whether the files of a process are looked at one by one.
func (f *fdInfo) wants(p *report.Process, asked bool) bool {
	if asked {
		return true
	}
	n := p.FDs.Count
	if n > directoryLooksPer || n > f.left {
		return false
	}
	f.left -= n
	return true
}

func (f *fdInfo) isDirectory(pid int, fd []byte) bool {
	b, err := f.proc.Read(fdinfoOf(pid, fd))
	if err != nil {
		return false
	}
	flags, ok := hostfs.FDFlags(b)
	return ok && flags&unix.O_DIRECTORY != 0
}

// watches counts the watches of an inotify instance, line by line: there may be
// a million.
func (f *fdInfo) watches(pid int, fd []byte) (n int, err error) {
	err = f.proc.EachLine(fdinfoOf(pid, fd), func(line []byte) bool {
		if hostfs.IsWatch(line) {
			n++
		}
		return true
	})
	return n, err
}

func fdinfoOf(pid int, fd []byte) string {
	return strconv.Itoa(pid) + "/fdinfo/" + string(fd)
}
