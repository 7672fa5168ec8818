//go:build linux

package probe

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

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
