//go:build linux

package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func memoryOf(t *testing.T, fs hostfs.FS, more ...string) *report.NodeReport {
	t.Helper()
	req := report.NewRequest(append([]string{report.CollectProcesses, report.CollectMemory}, more...)...)
	req.Memory, req.IntervalMillis = true, 8
	r := collect(t, fs, req)
	if len(r.Probe.Failed) > 0 || r.Memory == nil {
		t.Fatalf("got %+v", r.Probe.Failed)
	}
	return r
}

// TestMemoryOfTrees: what is to be seen stands here, all of it in the golden files.
func TestMemoryOfTrees(t *testing.T) {
	for name, want := range map[string][]string{
		"memory-v1-cgroupfs-3.10": {
			"v1, root 12347965440, 9126805504 anon, 1610612736 inactive file",
			"kubepods/burstable/pod" + uidOf("web") + "/" + hex64("app") + " 1073741824 of 1073741824, 9 at the limit, waits",
			"updatedb before 6442450944", "behind updatedb of crond.service",
		},
		"memory-v1-hybrid": {
			"v1, root 6963200000, 4915200000 anon, 921600000 inactive file",
			"cri-containerd-" + hex64("db") + ".scope 4294967296 of 4294967296, 88 at the limit, 17 killed",
			"postgres before 4096000000, anon 921600000, pss 962560000",
		},
		"memory-v2-systemd": {
			"v2, root none, 7516192768 anon, 2147483648 inactive file",
			"cri-containerd-" + hex64("app") + ".scope 40500000 of 41943040, 2 at the limit, 0 killed",
			"updatedb.plocat before 4505600000, anon 4194302976, pss 4403200000",
			"systemd-udevd.service 13418496, 0 at the limit, 0 killed, 1 processes",
			`system.slice/system-serial\x2dgetty.slice 225280, 0 at the limit, 0 killed`,
			"behind updatedb.plocat of plocate-updatedb.service",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := memoryOf(t, plantFile(t, name), report.CollectBackground)
			text := memoryText(r)
			for _, w := range want {
				if !strings.Contains(text, w) {
					t.Errorf("no %q in\n%s", w, text)
				}
			}
			for i := range r.Memory.Samples {
				r.Memory.Samples[i].AtMillis = 0
			}
			normalise(r)
			for _, p := range r.Processes.List {
				if p.Detail != nil && strings.Contains(r.Processes.Cgroups[p.Cgroup].Entries[0].Path, "kubepods") {
					t.Errorf("%s of a pod was looked behind", p.Comm)
				}
			}
			checkGolden(t, name, &report.NodeReport{Memory: r.Memory, Processes: r.Processes, Background: r.Background})
		})
	}
}

func memoryText(r *report.NodeReport) string {
	var b strings.Builder
	root := r.Memory.Cgroups[0]
	usage := "none"
	if root.Usage != nil {
		usage = fmt.Sprint(*root.Usage)
	}
	fmt.Fprintf(&b, "v%d, root %s, %d anon, %d inactive file\n", r.Memory.CgroupVersion, usage, *root.Anon, *root.InactiveFile)
	for _, c := range r.Memory.Cgroups[1:] {
		fmt.Fprintf(&b, "%s %d", c.Path, *c.Usage)
		for _, n := range []struct {
			value *uint64
			form  string
		}{{c.Limit, " of %d"}, {c.AtLimit, ", %d at the limit"}, {c.OOMKills, ", %d killed"}} {
			if n.value != nil {
				fmt.Fprintf(&b, n.form, *n.value)
			}
		}
		if c.UnderOOM {
			b.WriteString(", waits")
		}
		if c.Processes > 0 {
			fmt.Fprintf(&b, ", %d processes", c.Processes)
		}
		b.WriteString("\n")
	}
	for i := range r.Processes.List {
		p := &r.Processes.List[i]
		if p.Memory != nil && p.Memory.RSSBefore != nil {
			fmt.Fprintf(&b, "%s before %d", p.Comm, *p.Memory.RSSBefore/uint64(os.Getpagesize())*4096)
			if p.Memory.Anon != nil && p.Memory.PSS != nil {
				fmt.Fprintf(&b, ", anon %d, pss %d", *p.Memory.Anon, *p.Memory.PSS)
			}
			b.WriteString("\n")
		}
		if p.Detail != nil && r.Background != nil {
			fmt.Fprintf(&b, "behind %s of %s\n", p.Comm, r.Processes.Cgroups[p.Cgroup].Unit())
		}
	}
	return b.String()
}

const memoryTotals = `
-- proc/uptime --
90000.00 1.00
-- proc/meminfo --
MemTotal: 1000000 kB
MemFree: 1000 kB
-- proc/sys/vm/overcommit_memory --
1
-- proc/sys/vm/swappiness --
60
-- proc/sys/vm/min_free_kbytes --
1
`

// memoryDir is a cgroup of v2, or v1 where that is in its path.
func memoryDir(dir string, usage int) string {
	kind := "memory.current %d\nmemory.stat anon %d; file 0; inactive_file 0\nmemory.max max\nmemory.events max 0; oom_kill 0\n"
	if strings.HasPrefix(dir, "/memory") {
		kind = "memory.usage_in_bytes %d\nmemory.stat rss 1; total_rss %d; total_cache 0; total_inactive_file 0\nmemory.limit_in_bytes 9223372036854771712\nmemory.failcnt 0\nmemory.oom_control under_oom 0\nmemory.use_hierarchy 1\n"
	}
	return fmt.Sprintf("-- root/sys/fs/cgroup%s (cgroup) --\n"+kind, dir, usage, usage)
}

const memoryV2 = `
-- proc/1/mountinfo --
32 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
-- root/sys/fs/cgroup/cgroup.controllers --
cpu memory pids
-- root/sys/fs/cgroup/memory.stat --
anon 5
file 7
`

// deep are the cgroups above one that lies so deep.
func deep(depth int) []string {
	list := []string{"/"}
	for i := 1; i < depth; i++ {
		list = append(list, strings.Repeat("/a", i))
	}
	return list
}

func TestMemoryCgroups(t *testing.T) {
	slice := "/kubepods.slice/kubepods-pod" + strings.ReplaceAll(uidOf("web"), "-", "_") + ".slice"
	own := slice + "/cri-containerd-" + hex64("nodedoc") + ".scope"
	for name, c := range map[string]struct {
		archive string
		version int
		want    []string
		bad     string
	}{
		"v2, seen from the probe's own namespace": {`
-- proc/self -> 77 --
-- proc/1/mountinfo --
32 25 0:26 /../../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw
-- root/sys/fs/cgroup/cgroup.controllers --
memory
-- root/sys/fs/cgroup/memory.stat --
anon 5
-- root/sys/fs/cgroup` + own + `/cgroup.procs --
77
-- proc/20 (process) --
comm cron
cgroup /../../../system.slice/cron.service
-- proc/77 (process) --
comm nodedoc
cgroup /
` + memoryDir("/system.slice", 30) + memoryDir("/system.slice/cron.service", 20) + memoryDir("/kubepods.slice", 9) + memoryDir(slice, 8) + memoryDir(own, 7),
			2, []string{"/", "/kubepods.slice 9", slice + " 8", own + " 7 +1", "/system.slice 30", "/system.slice/cron.service 20 +1"}, ""},
		"a node in a container": {`
-- proc/1/mountinfo --
127 124 0:36 /docker/ab /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
-- proc/20 (process) --
comm cron
cgroup v1 /docker/ab/system.slice/cron.service
-- proc/21 (process) --
comm outside
cgroup v1 /docker/abc/x
` + memoryDir("/memory", 50) + memoryDir("/memory/system.slice", 30) + memoryDir("/memory/system.slice/cron.service", 20),
			1, []string{"/docker/ab 50", "/docker/ab/system.slice 30", "/docker/ab/system.slice/cron.service 20 +1"}, "memory cgroups outside of /sys/fs/cgroup/memory: not below the cgroup that is mounted there"},
		"booted with cgroup_disable=memory, v2": {`
-- proc/1/mountinfo --
32 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
-- root/sys/fs/cgroup/cgroup.controllers --
cpuset cpu io pids
`, 0, nil, ""},
		"booted with it, v1": {`
-- proc/1/mountinfo --
36 25 0:33 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
`, 0, nil, ""},
		"empty ones are left out, those above a full one are not": {memoryV2 + memoryDir("/a", 0) + memoryDir("/b", 0) + memoryDir("/b/c", 3) + memoryDir("/d", 0) + `
-- proc/20 (process) --
comm x
cgroup /d
`, 2, []string{"/", "/b 0", "/b/c 3", "/d 0 +1"}, ""},
		"v2 that counts nothing apart": {memoryV2 + `
-- root/sys/fs/cgroup/system.slice/cron.service/below (dir) --
-- proc/20 (process) --
comm x
cgroup /system.slice/cron.service/below
-- proc/21 (process) --
comm x
cgroup /system.slice/cron.service
`, 2, []string{"/ +2"}, ""},
		"nothing apart below an empty one": {memoryV2 + memoryDir("/a", 0) + `
-- root/sys/fs/cgroup/a/b/c (dir) --
-- proc/20 (process) --
comm x
cgroup /a/b/c
`, 2, []string{"/", "/a 0 +1"}, ""},
		"torn": {memoryV2 + memoryDir("/a", 4) + "-- root/sys/fs/cgroup/a/memory.max --\nlots\n", 2, []string{"/", "/a 4"}, "memory.max: torn, or of another form"},
		"a cgroup that cannot be read": {memoryV2 + memoryDir("/a", 4) + "-- root/sys/fs/cgroup/a/memory.current (absent) --\n-- root/sys/fs/cgroup/a/memory.current (dir) --\n",
			2, []string{"/"}, "memory.current: is a directory"},
		"deeper than anybody nests": {memoryV2 + memoryDir(strings.Repeat("/a", maxCgroupDepth), 4) + memoryDir(strings.Repeat("/a", maxCgroupDepth+1), 4),
			2, append(deep(maxCgroupDepth), strings.Repeat("/a", maxCgroupDepth)+" 4"), "memory cgroups further below: " + errTooMany.Error()},
		"a directory where a file should be": {memoryV2 + memoryDir("/a", 4) + "-- root/sys/fs/cgroup/a/memory.max (absent) --\n-- root/sys/fs/cgroup/a/memory.max (dir) --\n",
			2, []string{"/", "/a 4"}, "memory.max: is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			m := memoryOf(t, plant(t, memoryTotals+c.archive)).Memory
			var got []string
			for _, g := range m.Cgroups {
				text := g.Path
				if g.Usage != nil {
					text += fmt.Sprintf(" %d", *g.Usage)
				}
				if g.Processes > 0 {
					text += fmt.Sprintf(" +%d", g.Processes)
				}
				got = append(got, text)
			}
			var bad []string
			for _, u := range m.Unreadable {
				bad = append(bad, u.What+": "+u.Cause)
			}
			if m.CgroupVersion != c.version || !slices.Equal(got, c.want) || strings.Join(bad, "; ") != c.bad {
				t.Errorf("got version %d, %q, unreadable %q\nwant %q", m.CgroupVersion, got, bad, c.want)
			}
			if m.Pressure != nil {
				t.Errorf("a kernel without PSI has a pressure of %+v", m.Pressure)
			}
		})
	}
}

// Without use_hierarchy a cgroup counts what is in it alone.
func TestMemoryWithoutHierarchy(t *testing.T) {
	m := memoryOf(t, plant(t, memoryTotals+`
-- proc/1/mountinfo --
127 124 0:36 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
`+memoryDir("/memory", 50)+"-- root/sys/fs/cgroup/memory/memory.use_hierarchy --\n0\n")).Memory
	if !m.NoHierarchy || m.CgroupVersion != 1 {
		t.Errorf("got %+v", m)
	}
}

// The first sample and those after it are one series, whoever lets the time pass.
func TestMemorySamples(t *testing.T) {
	fs := plant(t, memoryTotals+memoryV2+"-- proc/sys/fs/file-nr --\n1 0 2\n")
	for _, more := range [][]string{nil, {report.CollectOpenFiles}} {
		samples := memoryOf(t, fs, more...).Memory.Samples
		if len(samples) != sampleSteps+1 {
			t.Fatalf("with %v: got %d samples", more, len(samples))
		}
		for _, s := range samples {
			if *s.Free != 1000<<10 || s.Available != nil || *s.RootUsage != 12 || s.RootInactiveFile != nil {
				t.Errorf("with %v: got %+v", more, s)
			}
		}
	}
	req := report.NewRequest(report.CollectMemory)
	if samples := collect(t, fs, req).Memory.Samples; len(samples) != 1 {
		t.Errorf("without an interval: got %+v", samples)
	}
}

func TestLargestCgroups(t *testing.T) {
	usage := map[string]int{"/": 0, "/a": 9, "/a/b": 8, "/a/b/c": 8, "/d": 1, "/e": 1, "/f/g": 7, "/f": 7}
	if got, want := largestCgroups(usage, 4), []string{"/", "/a", "/a/b", "/a/b/c", "/f"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := largestCgroups(map[string]int{"/": 0, "/x/y/z": 5}, 1), []string{"/", "/x", "/x/y", "/x/y/z"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

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
	fs := plant(t, memoryTotals+"-- proc/20 (process) --\ncomm huge\nrss 8000000\npss 5\n-- proc/21 (process) --\ncomm large\nrss 4000000\npss 5\n")
	r := memoryOf(t, fs)
	if os.Getpagesize() != 4096 {
		return
	}
	want := report.Unreadable{What: "/proc/PID/smaps_rollup", Cause: errTooLarge.Error(), Count: 1}
	if huge, large := r.Processes.List[0].Memory, r.Processes.List[1].Memory; huge.PSS != nil || large.PSS == nil || !slices.Contains(r.Processes.Unreadable, want) {
		t.Errorf("got %+v, %+v, unreadable %+v", huge, large, r.Processes.Unreadable)
	}
}
