//go:build linux

package probe

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

const (
	// maxMemoryVisits bounds the cgroups that are looked at, maxMemoryCgroups those
	// that are told, maxCgroupDepth how deep they may lie.
	maxMemoryVisits, maxMemoryCgroups, maxCgroupDepth = 20_000, 4_000, 32
	// worthAStat is what a cgroup holds, in bytes, before its memory.stat is read
	// for growth's sake: the kernel adds up its counters for each reader.
	worthAStat = 4 << 20
)

// memoryTree reads the node's memory cgroups; nil where the kernel has none.
type memoryTree struct {
	*hostfs.CgroupTree
	v2 bool
}

// openMemoryTree: a v2 hierarchy may be without the controller, as beside v1's, or
// where the kernel was booted with cgroup_disable=memory.
func openMemoryTree(fs hostfs.FS, mount *hostfs.CgroupMount, bad unreadable) *memoryTree {
	if mount == nil {
		return nil
	}
	tree, err := hostfs.OpenCgroups(fs, mount.Point)
	if err != nil {
		bad.add(mount.Point, err)
		return nil
	}
	if mount.V2 {
		b, err := tree.Read("/", "cgroup.controllers")
		if err != nil {
			bad.add("cgroup.controllers", err)
		}
		if !slices.Contains(strings.Fields(string(b)), "memory") {
			tree.Close()
			return nil
		}
	}
	return &memoryTree{tree, mount.V2}
}

// memoryTree is that of the first sample, if any.
func (r run) memoryTree() *memoryTree {
	if r.memoryFirst == nil {
		return nil
	}
	return openMemoryTree(r.fs, r.memoryFirst.mount, unreadable{})
}

func (t *memoryTree) close() {
	if t != nil {
		t.Close()
	}
}

// name is a file of v2, or its counterpart of v1.
func (t *memoryTree) name(v2, v1 string) string {
	if t.v2 {
		return v2
	}
	return v1
}

// usage reads how much a cgroup holds, and all below it.
func (t *memoryTree) usage(dir string, bad unreadable) *uint64 {
	return t.number(dir, t.name("memory.current", "memory.usage_in_bytes"), bad)
}

// number reads a file with one number; nil where there is none.
func (t *memoryTree) number(dir, file string, bad unreadable) *uint64 {
	b, err := t.Read(dir, file)
	if err != nil {
		t.failed(file, err, bad)
		return nil
	}
	n, ok := hostfs.ParseNumber(b)
	if !ok {
		bad.add(file, errTorn)
		return nil
	}
	return &n
}

// failed: a file that this kernel does not have, and a cgroup that has ended, are
// no errors.
func (t *memoryTree) failed(file string, err error, bad unreadable) {
	if !noCgroup(err) {
		bad.add(file, err)
	}
}

func (t *memoryTree) stat(dir string, bad unreadable) hostfs.MemoryStat {
	b, err := t.Read(dir, "memory.stat")
	if err != nil {
		t.failed("memory.stat", err, bad)
	}
	return hostfs.ParseMemoryStat(b, t.v2)
}

// walk calls fn with each cgroup, those that lie higher first: what a bound leaves
// out is deep. It ends with ctx.
func (t *memoryTree) walk(ctx context.Context, bad unreadable, fn func(dir string)) {
	if t == nil {
		return
	}
	dirs := []string{"/"}
	for i := 0; i < len(dirs); i++ {
		if ctx.Err() != nil {
			bad.add("memory cgroups", errNoTime)
			return
		}
		fn(dirs[i])
		if dirs[i] != "/" && strings.Count(dirs[i], "/") == maxCgroupDepth {
			bad.add("memory cgroups further below", errTooMany)
			continue
		}
		names, err := t.Children(dirs[i], maxMemoryVisits)
		if err != nil && !noCgroup(err) {
			bad.add("directories of memory cgroups", err)
		}
		slices.Sort(names)
		for _, name := range names {
			if len(dirs) == maxMemoryVisits {
				bad.add("memory cgroups", errTooMany)
				break
			}
			dirs = append(dirs, path.Join(dirs[i], name))
		}
	}
}
