//go:build linux

package probe

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// blockedWriter is a program that writes into a full pipe of two pages.
func blockedWriter(t *testing.T) (pid int, inode uint64) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(write.Fd(), unix.F_SETPIPE_SZ, 8192); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(write.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("yes")
	cmd.Stdout = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		read.Close()
	})
	for deadline := time.Now().Add(10 * time.Second); ; {
		b, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/wchan")
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("it does not wait in a pipe, but in %q: %v", b, err)
		}
		if op, _ := hostfs.PipeWait(string(b)); op == "write" {
			return cmd.Process.Pid, st.Ino
		}
		time.Sleep(time.Millisecond)
	}
}

func pipesRequest() report.Request {
	req := report.NewRequest(report.CollectProcesses, report.CollectPipes)
	req.Users, req.IntervalMillis = true, 50
	return req
}

// TestPipes: a real program that waits, on which pipe, and who is at its ends.
func TestPipes(t *testing.T) {
	pid, inode := blockedWriter(t)
	r, err := Collect(t.Context(), hostfs.FS{Proc: "/proc", Sys: "/sys", Root: t.TempDir()}, "test", pipesRequest())
	if err != nil || r.Pipes == nil {
		t.Fatalf("%v, %+v", err, r)
	}
	i := slices.IndexFunc(r.Pipes.Waits, func(w report.PipeWait) bool { return w.PID == pid })
	if i < 0 {
		t.Fatalf("it is not among %+v", r.Pipes.Waits)
	}
	w := r.Pipes.Waits[i]
	if w.Op != "write" || w.FD == nil || *w.FD != 1 || w.Pipe < 0 || w.StayedMillis < 50 {
		t.Fatalf("got %+v", w)
	}
	pipe := r.Pipes.List[w.Pipe]
	if pipe.Inode != inode || pipe.Capacity == nil || *pipe.Capacity != 8192 || *pipe.Filled != 8192 {
		t.Errorf("got %+v, want inode %d with 8192 bytes of 8192", pipe, inode)
	}
	own := slices.ContainsFunc(pipe.Ends, func(e report.PipeEnd) bool { return e.PID == os.Getpid() && e.Read && !e.Write })
	its := slices.Contains(pipe.Ends, report.PipeEnd{PID: pid, FD: 1, Write: true})
	if !own || !its {
		t.Errorf("its ends are %+v", pipe.Ends)
	}
}

// TestPipesOfOneUser: a pipe that parent and child hold is one of the user's.
func TestPipesOfOneUser(t *testing.T) {
	const tree = `
-- proc/sys/fs/pipe-user-pages-soft --
16384
-- proc/7 (process) --
comm sh
uid 1000
-- proc/7/fd/0 -> pipe:[100] --
-- proc/7/fd/1 -> pipe:[101] --
-- proc/7/fd/2 -> /run/containerd/fifo/17/ab-stderr --
-- proc/8 (process) --
comm cat
uid 1000
-- proc/8/fd/0 -> pipe:[100] --
-- proc/8/fd/4 -> pipe:[100] --
-- proc/8/fd/5 -> /tmp/containerd/no-fifo --
-- proc/8/fd/6 -> socket:[100] --
`
	r, err := Collect(t.Context(), plant(t, tree), "test", pipesRequest())
	if err != nil || r.Pipes == nil {
		t.Fatalf("%v, %+v", err, r)
	}
	p := r.Pipes
	if len(p.Users) != 1 || p.Users[0] != (report.PipeUser{UID: 1000, PipeSum: report.PipeSum{Pipes: 3}}) {
		t.Errorf("users are %+v", p.Users)
	}
	if len(p.Holders) != 1 || p.Holders[0].Pipes != 3 || p.Holders[0].Process != 7 || p.Holders[0].Most != 3 {
		t.Errorf("holders are %+v", p.Holders)
	}
	if *p.UserPagesSoft != 16384 || p.UserPagesHard != nil || len(p.Unreadable) > 0 {
		t.Errorf("got %+v", p)
	}
}

// TestPipesOfUserNamespaces: a pod with hostUsers: false has a range of the host's IDs
// of its own, and so limits of its own.
func TestPipesOfUserNamespaces(t *testing.T) {
	const tree = `
-- proc/7 (process) --
comm host
uid 1000
-- proc/7/fd/0 -> pipe:[100] --
-- proc/7/uid_map --
         0          0 4294967295
-- proc/8 (process) --
comm root-of-a-pod
uid 131072
-- proc/8/fd/0 -> pipe:[101] --
-- proc/8/uid_map --
         0     131072      65536
-- proc/9 (process) --
comm user-of-another
uid 197608
-- proc/9/fd/0 -> pipe:[102] --
-- proc/9/uid_map --
         0     196608      65536
`
	r, err := Collect(t.Context(), plant(t, tree), "test", pipesRequest())
	if err != nil || r.Pipes == nil || len(r.Pipes.Users) != 3 {
		t.Fatalf("%v, %+v", err, r)
	}
	for i, want := range []*report.IDRange{nil, {First: 131072, Count: 65536}, {First: 196608, Count: 65536}} {
		if got := r.Pipes.Users[i].Mapped; (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("user %d: got %+v, want %+v", r.Pipes.Users[i].UID, got, want)
		}
	}
}

// TestPipesWithoutWchan: x86 kernels from 4.14 to 5.15 mostly tell of no thread where it
// waits; the system call that it is in does.
func TestPipesWithoutWchan(t *testing.T) {
	const tree = `
-- proc/7 (process) --
comm runc:[2:INIT]
uid 0
-- proc/7/fd/4 -> pipe:[100] --
-- proc/7/fd/5 -> socket:[100] --
-- proc/7/task/7/wchan --
0
-- proc/7/task/7/syscall --
{write} 0x4 0xc000142000 0x1000 0x0 0x0 0x0 0x7ffd 0x7f00
-- proc/7/task/7/status --
voluntary_ctxt_switches:	9
nonvoluntary_ctxt_switches:	1
-- proc/8 (process) --
comm writes
uid 0
-- proc/8/fd/5 -> socket:[100] --
-- proc/8/task/8/wchan --
0
-- proc/8/task/8/syscall --
{write} 0x5 0xc000142000 0x1000 0x0 0x0 0x0 0x7ffd 0x7f00
-- proc/9 (process) --
comm runs
uid 0
-- proc/9/fd/4 -> pipe:[100] --
-- proc/9/task/9/wchan --
0
-- proc/9/task/9/syscall --
running
`
	r, err := Collect(t.Context(), plant(t, strings.ReplaceAll(tree, "{write}", strconv.Itoa(unix.SYS_WRITE))), "test", pipesRequest())
	if err != nil || r.Pipes == nil {
		t.Fatalf("%v, %+v", err, r)
	}
	if len(r.Pipes.Waits) != 1 {
		t.Fatalf("who waits: %+v", r.Pipes.Waits)
	}
	if w := r.Pipes.Waits[0]; w.PID != 7 || w.Op != "write" || w.Wchan != "" || w.FD == nil || *w.FD != 4 || w.Pipe != 0 || w.StayedMillis < 50 {
		t.Errorf("got %+v", w)
	}
}
