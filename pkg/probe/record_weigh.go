//go:build linux

package probe

import (
	"context"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// intern gives each cgroup of a scan its place in the table; fresh: one of them has
// not been seen before.
func (rec *recorder) intern(s *scan) (fresh bool) {
	for i := range s.cgroups {
		c := &s.cgroups[i]
		if i == 0 {
			c.at = report.KernelCgroup
			continue
		}
		var isNew bool
		if c.at, isNew = rec.cgroup([]byte(c.raw)); isNew {
			rec.dirs[c.raw] = rec.memoryDir(rec.cgroups[c.at])
			fresh = true
		}
	}
	return fresh
}

// memoryDir is where a process's memory cgroup lies below the mount point, "" where
// it has none of its own: "/" counts the whole node.
func (rec *recorder) memoryDir(c report.Cgroup) string {
	if rec.memory == nil {
		return ""
	}
	for _, e := range c.Entries {
		if hostfs.HasController(e.Controllers, rec.memory.controller()) {
			if dir, _, ok := rec.memory.locate(report.Unescape(e.Path)); ok && dir != "/" {
				return dir
			}
		}
	}
	return ""
}

// weighing reads what can only be read by a goroutine that may be left behind. What
// it is given nobody changes.
type weighing struct {
	dirs      []string // of scan.cgroups; "" is summed up
	mount     *hostfs.CgroupMount
	processes []scannedProcess
	out       *weighed
}

type weighed struct {
	sizes    []uint64 // of dirs
	known    []bool
	root     int64    // working set of the root, Unknown
	commands []string // of weighing.processes
}

func (rec *recorder) weighing(s *scan) *weighing {
	w := &weighing{dirs: make([]string, len(s.cgroups)), mount: rec.mount}
	inner := map[string]bool{} // those above others: their count holds what these have
	for i, c := range s.cgroups {
		w.dirs[i] = rec.dirs[c.raw]
		hostfs.EachParent(w.dirs[i], func(parent string) bool {
			known := inner[parent]
			inner[parent] = inner[parent] || parent != w.dirs[i]
			return !known
		})
	}
	for i, dir := range w.dirs {
		if inner[dir] {
			w.dirs[i] = ""
		}
	}
	for i := range s.processes {
		p := &s.processes[i]
		_, p.known = rec.processAt[p.key()]
	}
	w.processes = s.processes
	return w
}

func (w *weighing) collect(_ context.Context, r run) (publish, error) {
	out := &weighed{sizes: make([]uint64, len(w.dirs)), known: make([]bool, len(w.dirs)), root: report.Unknown, commands: make([]string, len(w.processes))}
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	for i, p := range w.processes {
		if b, err := proc.ReadPID(p.pid, "cmdline"); err == nil && !p.known {
			line, _ := hostfs.JoinArgs(hostfs.Redact(hostfs.Args(b)), commandLimit)
			out.commands[i] = report.Escape(line)
		}
	}
	if tree := openMemoryTree(r.fs, w.mount, unreadable{}); tree != nil {
		defer tree.close()
		for i, dir := range w.dirs {
			if dir != "" {
				out.sizes[i], out.known[i] = workingSet(tree, dir)
			}
		}
		if n, ok := workingSet(tree, "/"); ok {
			out.root = int64(n)
		}
	}
	return func(*run) { w.out = out }, nil
}

// workingSet is usage less inactive_file, as the kubelet has it. The root of v2 has
// no usage: there it takes anon and file (runc, libcontainer/cgroups/fs2).
func workingSet(t *memoryTree, dir string) (uint64, bool) {
	usage := t.usage(dir, unreadable{})
	if usage != nil && *usage < worthAStat {
		return *usage, true
	}
	s := t.stat(dir, unreadable{})
	if usage == nil && s.Anon != nil && s.File != nil {
		usage = new(*s.Anon + *s.File)
	}
	if usage == nil {
		return 0, false
	}
	if s.InactiveFile != nil {
		return *usage - min(*usage, *s.InactiveFile), true
	}
	return *usage, true
}

// put makes a sample of what was found.
func (rec *recorder) put(s *report.Sample, found *scan, w *weighing) {
	s.Totals[report.TotalWorkingSet] = w.out.root
	sizes := make([]report.SampleOwner, len(rec.cgroups))
	for i, c := range found.cgroups {
		o := report.SampleOwner{Cgroup: c.at, Memory: c.rss, FDs: c.fds, Tasks: c.tasks}
		if w.out.known[i] {
			o.Memory = w.out.sizes[i]
		} else if c.rss > 0 {
			rec.summed[c.raw] = true
		}
		sizes[c.at] = o
	}
	for _, o := range sizes {
		if o.Memory+o.FDs+o.Tasks > 0 {
			s.Owners = append(s.Owners, o)
		}
	}
	for i, p := range found.processes {
		p.Process = rec.process(p, found.cgroups[p.cgroup].at, w.out.commands[i])
		s.Processes = append(s.Processes, p.SampleProcess)
	}
}

// process is the index of a process in the table.
func (r *recorded) process(p scannedProcess, cgroup int, command string) int {
	comm := report.Escape(strings.TrimSpace(string(p.comm[:p.commBytes])))
	at, known := r.processAt[p.key()]
	switch {
	case !known:
		at = len(r.processes)
		r.processAt[p.key()] = at
		r.processes = append(r.processes, report.Process{PID: p.pid, PPID: p.ppid, Cmdline: command, StartTicks: p.start})
	case command == "":
		command = r.processes[at].Cmdline
	}
	// An execve changes its name, and whoever starts it may move it on.
	q := &r.processes[at]
	q.Comm, q.Cgroup, q.Cmdline = comm, cgroup, command
	return at
}
