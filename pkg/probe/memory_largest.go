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

const (
	// largestProcesses are looked at closer, and the largest one of each of so many
	// other cgroups.
	largestProcesses, heaviestCgroups = 30, 30
	// For smaps_rollup the kernel goes through all page tables, some 10 ms for each
	// GiB, and before 5.9 whoever wants to map something waits meanwhile: so much
	// resident memory, in bytes, of one process and of all.
	maxPSS, maxPSSAll = 16 << 30, 64 << 30
	// pssPatience bounds how long this goes on.
	pssPatience = 5 * time.Second
)

var errTooLarge = errors.New("too large to go through its page tables")

// collectLargest reads more of the largest processes. It stands apart from the
// process table: smaps_rollup waits for a process's mmap_lock, which one that hangs
// in a page fault may never give back. Whoever does so is left out next time.
func collectLargest(ctx context.Context, r run) (publish, error) {
	if r.report.Processes == nil || !r.req.Memory {
		return nil, nil //nolint:nilnil // nobody to look at
	}
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	l := &largest{proc: proc, bad: unreadable{}, left: maxPSSAll, until: time.Now().Add(pssPatience)}
	list := heaviest(r.report.Processes)
	read := make([]report.ProcessMemory, len(list))
	for i, p := range list {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		read[i] = *p.Memory
		l.read(p, &read[i])
	}
	return func(r *run) {
		for i, p := range list {
			p.Memory = &read[i]
		}
		r.report.Processes.Unreadable = append(r.report.Processes.Unreadable, l.bad.list()...)
	}, nil
}

type largest struct {
	proc  *hostfs.Proc
	bad   unreadable
	left  int64
	until time.Time
}

func (l *largest) read(p *report.Process, m *report.ProcessMemory) {
	m.OOMScore, m.OOMScoreAdj = l.number(p.PID, "oom_score"), l.number(p.PID, "oom_score_adj")
	if p.Blocked {
		return
	}
	m.Exe, m.Cwd = l.link(p.PID, "exe"), l.link(p.PID, "cwd")
	m.PSS = l.pss(p)
}

func (l *largest) failed(name string, err error) {
	if !hostfs.Gone(err) {
		l.bad.add("/proc/PID/"+name, err)
	}
}

func (l *largest) number(pid int, name string) *int {
	b, err := l.proc.ReadPID(pid, name)
	if err == nil {
		var n int
		if n, err = strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			return &n
		}
		err = errTorn
	}
	l.failed(name, err)
	return nil
}

func (l *largest) link(pid int, name string) string {
	text, err := l.proc.Readlink(pid, name)
	if err != nil {
		l.failed(name, err)
	}
	return report.Escape(text)
}

// pss: ENOENT is a kernel without the file, ESRCH a process that has ended.
func (l *largest) pss(p *report.Process) *uint64 {
	const file = "smaps_rollup"
	switch {
	case p.RSSBytes > maxPSS:
		l.failed(file, errTooLarge)
		return nil
	case p.RSSBytes > l.left || time.Now().After(l.until):
		l.failed(file, errNoTime)
		return nil
	}
	l.left -= p.RSSBytes
	b, err := l.proc.ReadPID(p.PID, file)
	if err != nil {
		l.failed(file, err)
		return nil
	}
	pss, ok := hostfs.ParsePSS(b)
	if !ok {
		l.failed(file, errTorn)
		return nil
	}
	return &pss
}

// heaviest are the largest processes, and the largest one of each of the next
// cgroups.
func heaviest(processes *report.Processes) (list []*report.Process) {
	var all []*report.Process
	for i := range processes.List {
		if p := &processes.List[i]; p.Memory != nil && p.RSSBytes > 0 {
			all = append(all, p)
		}
	}
	byRSS(all)
	seen := make([]bool, len(processes.Cgroups)+1)
	for _, p := range all {
		if len(list) < largestProcesses || !seen[p.Cgroup+1] && len(list) < largestProcesses+heaviestCgroups {
			list = append(list, p)
		}
		seen[p.Cgroup+1] = true
	}
	return list
}
