//go:build linux

package probe

import (
	"bytes"
	"strconv"
	"time"

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

// watchesTime bounds the reading of inotify watches: a million of them take the
// kernel 4 s and a buffer of 128 MiB, charged to this process's cgroup, and
// forks show them again.
const watchesTime = 5 * time.Second

// fdInfo reads /proc/PID/fdinfo beside a walk of /proc/PID/fd.
type fdInfo struct {
	proc  *hostfs.Proc
	left  int           // descriptors to look at
	spent time.Duration // on inotify watches
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

// mayBeDirectory spares what nobody opens as one.
func mayBeDirectory(link []byte) bool {
	return bytes.HasPrefix(link, []byte("/")) && !bytes.HasPrefix(link, []byte("/dev/")) && !bytes.HasPrefix(link, []byte("/memfd:"))
}

func (f *fdInfo) isDirectory(pid int, fd []byte) bool {
	b, err := f.proc.Read(fdinfoOf(pid, fd))
	return err == nil && openedAsDirectory(b)
}

func openedAsDirectory(fdinfo []byte) bool {
	flags, ok := hostfs.FDFlags(fdinfo)
	// O_TMPFILE, a file without a name, has O_DIRECTORY's bit in it.
	return ok && flags&unix.O_DIRECTORY != 0 && flags&unix.O_TMPFILE != unix.O_TMPFILE
}

// watches counts the watches of an inotify instance, line by line.
func (f *fdInfo) watches(pid int, fd []byte) (n int, err error) {
	if f.spent >= watchesTime {
		return 0, errNoTime
	}
	start := time.Now()
	err = f.proc.EachLine(fdinfoOf(pid, fd), func(line []byte) bool {
		if hostfs.IsWatch(line) {
			n++
		}
		return true
	})
	f.spent += time.Since(start)
	return n, err
}

func fdinfoOf(pid int, fd []byte) string {
	return strconv.Itoa(pid) + "/fdinfo/" + string(fd)
}
