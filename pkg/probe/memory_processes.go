//go:build linux

package probe

import (
	"sort"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// addMemory reads what a process's memory consists of, which its status tells
// without waiting for it, and sets beside it what it was at the first sample.
func (t *table) addMemory(p *report.Process) {
	if p.State == "Z" && p.Threads <= 1 {
		return
	}
	b, err := t.proc.ReadPID(p.PID, "status")
	if err != nil {
		t.failed("status", err, false)
		return
	}
	s := hostfs.ParseMemoryStatus(b)
	p.Memory = &report.ProcessMemory{Anon: s.Anon, File: s.File, Shmem: s.Shmem, Swap: s.Swap}
	if t.memoryFirst == nil || p.Blocked || float64(p.StartTicks)/userHz > t.memoryFirst.uptime {
		return // the same pid may be another process by now
	}
	if pages, there := t.memoryFirst.rss[p.PID]; there {
		before := uint64(pages) * pageSize()
		p.Memory.RSSBefore = &before
	}
}

// hostLargest is how many of the host's largest processes are looked behind.
const hostLargest = 10

// askForLargest has the largest processes of the host itself read as if the
// request named them.
func (t *table) askForLargest() {
	var host []*report.Process
	var first *report.Process
	for i := range t.out.List {
		p := &t.out.List[i]
		if p.PID == 1 {
			first = p
		}
		if !p.Kernel && p.State != "Z" && p.Cgroup >= 0 {
			host = append(host, p)
		}
	}
	byRSS(host)
	left := hostLargest
	for _, p := range host {
		if left == 0 {
			return
		}
		if contained(t.out, first, p) {
			continue
		}
		left--
		if t.asked.processes[p.PID] != nil {
			continue
		}
		t.asked.processes[p.PID] = &[]int{}
		if !isMonitorComm(p.Comm) { // that one has been read for more than its line
			t.addCommand(p)
		}
	}
}

// byRSS sorts the largest first.
func byRSS(list []*report.Process) {
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return a.RSSBytes > b.RSSBytes || a.RSSBytes == b.RSSBytes && a.PID < b.PID
	})
}
