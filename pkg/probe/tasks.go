//go:build linux

package probe

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// tasks collects what counts against the kernel's limits of processes and
// threads, from the process table that is there already.
type tasks struct {
	run
	proc *hostfs.Proc
	bad  unreadable
	out  *report.Tasks
}

var errNoProcessTable = errors.New("no process table to look at")

func collectTasks(ctx context.Context, r run) (publish, error) {
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	t := &tasks{run: r, proc: proc, bad: unreadable{}, out: &report.Tasks{}}
	t.totals()
	t.out.KernelThreads = groupKernelThreads(r.kernelThreads)
	if r.report.Processes == nil {
		t.bad.add("/proc/PID/task", errNoProcessTable)
	} else {
		if err := t.blocked(ctx); err != nil {
			return nil, err
		}
		t.limits(ctx)
	}
	t.out.Unreadable = t.bad.list()
	return func(r *run) { r.report.Tasks = t.out }, nil
}

// totals: kernel.pid_max and kernel.threads-max, and of /proc/loadavg the second
// half of the fourth field, proc_loadavg(5): "0.20 0.18 0.12 1/80 11206".
func (t *tasks) totals() {
	t.out.PIDMax = t.number("sys/kernel/pid_max")
	t.out.ThreadsMax = t.number("sys/kernel/threads-max")
	b, err := t.proc.Read("loadavg")
	if err == nil {
		t.out.Total, err = parseTotal(string(b))
	}
	if err != nil {
		t.bad.add("/proc/loadavg", err)
	}
}

func (t *tasks) number(name string) *uint64 {
	b, err := t.proc.Read(name)
	if err != nil {
		t.bad.add("/proc/"+name, err)
		return nil
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		t.bad.add("/proc/"+name, errTorn)
		return nil
	}
	return &n
}

func parseTotal(loadavg string) (*uint64, error) {
	f := strings.Fields(loadavg)
	if len(f) < 4 {
		return nil, errTorn
	}
	_, total, _ := strings.Cut(f[3], "/")
	n, err := strconv.ParseUint(total, 10, 64)
	if err != nil {
		return nil, errTorn
	}
	return &n, nil
}

const (
	// maxThreadsSeen bounds the threads whose state is looked at, some 2 µs each;
	// maxPipeThreads those whose wchan and system call are, some 5 µs each.
	maxThreadsSeen = 200_000
	maxPipeThreads = 60_000
)

// lookInterval lies between the two looks at threads that wait: blocked, or in a pipe.
func lookInterval(req report.Request) time.Duration {
	if d := interval(req); d > 0 {
		return d
	}
	return time.Second
}
