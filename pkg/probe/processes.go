//go:build linux

package probe

import (
	"context"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// commandLimit bounds a command line in bytes, commandLimitAsked that of a
	// process that the request names.
	commandLimit, commandLimitAsked = 160, 4096
	// maxProcesses bounds the list; pid_max is 4 million at the most.
	maxProcesses = 100_000
)

// table builds the process table.
type table struct {
	run
	proc    *hostfs.Proc
	counter hostfs.FDCounter
	bad     unreadable
	cgroups map[string]int
	inPod   []bool // by index of out.Cgroups
	asked   asked
	sockets *sockets
	info    *fdInfo
	types   *fileTypes // nil: not asked for
	// classified are the processes whose descriptors were looked into, by index
	// of out.List.
	classified []bool
	passwd     []byte
	passwdErr  error
	kthreads   []kernelThread
	out        *report.Processes
}

// kernelThread is what later collectors need of one; there may be 20,000, which
// are not reported one by one.
type kernelThread struct {
	pid   int
	comm  string // escaped
	state string
	start uint64 // report.Process.StartTicks
}

func collectProcesses(ctx context.Context, r run) (publish, error) {
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	aside, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer aside.Close()
	t := newTable(r, proc, aside)
	secondAt := time.Now()
	if err := t.readAll(ctx); err != nil {
		return nil, err
	}
	if r.first != nil {
		t.out.FDMethod = t.counter.Method()
		t.out.FDIntervalMillis = secondAt.Sub(r.first.at).Milliseconds()
	}
	t.lookInto(ctx)
	if r.req.Memory && slices.Contains(r.req.Collect, report.CollectBackground) {
		t.askForLargest()
	}
	t.addDetails()
	t.addUsers()
	t.out.Unreadable = t.bad.list()
	return func(r *run) { r.report.Processes, r.dirs, r.kernelThreads = t.out, t.dirs, t.kthreads }, nil
}

// newTable: aside reads files while proc walks a directory.
func newTable(r run, proc, aside *hostfs.Proc) *table {
	bad := unreadable{}
	t := &table{run: r, proc: proc, counter: hostfs.NewFDCounter(proc),
		bad: bad, cgroups: map[string]int{}, asked: resolveAsked(proc, r.req.PIDs), out: &report.Processes{},
		sockets: newSockets(r.fs, proc, bad), info: &fdInfo{proc: aside, left: directoryLooks}}
	t.out.Missing = t.asked.missing
	return t
}

func (t *table) readAll(ctx context.Context) error {
	pids, err := t.proc.PIDs()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		p, ok := t.read(pid)
		if !ok {
			continue
		}
		t.out.Total++
		if p.Kernel {
			t.out.KernelThreads++
			t.kthreads = append(t.kthreads, kernelThread{pid: pid, comm: p.Comm, state: p.State, start: p.StartTicks})
			if !t.asked.kernel(pid) {
				continue
			}
		}
		if len(t.out.List) == maxProcesses {
			t.bad.add("/proc/PID", errTooMany)
			break
		}
		t.out.List = append(t.out.List, p)
	}
	if t.first != nil {
		t.countVanished(pids)
	}
	return nil
}

// countVanished counts the processes of the first sample that are no more.
func (t *table) countVanished(pids []int) {
	for pid := range t.first.counts {
		if _, there := slices.BinarySearch(pids, pid); !there {
			t.out.Vanished++
		}
	}
}
