//go:build linux

package probe

import (
	"context"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// sampleDeadline bounds a scan of all processes.
const sampleDeadline = 20 * time.Second

// sample takes one, or notes that it did not come about.
func (rec *recorder) sample(ctx context.Context, jump bool) {
	began := cpuTime()
	defer func() { rec.cost = cpuTime() - began }()
	r := rec.base
	r.report = &report.NodeReport{}
	var found *scan
	err := collector{"processes", sampleDeadline, func(ctx context.Context, r run) (publish, error) {
		s, err := scanProcesses(ctx, r)
		return func(*run) { found = s }, err
	}}.runInto(ctx, &r)
	if err != nil || found == nil {
		rec.miss(err)
		return
	}
	s := &report.Sample{At: time.Now().UnixMilli(), Count: 1, Jump: jump, Totals: found.totals, Uptime: found.uptime}
	fresh := rec.intern(found)
	w := rec.weighing(found)
	if err := (collector{"memory", sampleDeadline, w.collect}).runInto(ctx, &r); err != nil {
		rec.miss(err)
		return
	}
	rec.put(s, found, w)
	rec.noteNames(ctx, fresh)
	rec.noteOOM(ctx, s)
	rec.countMounts(ctx, s)
	rec.last = *s
	rec.add(s)
	rec.compact(&rec.ring)
	rec.last.Owners, rec.last.Processes = nil, nil // add has cut them
}

func (rec *recorder) miss(err error) {
	rec.missed++
	if err != nil {
		rec.lastMiss = report.Escape(err.Error())
	}
}

// scan is what one pass over all processes found. It is made by a goroutine that
// may be left behind, and shares nothing.
type scan struct {
	totals    [report.NumTotals]int64
	uptime    int64 // ms
	cgroups   []scannedCgroup
	processes []scannedProcess // those with most of anything
}

type scannedCgroup struct {
	raw        string // of /proc/PID/cgroup; "" the kernel's own threads
	at         int    // in recorded, once interned
	rss        uint64
	fds, tasks uint64
}

type scannedProcess struct {
	pid, ppid int
	start     uint64
	known     bool     // its command line is
	comm      [16]byte // TASK_COMM_LEN
	commBytes int
	cgroup    int // in scan.cgroups
	report.SampleProcess
}

func (p *scannedProcess) key() uint64 { return processKey(p.pid, p.start) }

func scanProcesses(ctx context.Context, r run) (*scan, error) {
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	s := &scan{cgroups: make([]scannedCgroup, 1)}
	s.totals = readTotals(proc)
	if b, err := proc.Read("uptime"); err == nil {
		s.uptime = int64(hostfs.ParseUptime(b) * 1000)
	}
	pids, err := proc.PIDs()
	if err != nil {
		return nil, err
	}
	n := &scanner{scan: s, proc: proc, counter: hostfs.NewFDCounter(proc), known: map[string]int{}, page: pageSize()}
	for _, pid := range pids {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		n.add(pid)
	}
	s.totals[report.TotalProcesses] = int64(len(pids))
	s.processes = withMost(n.all)
	return s, nil
}

// scanner reads one process after the other.
type scanner struct {
	*scan
	proc    *hostfs.Proc
	counter hostfs.FDCounter
	known   map[string]int // cgroups, by their text
	page    uint64         // bytes
	all     []scannedProcess
}

func (n *scanner) add(pid int) {
	b, err := n.proc.ReadPID(pid, "stat")
	var st hostfs.Stat
	if err == nil {
		st, err = hostfs.ParseStat(b)
	}
	switch {
	case err != nil:
		if !hostfs.Gone(err) {
			n.totals[report.TotalUnread]++
		}
		return
	case st.Kernel:
		n.cgroups[0].tasks += uint64(max(st.Threads, 1))
		return
	}
	p := scannedProcess{pid: pid, start: st.StartTicks, ppid: st.PPID}
	p.commBytes = copy(p.comm[:], st.Comm)
	p.RSS, p.Threads = uint64(max(st.RSSPages, 0))*n.page, uint64(max(st.Threads, 1))
	if b, err = n.proc.ReadPID(pid, "cgroup"); err != nil {
		return // it has ended
	}
	b = shortLines(b, maxRecordedPath)
	at, seen := n.known[string(b)]
	if !seen {
		at = len(n.cgroups)
		n.cgroups = append(n.cgroups, scannedCgroup{raw: string(b)})
		n.known[string(b)] = at
	}
	p.cgroup = at
	if fds, err := n.counter.Count(pid); err == nil {
		p.FDs = uint64(fds)
	}
	c := &n.cgroups[at]
	c.rss, c.fds, c.tasks = c.rss+p.RSS, c.fds+p.FDs, c.tasks+p.Threads
	n.all = append(n.all, p)
}

// withMost keeps process 1, by which cgroups are read, and those with most of
// anything.
func withMost(all []scannedProcess) []scannedProcess {
	kept := map[int]bool{1: true}
	for _, by := range [...]struct {
		most int
		of   func(*scannedProcess) uint64
	}{
		{8, func(p *scannedProcess) uint64 { return p.RSS }},
		{4, func(p *scannedProcess) uint64 { return p.FDs }},
		{4, func(p *scannedProcess) uint64 { return p.Threads }},
	} {
		sort.Slice(all, func(i, j int) bool { return by.of(&all[i]) > by.of(&all[j]) })
		for _, p := range all[:min(by.most, len(all))] {
			kept[p.pid] = true
		}
	}
	list := make([]scannedProcess, 0, len(kept)+1)
	for _, p := range all {
		if kept[p.pid] {
			list = append(list, p)
		}
	}
	return list
}

// readTotals reads the node's own numbers, Unknown where there is none.
func readTotals(proc *hostfs.Proc) (t [report.NumTotals]int64) {
	t = readJumpy(proc)
	t[report.TotalUnread] = 0
	if b, err := proc.Read("pressure/memory"); err == nil {
		if p, ok := hostfs.ParsePSI(b); ok {
			t[report.TotalPressure] = int64(p.Some.Avg10 * 100)
		}
	}
	if b, err := proc.Read("vmstat"); err == nil {
		hostfs.EachNumber(b, func(name []byte, n uint64) {
			if string(name) == "oom_kill" {
				t[report.TotalOOMKills] = int64(n)
			}
		})
	}
	return t
}

// readJumpy reads those by which a jump is noticed.
func readJumpy(proc *hostfs.Proc) (t [report.NumTotals]int64) {
	for i := range t {
		t[i] = report.Unknown
	}
	m := memInfo(proc, unreadable{})
	set := func(to report.Total, amounts ...*uint64) {
		for _, n := range amounts {
			if n != nil {
				t[to] = max(t[to], 0) + int64(*n)
			}
		}
	}
	set(report.TotalAvailable, m.Available)
	set(report.TotalFree, m.Free)
	set(report.TotalKernel, m.SUnreclaim, m.KernelStack, m.PageTables)
	if m.SwapTotal != nil && m.SwapFree != nil && *m.SwapTotal >= *m.SwapFree {
		t[report.TotalSwapUsed] = int64(*m.SwapTotal - *m.SwapFree)
	}
	if b, err := proc.Read("sys/fs/file-nr"); err == nil {
		if used, _, err := hostfs.ParseFileNr(b); err == nil {
			t[report.TotalFiles] = int64(used)
		}
	}
	if b, err := proc.Read("loadavg"); err == nil {
		load := string(b)
		if tasks, err := parseTotal(load); err == nil {
			t[report.TotalTasks] = int64(*tasks)
		}
		first, _, _ := strings.Cut(load, " ")
		if f, err := strconv.ParseFloat(first, 64); err == nil && f >= 0 {
			t[report.TotalLoad] = int64(f * 100)
		}
	}
	return t
}

// jumped says whether a total is so much worse than at the last sample that the
// peak would be over by the next one.
func (rec *recorder) jumped() bool {
	now := readJumpy(rec.look)
	worse := func(by report.Total, part, least int64) bool {
		before := rec.last.Totals[by]
		return before != report.Unknown && now[by]-before > max(before/part, least)
	}
	const mib = 1 << 20
	before, after := available(&rec.last), available(&report.Sample{Totals: now})
	return before != report.Unknown && after != report.Unknown && before-after > max(int64(rec.limits.MemTotal/50), 64*mib) ||
		worse(report.TotalFiles, 20, 512) || worse(report.TotalTasks, 20, 128)
}

// cpuTime is what this process has had of the CPUs.
func cpuTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
