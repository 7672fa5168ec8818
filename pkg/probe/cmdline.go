//go:build linux

package probe

import (
	"errors"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

// Reading /proc/PID/cmdline touches the process's memory. Where that is backed
// by FUSE or userfaultfd, whoever serves it decides whether the read returns.
// So it is read by a goroutine that can be left behind.
const (
	cmdlinePatience = 300 * time.Millisecond
	maxStuckReaders = 8
)

var (
	errBlocked = errors.New("blocked: its memory does not answer")
	errSkipped = errors.New("not read: too many others blocked")
)

type cmdlineReader struct {
	fs       hostfs.FS
	requests chan int
	results  chan cmdlineResult
	patience *time.Timer
	stuck    int
}

type cmdlineResult struct {
	line []byte // in the reader's own buffer, until its next request
	err  error
}

func newCmdlineReader(fs hostfs.FS) *cmdlineReader {
	r := &cmdlineReader{fs: fs, patience: time.NewTimer(0)}
	r.start()
	return r
}

func (r *cmdlineReader) start() {
	requests, results := make(chan int), make(chan cmdlineResult, 1)
	r.requests, r.results = requests, results
	go func() {
		proc, err := hostfs.OpenProc(r.fs)
		if err == nil {
			defer proc.Close()
		}
		for pid := range requests {
			if err != nil {
				results <- cmdlineResult{err: err}
				continue
			}
			b, err := proc.ReadPID(pid, "cmdline")
			results <- cmdlineResult{b, err}
		}
	}()
}

// read gives up on a process after cmdlinePatience; what it returns is valid
// until the next call. After too many it gives up on all but the host's own
// monitors: nobody shall hide those by blocking.
func (r *cmdlineReader) read(pid int, monitor bool) ([]byte, error) {
	if r.stuck >= maxStuckReaders && !monitor {
		return nil, errSkipped
	}
	r.requests <- pid
	r.patience.Reset(cmdlinePatience)
	select {
	case res := <-r.results:
		return res.line, res.err
	case <-r.patience.C:
		r.stuck++
		close(r.requests)
		r.start()
		return nil, errBlocked
	}
}

func (r *cmdlineReader) close() {
	close(r.requests)
	r.patience.Stop()
}
