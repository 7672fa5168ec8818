//go:build linux

package probe

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// fdSample is the number of descriptors per process at one moment.
type fdSample struct {
	at     time.Time
	uptime float64 // seconds after boot
	counts map[int]int
}

// fileNrSteps is how often file-nr is read during the interval: growth that
// shows in every step is no passing wave.
const fileNrSteps = 4

// collectOpenFiles reads the node's totals, takes the first descriptor count
// and lets the sampling interval pass.
func collectOpenFiles(ctx context.Context, r run) (publish, error) {
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	bad := unreadable{}
	files := &report.OpenFiles{PerProcessMax: readNumber(proc, "sys/fs/nr_open", bad)}
	var first *fdSample
	if r.req.FDs {
		first = sampleFDs(proc)
	}
	start := time.Now()
	for step := 0; ; step++ {
		b, err := proc.Read("sys/fs/file-nr")
		if err == nil {
			var used, limit uint64
			if used, limit, err = hostfs.ParseFileNr(b); err == nil {
				files.Max = &limit
				files.Samples = append(files.Samples, report.FileSample{AtMillis: time.Since(start).Milliseconds(), Allocated: used})
			}
		}
		if err != nil {
			bad.add("/proc/sys/fs/file-nr", err)
			break
		}
		if step == fileNrSteps || interval(r.req) == 0 {
			break
		}
		if err := sleep(ctx, interval(r.req)/fileNrSteps); err != nil {
			return nil, err
		}
	}
	files.Unreadable = bad.list()
	return func(r *run) { r.report.OpenFiles, r.first = files, first }, nil
}

// sampleFDs counts every process's descriptors; one that cannot be read is
// absent, and named when the process table is read.
func sampleFDs(proc *hostfs.Proc) *fdSample {
	s := &fdSample{at: time.Now(), counts: map[int]int{}}
	if b, err := proc.Read("uptime"); err == nil {
		s.uptime = hostfs.ParseUptime(b)
	}
	pids, err := proc.PIDs()
	if err != nil {
		return s
	}
	counter := hostfs.NewFDCounter(proc)
	for _, pid := range pids {
		if n, err := counter.Count(pid); err == nil {
			s.counts[pid] = n
		}
	}
	return s
}

func readNumber(proc *hostfs.Proc, name string, bad unreadable) *uint64 {
	b, err := proc.Read(name)
	if err == nil {
		var n uint64
		if n, err = strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil {
			return &n
		}
	}
	bad.add("/proc/"+name, err)
	return nil
}
