//go:build linux

package probe

import (
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// asked are the processes that a request names, by themselves or by a thread.
type asked struct {
	// processes maps a thread group's id to the requested thread ids in it.
	processes map[int]*[]int
	missing   []int
	// kthreads: some of them are kernel threads, so their parent is wanted too.
	kthreads bool
}

// kthreadd is the parent of all other kernel threads, started by the kernel
// right after init.
const kthreadd = 2

// resolveAsked: /proc/ID exists for every thread although only thread groups
// are listed; Tgid of its status names the group.
func resolveAsked(proc *hostfs.Proc, ids []int) asked {
	a := asked{processes: map[int]*[]int{}}
	for _, id := range ids {
		b, err := proc.ReadPID(id, "status")
		if err != nil && hostfs.Gone(err) {
			a.missing = append(a.missing, id)
			continue
		}
		tgid := hostfs.ParseStatus(b).Tgid
		if tgid == 0 {
			tgid = id
		}
		if a.processes[tgid] == nil {
			a.processes[tgid] = &[]int{}
		}
		if tgid != id {
			*a.processes[tgid] = append(*a.processes[tgid], id)
		}
		if b, err := proc.ReadPID(tgid, "stat"); err == nil {
			s, err := hostfs.ParseStat(b)
			a.kthreads = a.kthreads || err == nil && s.Kernel
		}
	}
	return a
}

func (a asked) kernel(pid int) bool {
	return a.processes[pid] != nil || a.kthreads && pid == kthreadd
}

// addDetails reads more of the requested processes.
func (t *table) addDetails() {
	for i := range t.out.List {
		p := &t.out.List[i]
		if threads := t.asked.processes[p.PID]; threads != nil {
			p.Detail = t.detail(p)
			p.Detail.Threads = t.threads(*threads)
		}
	}
	t.findMissing()
}

// threads reads the requested threads; one that has ended is absent.
func (t *table) threads(ids []int) []report.Thread {
	var threads []report.Thread
	for _, id := range ids {
		b, err := t.proc.ReadPID(id, "stat")
		if err != nil {
			t.failed("stat", err, false)
			continue
		}
		if s, err := hostfs.ParseStat(b); err == nil {
			threads = append(threads, report.Thread{ID: id, Comm: report.Escape(string(s.Comm)), State: report.Escape(string(s.State))})
		}
	}
	return threads
}

// findMissing adds those that ended between the first look and the table. One
// whose stat is there and cannot be read is not missing: that is unknown.
func (t *table) findMissing() {
	for pid := range t.asked.processes {
		if slices.ContainsFunc(t.out.List, func(p report.Process) bool { return p.PID == pid }) {
			continue
		}
		if _, err := t.proc.ReadPID(pid, "stat"); err != nil && hostfs.Gone(err) {
			t.out.Missing = append(t.out.Missing, pid)
		}
	}
	slices.Sort(t.out.Missing)
	t.out.Missing = slices.Compact(t.out.Missing)
}

func (t *table) detail(p *report.Process) *report.ProcessDetail {
	d := &report.ProcessDetail{UID: -1}
	bad := unreadable{}
	if b, err := t.proc.ReadPID(p.PID, "status"); err != nil {
		bad.add("status", err)
	} else {
		s := hostfs.ParseStatus(b)
		d.UID, d.NSPIDs = s.UID, s.NSPIDs
	}
	d.UserName = t.userName(d.UID)
	if !p.Kernel && p.State != "Z" { // neither has an exe or, a zombie, a cwd
		link := func(name string) string {
			s, err := t.proc.Readlink(p.PID, name)
			if err != nil {
				bad.add(name, err)
			}
			return report.Escape(s)
		}
		d.Exe, d.Cwd = link("exe"), link("cwd")
		d.ExeDeleted = strings.HasSuffix(d.Exe, " (deleted)")
		d.Rights = t.rights(p.PID, bad)
	}
	d.Unreadable = bad.list()
	return d
}
