//go:build linux

package probe

import (
	"context"
	"path"
	"slices"
	"sort"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// memoryPatience bounds the second look at the cgroups.
	memoryPatience = 15 * time.Second
	// worthMore is what a cgroup holds, in bytes, before all of its files are read.
	worthMore = 32 << 20
)

// cgroups reads the memory cgroups: of each how much it holds, then more of those
// that hold or did something.
func (m *memory) cgroups(ctx context.Context) {
	tree := openMemoryTree(m.fs, m.first.mount, m.bad)
	if tree == nil {
		return
	}
	defer tree.close()
	m.out.CgroupVersion = 1
	if tree.v2 {
		m.out.CgroupVersion = 2
	}
	if !tree.v2 {
		n := tree.number("/", "memory.use_hierarchy", m.bad)
		m.out.NoHierarchy = n != nil && *n == 0
	}
	ctx, cancel := context.WithTimeout(ctx, memoryPatience)
	defer cancel()
	processes := m.processesByCgroup()
	usage := m.usage(ctx, tree, processes)
	dirs := largestCgroups(usage, maxMemoryCgroups)
	m.out.Left = max(0, len(usage)-len(dirs))
	for _, dir := range dirs {
		if ctx.Err() != nil {
			m.bad.add("memory.stat", errNoTime)
			break
		}
		c := m.cgroup(tree, dir)
		c.Processes = processes[dir]
		m.out.Cgroups = append(m.out.Cgroups, c)
	}
}

// usage is what the cgroups hold, of those that hold something or in which processes
// live. Where v2 does not count memory apart, as below a service that divides
// itself, processes are those of the nearest cgroup above that does.
func (m *memory) usage(ctx context.Context, tree *memoryTree, processes map[string]int) map[string]int {
	usage, uncounted := map[string]int{}, map[string]bool{}
	tree.walk(ctx, m.bad, func(dir string) {
		n := tree.usage(dir, m.bad)
		if n == nil {
			uncounted[dir] = true
		}
		at := dir
		for at != "/" && uncounted[at] {
			at = path.Dir(at)
		}
		if at != dir {
			processes[at] += processes[dir]
		}
		if at == "/" || deref(n) > 0 || processes[dir] > 0 {
			usage[at] = max(usage[at], deref(n))
		}
	})
	return usage
}

func deref(n *uint64) int {
	if n == nil {
		return 0
	}
	return int(*n)
}

// counted is what a cgroup had at the first sample; nil: it was not there.
func counted(before map[string]int, dir string) *uint64 {
	n, there := before[dir]
	if !there {
		return nil
	}
	u := uint64(n)
	return &u
}

// largestCgroups are so many of them, with all above them, in order of their paths.
func largestCgroups(usage map[string]int, most int) (dirs []string) {
	for dir := range usage {
		dirs = append(dirs, dir)
	}
	sort.Slice(dirs, func(i, j int) bool {
		a, b := dirs[i], dirs[j]
		return usage[a] > usage[b] || usage[a] == usage[b] && a < b
	})
	kept := map[string]bool{}
	for _, dir := range dirs[:min(most, len(dirs))] {
		hostfs.EachParent(dir, func(parent string) bool {
			known := kept[parent]
			kept[parent] = true
			return !known
		})
	}
	dirs = dirs[:0]
	for dir := range kept {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	return dirs
}

// processesByCgroup counts the processes that live in each cgroup, by its directory.
func (m *memory) processesByCgroup() map[string]int {
	counts := map[string]int{}
	if m.report.Processes == nil {
		return counts
	}
	root, err := hostfs.OpenRoot(m.fs, nil)
	if err != nil {
		return counts // whoever opened the tree has said so
	}
	defer root.Close()
	find := &cgroupTree{root: root, of: "memory", mount: *m.first.mount, ownPID: ownPID(m.fs)}
	in := make([]int, len(m.report.Processes.Cgroups))
	for _, p := range m.report.Processes.List {
		if p.Cgroup >= 0 && !p.Kernel {
			in[p.Cgroup]++
		}
	}
	for i, c := range m.report.Processes.Cgroups {
		for _, e := range c.Entries {
			if !hostfs.HasController(e.Controllers, find.controller()) {
				continue
			}
			if dir, _, ok := find.locate(e.Path); ok {
				counts[dir] += in[i]
			} else {
				m.bad.add("memory cgroups outside of "+find.mount.Point, errOutside)
			}
		}
	}
	return counts
}

// cgroup reads one. A cgroup's pressure costs the kernel some work: only that of
// large ones and of those with a limit is read.
func (m *memory) cgroup(tree *memoryTree, dir string) report.MemoryCgroup {
	s := tree.stat(dir, m.bad)
	c := report.MemoryCgroup{Path: report.Escape(shownPath(m.first.mount, dir)), Usage: tree.usage(dir, unreadable{}),
		UsageBefore: counted(m.first.usage, dir), AnonBefore: counted(m.first.anon, dir), ShmemBefore: counted(m.first.shmem, dir),
		Anon: s.Anon, File: s.File, ActiveFile: s.ActiveFile, InactiveFile: s.InactiveFile, Shmem: s.Shmem,
		Slab: s.Slab, Kernel: s.Kernel, PageTables: s.PageTables, Sock: s.Sock, Swap: s.Swap}
	c.Limit = m.limit(tree, dir, tree.name("memory.max", "memory.limit_in_bytes"))
	file := tree.name("memory.events", "memory.oom_control")
	b, err := tree.Read(dir, file)
	if err != nil {
		tree.failed(file, err, m.bad)
	}
	events := hostfs.ParseMemoryEvents(b)
	c.AtLimit, c.OOMKills, c.UnderOOM = events.AtLimit, events.OOMKills, events.UnderOOM
	if !tree.v2 {
		c.AtLimit = tree.number(dir, "memory.failcnt", m.bad)
	}
	if c.Limit == nil && deref(c.Usage) < worthMore && dir != "/" {
		return c
	}
	c.Peak = tree.number(dir, tree.name("memory.peak", "memory.max_usage_in_bytes"), m.bad)
	if !tree.v2 {
		c.Kernel = tree.number(dir, "memory.kmem.usage_in_bytes", m.bad)
		return c
	}
	c.High = m.limit(tree, dir, "memory.high")
	c.Swap = tree.number(dir, "memory.swap.current", m.bad)
	b, err = tree.Read(dir, "memory.pressure")
	c.Pressure = m.pressure("memory.pressure", b, err)
	return c
}

func (m *memory) limit(tree *memoryTree, dir, file string) *uint64 {
	b, err := tree.Read(dir, file)
	if err != nil {
		tree.failed(file, err, m.bad)
		return nil
	}
	limit, ok := hostfs.ParseMemoryLimit(b)
	if !ok {
		m.bad.add(file, errTorn)
	}
	return limit
}
