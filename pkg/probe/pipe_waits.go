//go:build linux

package probe

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// maxPipeWaits are reported.
	maxPipeWaits = 500
	// maxPipeEnds are named of one pipe.
	maxPipeEnds = 32
)

// pipeWait is one at the first look.
type pipeWait struct {
	report.PipeWait
	look hostfs.TaskLook
}

// waits looks twice at who waits in a pipe, and keeps who does both times.
func (p *pipes) waits(ctx context.Context) error {
	found := p.firstWaits(ctx)
	if len(found) == 0 {
		return nil
	}
	began := time.Now()
	if err := sleep(ctx, lookInterval(p.req)); err != nil {
		return err
	}
	p.out.LookedMillis = time.Since(began).Milliseconds()
	lists := map[pipeKey]int{}
	for _, w := range found {
		if now, ok := p.waitOf(w.PID, w.TID, w.Comm); !ok || now.Op != w.Op {
			continue
		}
		if now := p.switches(w.PID, w.TID); w.look.Switches != nil && now.Switches != nil && *now.Switches == *w.look.Switches {
			w.StayedMillis = p.out.LookedMillis
		}
		if w.FD != nil {
			w.Pipe = p.listed(lists, w.PID, *w.FD)
		}
		p.out.Waits = append(p.out.Waits, w.PipeWait)
	}
	if len(lists) > 0 {
		p.ends(ctx, lists)
	}
	p.programs()
	return nil
}

// programs: which runc it is decides whether a full pipe is its own fault.
func (p *pipes) programs() {
	root, err := hostfs.OpenRoot(p.fs, rootMounts(p.fs, p.bad))
	if err != nil {
		p.bad.add("/", err)
		return
	}
	defer root.Close()
	p.out.Programs = runtimePrograms(root)
}

// firstWaits: a thread that writes into a full pipe; one that reads an empty one is
// the usual case, and told of a container runtime's programs only.
func (p *pipes) firstWaits(ctx context.Context) (found []pipeWait) {
	room := maxPipeThreads
	for i := range p.report.Processes.List {
		process := &p.report.Processes.List[i]
		if process.Kernel || process.State == "Z" || process.Blocked || ctx.Err() != nil {
			continue
		}
		if room -= max(process.Threads, 1); room < 0 {
			p.bad.add("/proc/PID/task/TID/wchan", errTooMany)
			return found
		}
		for _, tid := range p.threadsOf(process) {
			w, ok := p.waitOf(process.PID, tid, process.Comm)
			switch {
			case !ok:
			case w.Op != "write" && !runtimeProgram(process):
			case len(found) == maxPipeWaits:
				p.out.Left++
			default:
				found = append(found, pipeWait{w, p.switches(w.PID, tid)})
			}
		}
	}
	return found
}

// waitOf says whether a thread waits in a pipe, and in which.
func (p *pipes) waitOf(pid, tid int, comm string) (w report.PipeWait, ok bool) {
	w = report.PipeWait{PID: pid, TID: tid, Comm: comm, Wchan: p.wchan(pid, tid), Pipe: -1}
	if w.Op, ok = hostfs.PipeWait(w.Wchan); !ok && !hostfs.WchanUntold(w.Wchan) {
		return w, false
	}
	if !ok {
		w.Wchan = ""
	}
	p.addSyscall(&w)
	return w, ok || w.FD != nil && w.Op != ""
}

// runtimeProgram: runc under any of its names, and the shims. "runc init" calls
// itself runc:[2:INIT] while it sets up the container.
func runtimeProgram(p *report.Process) bool {
	for _, name := range []string{"runc", "crun", "docker-runc", "containerd-shim", "docker-containe", "conmon", "exe"} {
		if strings.HasPrefix(p.Comm, name) {
			return true
		}
	}
	return strings.Contains(p.Cmdline, "runc init") || strings.Contains(p.Cmdline, "runc exec")
}

func (p *pipes) threadsOf(process *report.Process) []int {
	if process.Threads <= 1 {
		return []int{process.PID}
	}
	var tids []int
	err := p.proc.EachTaskStat(process.PID, func(tid int, stat []byte) {
		if hostfs.StateOf(stat) == 'S' || hostfs.StateOf(stat) == 'D' {
			tids = append(tids, tid)
		}
	})
	if err != nil && !hostfs.Gone(err) {
		p.bad.add("/proc/PID/task", err)
	}
	return tids
}

func (p *pipes) wchan(pid, tid int) string {
	b, err := p.proc.ReadTask(pid, tid, "wchan")
	if err != nil {
		if !hostfs.Gone(err) {
			p.bad.add("/proc/PID/task/TID/wchan", err)
		}
		return ""
	}
	return report.Escape(strings.TrimSpace(string(b[:min(len(b), maxWchan)])))
}

func (p *pipes) switches(pid, tid int) hostfs.TaskLook {
	b, err := p.proc.ReadTask(pid, tid, "status")
	if err != nil {
		return hostfs.TaskLook{}
	}
	return hostfs.ParseTaskLook(b)
}

// addSyscall says which descriptor it waits for, and on kernels with one function
// for both, whether it reads or writes.
func (p *pipes) addSyscall(w *report.PipeWait) {
	b, err := p.proc.ReadTask(w.PID, w.TID, "syscall")
	if err != nil {
		if !hostfs.Gone(err) {
			p.bad.add("/proc/PID/task/TID/syscall", err)
		}
		return
	}
	call, ok := hostfs.ParseSyscall(b)
	if !ok || w.Op == "open" {
		return
	}
	fd := call.FD()
	if w.Op == "" {
		w.Op = hostfs.ReadOrWrite(call)
	}
	if _, ok := p.keyAt(w.PID, fd); ok {
		w.FD = &fd
	}
}

func (p *pipes) keyAt(pid, fd int) (pipeKey, bool) {
	link, err := p.proc.Readlink(pid, "fd/"+strconv.Itoa(fd))
	if err != nil {
		return 0, false
	}
	return keyOfPipe([]byte(link))
}

// listed adds the pipe behind a descriptor to the list, once.
func (p *pipes) listed(lists map[pipeKey]int, pid, fd int) int {
	link, err := p.proc.Readlink(pid, "fd/"+strconv.Itoa(fd))
	if err != nil {
		return -1
	}
	key, ok := keyOfPipe([]byte(link))
	if !ok {
		return -1
	}
	at, there := lists[key]
	if there {
		return at
	}
	one := report.Pipe{}
	if inode, ok := hostfs.PipeInode([]byte(link)); ok {
		one.Inode = uint64(inode)
	} else {
		one.Path = report.Escape(link)
	}
	p.addCapacity(&one, pid, fd, key)
	p.out.List = append(p.out.List, one)
	lists[key] = len(p.out.List) - 1
	return lists[key]
}

func (p *pipes) addCapacity(one *report.Pipe, pid, fd int, key pipeKey) {
	sizes, err := hostfs.OpenPipeSizes(p.proc, pid)
	if err == nil {
		defer sizes.Close()
		var capacity, filled uint64
		capacity, filled, err = sizes.Size(fd, func(link []byte) bool {
			now, ok := keyOfPipe(link)
			return ok && now == key
		})
		if err == nil {
			one.Capacity, one.Filled = &capacity, &filled
		}
	}
	if err != nil && !hostfs.Gone(err) {
		p.bad.add("capacity of pipes", err)
	}
}

// ends finds all descriptors of the listed pipes.
func (p *pipes) ends(ctx context.Context, lists map[pipeKey]int) {
	budget := maxPipeLinks
	for i := range p.report.Processes.List {
		process := &p.report.Processes.List[i]
		if process.Kernel || process.State == "Z" || process.Blocked {
			continue
		}
		if ctx.Err() != nil || budget <= 0 {
			p.bad.add("/proc/PID/fd/* for the other ends of pipes", errNoTime)
			return
		}
		var found [][2]int
		err := p.proc.EachFD(process.PID, func(fd, link []byte) bool {
			budget--
			if key, ok := keyOfPipe(link); ok {
				if at, listed := lists[key]; listed {
					found = append(found, [2]int{at, parseFD(fd)})
				}
			}
			return budget > 0
		})
		if err != nil && !hostfs.Gone(err) {
			p.bad.add("/proc/PID/fd", err)
		}
		for _, f := range found {
			p.addEnd(&p.out.List[f[0]], process.PID, f[1])
		}
	}
}

func (p *pipes) addEnd(one *report.Pipe, pid, fd int) {
	if len(one.Ends) == maxPipeEnds {
		one.EndsLeft++
		return
	}
	end := report.PipeEnd{PID: pid, FD: fd}
	if b, err := p.proc.ReadPID(pid, "fdinfo/"+strconv.Itoa(fd)); err == nil {
		if flags, ok := hostfs.FDFlags(b); ok {
			mode := flags & 3 // O_ACCMODE: O_RDONLY 0, O_WRONLY 1, O_RDWR 2
			end.Read, end.Write = mode == 0 || mode == 2, mode == 1 || mode == 2
		}
	}
	one.Ends = append(one.Ends, end)
}
