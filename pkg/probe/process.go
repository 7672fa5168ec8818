//go:build linux

package probe

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// read reads one process; ok is false where it has ended.
func (t *table) read(pid int) (p report.Process, ok bool) {
	p, err := t.stat(pid)
	if err != nil {
		t.failed("stat", err, true)
		return p, false
	}
	t.addCgroup(&p)
	if p.Kernel {
		return p, true
	}
	t.addCommand(&p)
	if t.req.Memory {
		t.addMemory(&p)
	}
	if t.req.FDs || t.asked.processes[pid] != nil {
		t.addFDs(&p)
	}
	return p, true
}

// stat reads who a process is, from its status where its stat does not answer:
// that has no start time.
func (t *table) stat(pid int) (p report.Process, err error) {
	b, err := t.proc.ReadPID(pid, "stat")
	if unanswered := errors.Is(err, hostfs.ErrUnanswered); unanswered || errors.Is(err, hostfs.ErrUntried) {
		t.failed("stat", err, false)
		if b, err = t.proc.ReadPID(pid, "status"); err != nil {
			return p, err
		}
		s := hostfs.ParseStatus(b)
		return report.Process{PID: pid, PPID: s.PPID, Comm: report.Escape(s.Name), State: report.Escape(string(s.State)),
			Kernel: s.Kernel(), Threads: s.Threads, RSSBytes: s.RSS, Cgroup: -1, Blocked: true}, nil
	}
	if err != nil {
		return p, err
	}
	s, err := hostfs.ParseStat(b)
	if err != nil {
		return p, errTorn
	}
	return report.Process{PID: pid, PPID: s.PPID, Comm: report.Escape(string(s.Comm)), State: report.Escape(string(s.State)),
		Kernel: s.Kernel, Threads: s.Threads, StartTicks: s.StartTicks, RSSBytes: s.RSSPages * int64(os.Getpagesize()), Cgroup: -1}, nil
}

// failed counts a failed read of /proc/PID/name. A process that has ended is
// counted once, by its stat.
func (t *table) failed(name string, err error, count bool) {
	switch {
	case !hostfs.Gone(err):
		t.bad.add("/proc/PID/"+name, err)
	case count:
		t.out.Vanished++
	}
}

func (t *table) addCgroup(p *report.Process) {
	b, err := t.proc.ReadPID(p.PID, "cgroup")
	if err != nil {
		t.failed("cgroup", err, false)
		return
	}
	i, known := t.cgroups[string(b)]
	if !known {
		i = len(t.out.Cgroups)
		t.cgroups[string(b)] = i
		c := cgroup(b)
		if t.first != nil {
			c.FDsBefore = t.first.cgroups[string(b)]
		}
		t.out.Cgroups = append(t.out.Cgroups, c)
		t.inPod = append(t.inPod, slices.ContainsFunc(c.Entries, inPod))
	}
	if p.Cgroup = i; len(t.out.Cgroups[i].Entries) == 0 {
		t.bad.add("/proc/PID/cgroup", errNoCgroup)
	}
}

func inPod(e report.CgroupEntry) bool { return hostfs.InPod(e.Path) }

// The same words for every process, so that they are one line of the tally.
var (
	errTorn     = errors.New("torn, or of another form")
	errNoCgroup = errors.New("no line that names a cgroup")
)

// cgroup keeps a line per path: on v1 a dozen controllers mostly share one.
func cgroup(b []byte) report.Cgroup {
	var c report.Cgroup
	at := map[string]int{}
	for _, l := range hostfs.ParseCgroup(b) {
		path := report.Escape(upTo(l.Path, maxCgroupPath))
		if i, seen := at[path]; seen {
			c.Entries[i].Controllers += "," + report.Escape(l.Controllers)
			continue
		}
		at[path] = len(c.Entries)
		c.Entries = append(c.Entries, report.CgroupEntry{Controllers: report.Escape(l.Controllers), Path: path})
	}
	return c
}

// maxCgroupPath bounds a cgroup's path in bytes. Whose it is the kubelet's and the
// runtime's part of it says, of less than 400 bytes, for a node in a container, too:
// what is longer somebody in there has made.
const maxCgroupPath = 1024

// upTo is a path, or what lies above it and is no longer than that.
func upTo(path string, most int) string {
	if len(path) <= most {
		return path
	}
	if at := strings.LastIndexByte(path[:most], '/'); at > 0 {
		return path[:at]
	}
	return "/"
}

func (t *table) addCommand(p *report.Process) {
	host := p.Cgroup >= 0 && !t.inPod[p.Cgroup] && isMonitorComm(p.Comm)
	b, err := t.proc.ReadPID(p.PID, "cmdline")
	if err != nil {
		t.failed("cmdline", err, false)
		return
	}
	limit := commandLimit
	if t.asked.processes[p.PID] != nil {
		limit = commandLimitAsked
	}
	args := hostfs.Args(b)
	shown := args
	if !t.req.ShowSecrets {
		shown = hostfs.Redact(args)
	}
	line, cut := hostfs.JoinArgs(shown, limit)
	p.Cmdline, p.CmdlineCut = report.Escape(line), cut
	if host {
		t.addMonitor(p, args)
	}
}

func (t *table) addFDs(p *report.Process) {
	if p.State == "Z" && p.Threads <= 1 {
		return // a zombie has closed everything, but for threads that live on
	}
	n, err := t.counter.Count(p.PID)
	if err != nil {
		t.failed("fd", err, false)
		return
	}
	p.FDs = &report.FDs{Count: n}
	if n >= worthALimit || t.asked.processes[p.PID] != nil {
		t.addLimit(p)
	}
	if t.first == nil {
		return
	}
	// The same pid may be another process by now: one that started after the
	// first sample has no count there.
	if before, there := t.first.counts[p.PID]; there && !p.Blocked && float64(p.StartTicks)/userHz <= t.first.uptime {
		p.FDs.Before, p.FDs.Steps = &before, t.first.steps[p.PID]
	}
}
