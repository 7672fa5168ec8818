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
	// largestProcesses are looked at closer, and the largest one of each of the
	// heaviestCgroups.
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
	read := map[int]report.ProcessMemory{}
	for _, i := range heaviest(r.report.Processes) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		p := &r.report.Processes.List[i]
		m := *p.Memory
		l.read(p, &m)
		read[i] = m
	}
	return func(r *run) {
		for i, m := range read {
			r.report.Processes.List[i].Memory = &m
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

// heaviest are the largest processes, and the largest one of each cgroup whose
// processes are the largest together, by their index in the list.
func heaviest(processes *report.Processes) []int {
	var all, first []*report.Process
	index := map[int]int{}
	sums := map[int]int64{}
	for i := range processes.List {
		p := &processes.List[i]
		if p.Kernel || p.Memory == nil || p.RSSBytes <= 0 {
			continue
		}
		index[p.PID] = i
		all = append(all, p)
		sums[p.Cgroup] += p.RSSBytes
	}
	byRSS(all)
	seen := map[int]bool{}
	for _, p := range all { // the largest of its cgroup, with the sum to sort by
		if !seen[p.Cgroup] {
			seen[p.Cgroup] = true
			first = append(first, &report.Process{PID: p.PID, RSSBytes: sums[p.Cgroup]})
		}
	}
	byRSS(first)
	var list []int
	done := map[int]bool{}
	for _, some := range [][]*report.Process{all[:min(largestProcesses, len(all))], first[:min(heaviestCgroups, len(first))]} {
		for _, p := range some {
			if i := index[p.PID]; !done[i] {
				done[i] = true
				list = append(list, i)
			}
		}
	}
	return list
}
