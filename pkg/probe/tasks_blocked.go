//go:build linux

package probe

import (
	"context"
	"errors"
	"sort"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// maxBlockedTasks are listed; behind a dead server there may be more.
	maxBlockedTasks = 4000
	maxWchan        = 64 // bytes; a kernel symbol is shorter
)

// blockedTask is one in uninterruptible sleep at the first look.
type blockedTask struct {
	report.BlockedTask
	look hostfs.TaskLook
}

// blocked looks twice, and keeps who is in uninterruptible sleep both times. Who
// has not been switched to in between has not run: it stayed.
func (t *tasks) blocked(ctx context.Context) error {
	found := t.firstLook(ctx)
	if len(found) == 0 {
		return nil
	}
	began := time.Now()
	if err := sleep(ctx, lookInterval(t.req)); err != nil {
		return err
	}
	t.out.LookedMillis = time.Since(began).Milliseconds()
	logged := t.hungTasks()
	for i := range found {
		t.secondLook(&found[i], logged)
	}
	return nil
}

// secondLook keeps who still is in uninterruptible sleep.
func (t *tasks) secondLook(b *blockedTask, logged map[int]hostfs.HungTask) {
	now, ok := t.look(b.PID, b.TID)
	if !ok {
		return
	}
	if b.look.Switches != nil && now.Switches != nil {
		if b.Switched = *now.Switches - *b.look.Switches; b.Switched == 0 {
			b.StayedMillis = t.out.LookedMillis
		}
	}
	b.Wchan = t.wchan(b.PID, b.TID)
	if !b.Kernel {
		b.Stack = t.stack(b.PID, b.TID, b.Wchan == "")
	}
	if h := logged[b.TID]; report.Escape(h.Comm) == b.Comm && b.StayedMillis > 0 {
		b.LoggedSeconds = h.Seconds
	}
	t.out.Blocked = append(t.out.Blocked, b.BlockedTask)
}

// hungTasks is what the kernel's log last said of each thread; what it says of NFS
// servers it reports at once.
func (t *tasks) hungTasks() map[int]hostfs.HungTask {
	log, err := hostfs.ReadKernelLog(t.fs)
	if err != nil && !hostfs.Gone(err) {
		t.bad.add("kernel log", err)
	}
	last := map[int]hostfs.HungTask{}
	hostfs.EachKernelLine(log, func(l hostfs.KernelLine) {
		if l.FromUser {
			return
		}
		if h, ok := hostfs.ParseHungTask(l.Text); ok {
			last[h.TID] = h
		} else if s, ok := hostfs.ParseNFSServer(l.Text); ok {
			t.addNFSServer(s, afterBoot(l.Seconds))
		}
	})
	return last
}

func (t *tasks) firstLook(ctx context.Context) (found []blockedTask) {
	add := func(b report.BlockedTask) {
		if len(found) == maxBlockedTasks {
			t.out.Left++
			return
		}
		if look, ok := t.look(b.PID, b.TID); ok {
			found = append(found, blockedTask{b, look})
		}
	}
	room := maxThreadsSeen
	for i := range t.report.Processes.List {
		p := &t.report.Processes.List[i]
		switch {
		case p.Kernel: // a requested one; it is among kernelThreads
		case p.Threads <= 1 || p.Blocked:
			if p.State == "D" {
				add(report.BlockedTask{PID: p.PID, TID: p.PID, Comm: p.Comm})
			}
			t.out.ThreadsUnseen += max(p.Threads-1, 0)
		case room < p.Threads || ctx.Err() != nil:
			t.out.ThreadsUnseen += p.Threads
		default:
			room -= p.Threads
			t.threads(p, add)
		}
	}
	for _, k := range t.kernelThreads {
		if k.state == "D" {
			add(report.BlockedTask{PID: k.pid, TID: k.pid, Comm: k.comm, Kernel: true})
		}
	}
	return found
}

// threads looks at each thread's own state: that of the process is its first
// one's.
func (t *tasks) threads(p *report.Process, add func(report.BlockedTask)) {
	var blocked []report.BlockedTask
	err := t.proc.EachTaskStat(p.PID, func(tid int, stat []byte) {
		if hostfs.StateOf(stat) != 'D' {
			return
		}
		if s, err := hostfs.ParseStat(stat); err == nil {
			blocked = append(blocked, report.BlockedTask{PID: p.PID, TID: tid, Comm: report.Escape(string(s.Comm))})
		}
	})
	if err != nil && !hostfs.Gone(err) {
		t.out.ThreadsUnseen += p.Threads
		t.bad.add("/proc/PID/task/TID/stat", err)
	}
	sort.Slice(blocked, func(i, j int) bool { return blocked[i].TID < blocked[j].TID }) // procfs does, a captured tree does not
	for _, b := range blocked {
		add(b)
	}
}

// look is whether a task is in uninterruptible sleep now, and how often it was
// switched to so far.
func (t *tasks) look(pid, tid int) (l hostfs.TaskLook, ok bool) {
	b, err := t.proc.ReadTask(pid, tid, "status")
	if err != nil {
		if !hostfs.Gone(err) {
			t.bad.add("/proc/PID/task/TID/status", err)
		}
		return l, false
	}
	l = hostfs.ParseTaskLook(b)
	return l, l.State == 'D'
}

// wchan is the kernel function that a task waits in; "0", also for who may not
// ask, is none.
func (t *tasks) wchan(pid, tid int) string {
	b, err := t.proc.ReadTask(pid, tid, "wchan")
	if err != nil {
		if !hostfs.Gone(err) && !errors.Is(err, hostfs.ErrUnanswered) && !errors.Is(err, hostfs.ErrUntried) {
			t.bad.add("/proc/PID/task/TID/wchan", err)
		}
		return ""
	}
	name := strings.TrimSpace(string(b))
	if name == "0" {
		return ""
	}
	return report.Escape(name[:min(len(name), maxWchan)])
}
