//go:build linux

package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// The largest, and of every other cgroup its largest.
func TestHeaviestProcesses(t *testing.T) {
	processes := &report.Processes{Cgroups: make([]report.Cgroup, 3)}
	add := func(pid, cgroup int, rss int64, read bool) {
		p := report.Process{PID: pid, Cgroup: cgroup, RSSBytes: rss}
		if read {
			p.Memory = &report.ProcessMemory{}
		}
		processes.List = append(processes.List, p)
	}
	for i := range largestProcesses + 5 {
		add(100+i, 0, int64(1000+i), true)
	}
	add(1, 1, 5, true)
	add(2, 1, 4, true)
	add(3, -1, 3, true)
	add(4, 2, 9000, false)
	add(5, 2, 0, true)
	var pids []int
	for _, p := range heaviest(processes) {
		pids = append(pids, p.PID)
	}
	if len(pids) != largestProcesses+2 || pids[0] != 100+largestProcesses+4 || !slices.Equal(pids[largestProcesses:], []int{1, 3}) {
		t.Errorf("got %v", pids)
	}
}

// smaps_rollup waits for the process's mmap_lock: one that never gives it back costs
// its own share, no more.
func TestBlockedSharesOfMemory(t *testing.T) {
	t.Parallel()
	fs := plant(t, memoryTotals+memoryV2+`
-- proc/20 (process) --
comm stuck
rss 900
oom 667 0
cgroup /a
exe /bin/stuck
-- proc/20/smaps_rollup (fifo) --
-- proc/21 (process) --
comm well
rss 100
pss 5
cgroup /a
`+memoryDir("/a", 4))
	release(t, filepath.Join(fs.Proc, "20/smaps_rollup"))
	r := memoryOf(t, fs)
	stuck, well := r.Processes.List[0], r.Processes.List[1]
	if stuck.Memory.PSS != nil || *stuck.Memory.OOMScore != 667 || stuck.Memory.Exe != "/bin/stuck" || *well.Memory.PSS != 5<<10 {
		t.Errorf("got %+v and %+v", stuck.Memory, well.Memory)
	}
	want := report.Unreadable{What: "/proc/PID/smaps_rollup", Cause: hostfs.ErrUnanswered.Error(), Count: 1}
	if !slices.Contains(r.Processes.Unreadable, want) || len(r.Memory.Cgroups) != 2 {
		t.Errorf("unreadable %+v", r.Processes.Unreadable)
	}
}

// What would hold up a process for long is not asked, and said.
func TestSharesOfTheHuge(t *testing.T) {
	pages := func(bytes int) int { return bytes / os.Getpagesize() }
	fs := plant(t, memoryTotals+fmt.Sprintf("-- proc/20 (process) --\ncomm huge\nrss %d\npss 5\n-- proc/21 (process) --\ncomm large\nrss %d\npss 5\n", pages(32<<30), pages(16<<30)))
	r := memoryOf(t, fs)
	want := report.Unreadable{What: "/proc/PID/smaps_rollup", Cause: errTooLarge.Error(), Count: 1}
	if huge, large := r.Processes.List[0].Memory, r.Processes.List[1].Memory; huge.PSS != nil || large.PSS == nil || !slices.Contains(r.Processes.Unreadable, want) {
		t.Errorf("got %+v, %+v, unreadable %+v", huge, large, r.Processes.Unreadable)
	}
}
