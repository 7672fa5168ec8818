//go:build linux

package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// A process in an execve that waits for a dead filesystem: since it does not
// answer, its status tells who it is, and what it holds is still counted.
func TestBlockedProcess(t *testing.T) {
	t.Parallel()
	fs := plant(t, smallNode+`
-- proc/100/stat (fifo) --
-- proc/100/status --
Name:	run me
State:	D (disk sleep)
Tgid:	100
PPid:	1
Threads:	3
VmRSS:	    2048 kB
-- proc/100/cgroup --
0::/kubepods/podx/{id:stuck}
-- proc/100/cmdline --
run
`)
	release(t, filepath.Join(fs.Proc, "100/stat"))
	r := collect(t, fs, report.NewRequest(report.CollectProcesses))
	i := slices.IndexFunc(r.Processes.List, func(p report.Process) bool { return p.PID == 100 })
	if i < 0 {
		t.Fatalf("it is not in %+v", r.Processes)
	}
	p := r.Processes.List[i]
	if p.Comm != "run me" || p.State != "D" || p.PPID != 1 || p.Threads != 3 || p.RSSBytes != 2048<<10 || p.Cgroup < 0 || !p.Blocked {
		t.Errorf("it is %+v", p)
	}
	want := []report.Unreadable{{What: "/proc/PID/stat", Cause: hostfs.ErrUnanswered.Error(), Count: 1}}
	if !slices.Equal(r.Processes.Unreadable, want) {
		t.Errorf("unreadable %+v, want %+v", r.Processes.Unreadable, want)
	}
}

// Twelve processes of a pod whose memory does not answer, then the host's shim:
// it must not be hidden by them.
func TestBlockedCommandLines(t *testing.T) {
	t.Parallel()
	var archive strings.Builder
	archive.WriteString(smallNode)
	for pid := 100; pid < 112; pid++ {
		fmt.Fprintf(&archive, "-- proc/%d (process) --\ncomm containerd-shim\ncgroup /kubepods/podx/{id:evil}\n-- proc/%d/cmdline (fifo) --\n", pid, pid)
	}
	archive.WriteString(`
-- proc/200 (process) --
comm containerd-shim
cgroup /system.slice/containerd.service
args containerd-shim-runc-v2 -id {id:good}
-- proc/201 (process) --
comm later
cgroup /system.slice/x.service
args later
`)
	fs := plant(t, archive.String())
	for pid := 100; pid < 112; pid++ {
		release(t, filepath.Join(fs.Proc, fmt.Sprint(pid), "cmdline"))
	}
	start := time.Now()
	r := collect(t, fs, report.NewRequest(report.CollectProcesses))
	if took := time.Since(start); took > stuckAfter+stuckAfter/2+findPatience+prompt {
		t.Errorf("took %s", took)
	}
	want := []report.Unreadable{{What: "/proc/PID/cmdline", Cause: hostfs.ErrUnanswered.Error(), Count: 12}}
	if !slices.Equal(r.Processes.Unreadable, want) {
		t.Errorf("unreadable %+v, want %+v", r.Processes.Unreadable, want)
	}
	if r.Processes.Total != 15 {
		t.Errorf("%d processes", r.Processes.Total)
	}
	for _, p := range r.Processes.List {
		if p.PID == 200 && (p.Shim == nil || p.Shim.ID != hex64("good")) {
			t.Errorf("the host's shim is hidden: %+v", p)
		}
	}
}

// More than may be left behind: the rest is not tried, which is said, and the
// search for them has one patience for all.
func TestTooManyBlockedProcesses(t *testing.T) {
	t.Parallel()
	const blocked, pods = 70, 90
	var archive strings.Builder
	archive.WriteString(smallNode)
	for pid := 100; pid < 100+pods; pid++ {
		fmt.Fprintf(&archive, "-- proc/%d (process) --\ncomm app\ncgroup /kubepods/podx/{id:evil}\nargs app\n-- proc/%d/status --\nName:\tapp\nState:\tS (sleeping)\nPPid:\t1\nThreads:\t1\nVmRSS:\t 4 kB\n", pid, pid)
		if pid < 100+blocked {
			fmt.Fprintf(&archive, "-- proc/%d/stat (fifo) --\n", pid)
		}
	}
	fs := plant(t, archive.String())
	for pid := 100; pid < 100+blocked; pid++ {
		release(t, filepath.Join(fs.Proc, fmt.Sprint(pid), "stat"))
	}
	start := time.Now()
	r := collect(t, fs, report.NewRequest(report.CollectProcesses))
	if took := time.Since(start); took > stuckAfter+stuckAfter/2+findPatience+prompt {
		t.Errorf("took %s", took)
	}
	if r.Processes == nil || r.Processes.Total != pods+1 {
		t.Fatalf("got %+v, failed %+v", r.Processes, r.Probe.Failed)
	}
	causes := map[string]int{}
	for _, u := range r.Processes.Unreadable {
		causes[u.Cause] += u.Count
	}
	if causes[hostfs.ErrUnanswered.Error()] == 0 || causes[hostfs.ErrUntried.Error()] == 0 {
		t.Errorf("unreadable %+v", r.Processes.Unreadable)
	}
}

// What has been answered at last is struck off, and read again.
func TestSilenceEnds(t *testing.T) {
	t.Parallel()
	fs := plant(t, smallNode+"-- proc/100/stat (fifo) --\n-- proc/100/status --\nName:\trun\nState:\tD (disk sleep)\nPPid:\t1\n-- proc/100/cgroup --\n0::/x\n-- proc/100/cmdline --\nrun\n")
	stat := filepath.Join(fs.Proc, "100/stat")
	silence := hostfs.NewSilence()
	silence.Find(fs, []int{1, 100}, findPatience, nil)
	if silence.Of(1) != 0 || silence.Of(100) != hostfs.Access {
		t.Fatalf("1: %v, 100: %v", silence.Of(1), silence.Of(100))
	}
	release(t, stat)
	w, err := os.OpenFile(stat, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	for range 100 {
		if silence.Of(100) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("it has answered, and is still silent")
}
