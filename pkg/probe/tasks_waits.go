//go:build linux

package probe

import (
	"errors"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// maxStacks differ, each of at most maxStackFunctions. Threads that wait for the same
	// mostly came the same way.
	maxStacks         = 200
	maxStackFunctions = 24
	maxStack          = 1024 // bytes
	maxSilentServers  = 100
	maxServerName     = 256 // bytes; a host's name is shorter
	// newSilence after a soft mount gave up, in seconds, another silence begins.
	newSilence = 600
)

// stack is the place of a thread's functions in the report. It tells what wchan does
// not: the filesystem that waits for a page, and on x86 from 4.14 to 5.15 anything.
// To read it takes CAP_SYS_ADMIN, and a kernel that has it.
func (t *tasks) stack(pid, tid int, needed bool) int {
	b, err := t.proc.ReadTask(pid, tid, "stack")
	if err != nil {
		if needed && !hostfs.Gone(err) && !errors.Is(err, hostfs.ErrUnanswered) && !errors.Is(err, hostfs.ErrUntried) {
			t.bad.add("/proc/PID/task/TID/stack", err)
		}
		return 0
	}
	names := hostfs.StackFunctions(string(b), maxStackFunctions)
	if names == "" {
		return 0
	}
	names = report.Escape(names[:min(len(names), maxStack)])
	i := slices.Index(t.out.Stacks, names)
	if i < 0 {
		if i = len(t.out.Stacks); i == maxStacks {
			return 0
		}
		t.out.Stacks = append(t.out.Stacks, names)
	}
	return i + 1
}

// addNFSServer keeps the log's last word on each server.
func (t *tasks) addNFSServer(l hostfs.NFSServerLine, at *float64) {
	name := report.Escape(l.Name[:min(len(l.Name), maxServerName)])
	i := slices.IndexFunc(t.out.SilentNFS, func(s report.SilentServer) bool { return s.Name == name })
	switch {
	case l.Answers && i >= 0:
		t.out.SilentNFS = slices.Delete(t.out.SilentNFS, i, i+1)
	case l.Answers, i < 0 && len(t.out.SilentNFS) == maxSilentServers:
	case i < 0:
		t.out.SilentNFS = append(t.out.SilentNFS, report.SilentServer{Name: name, Since: at, Last: at, GaveUp: l.GaveUp})
	default:
		s := &t.out.SilentNFS[i]
		if s.GaveUp && at != nil && s.Last != nil && *at-*s.Last > newSilence {
			s.Since = at
		}
		s.Last, s.GaveUp = at, l.GaveUp
	}
}
