//go:build linux

package probe

import (
	"context"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// memoryFirst is the node's memory at the first sample.
type memoryFirst struct {
	at     time.Time
	uptime float64 // seconds after boot
	// rss is the resident size of each process, in pages.
	rss map[int]int
	// mount is the hierarchy with the memory controller, nil: none.
	mount *hostfs.CgroupMount
	// usage and anon are those of the cgroups by their directory, in bytes.
	usage, anon, shmem map[string]int
	tmpfs              []report.TmpfsMount
	samples            []report.MemorySample
	bad                unreadable
}

// firstPatience bounds the first look at the cgroups.
const firstPatience = 5 * time.Second

// sampleMemory takes the first sample, and lets the interval pass where the count
// of open files does not.
func sampleMemory(ctx context.Context, r run) (publish, error) {
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	f := &memoryFirst{bad: unreadable{}}
	f.mount, f.tmpfs = memoryMounts(r.fs, proc, f.bad)
	tree := openMemoryTree(r.fs, f.mount, f.bad)
	defer tree.close()
	if tree == nil {
		f.mount = nil
	}
	if interval(r.req) > 0 {
		f.look(ctx, proc, tree)
	}
	f.at = time.Now()
	f.samples = append(f.samples, sampleTotals(proc, tree, f.at))
	if !slices.Contains(r.req.Collect, report.CollectOpenFiles) {
		err = pass(ctx, r.req, func(step int) {
			if step > 0 {
				f.samples = append(f.samples, sampleTotals(proc, tree, f.at))
			}
		})
	}
	return func(r *run) { r.memoryFirst = f }, err
}

// look reads what growth is measured from.
func (f *memoryFirst) look(ctx context.Context, proc *hostfs.Proc, tree *memoryTree) {
	if b, err := proc.Read("uptime"); err == nil {
		f.uptime = hostfs.ParseUptime(b)
	}
	ctx, cancel := context.WithTimeout(ctx, firstPatience)
	defer cancel()
	f.usage, f.anon, f.shmem, f.rss = map[string]int{}, map[string]int{}, map[string]int{}, map[int]int{}
	tree.walk(ctx, f.bad, func(dir string) {
		usage := tree.usage(dir, f.bad)
		if usage != nil {
			f.usage[dir] = int(*usage)
		}
		if usage == nil || *usage >= worthAStat {
			stat := tree.stat(dir, f.bad)
			if stat.Anon != nil {
				f.anon[dir] = int(*stat.Anon)
			}
			if stat.Shmem != nil {
				f.shmem[dir] = int(*stat.Shmem)
			}
		}
	})
	pids, err := proc.PIDs()
	if err != nil {
		f.bad.add("/proc", err)
	}
	for _, pid := range pids[:min(len(pids), maxProcesses)] {
		b, err := proc.ReadPID(pid, "statm")
		if err != nil {
			continue // that of the process table says so
		}
		if pages, ok := hostfs.ParseResidentPages(b); ok && pages > 0 {
			f.rss[pid] = int(pages)
		}
	}
}

// sampleTotals reads the node's totals at this moment.
func sampleTotals(proc *hostfs.Proc, tree *memoryTree, since time.Time) report.MemorySample {
	s := report.MemorySample{AtMillis: time.Since(since).Milliseconds()}
	info := memInfo(proc, unreadable{})
	s.Free, s.Available = info.Free, info.Available
	if info.SUnreclaim != nil {
		own := *info.SUnreclaim + uint64(deref(info.PageTables)+deref(info.KernelStack)+deref(info.Percpu))
		s.Kernel = &own
	}
	if tree == nil {
		return s
	}
	stat := tree.stat("/", unreadable{})
	s.RootUsage, s.RootInactiveFile = tree.usage("/", unreadable{}), stat.InactiveFile
	if s.RootUsage == nil && stat.Anon != nil && stat.File != nil { // v2
		sum := *stat.Anon + *stat.File
		s.RootUsage = &sum
	}
	return s
}

// pass lets the sampling interval go by, and calls fn at its beginning, after each
// quarter and at its end.
func pass(ctx context.Context, req report.Request, fn func(step int)) error {
	for step := 0; ; step++ {
		fn(step)
		if step == sampleSteps || interval(req) == 0 {
			return nil
		}
		if err := sleep(ctx, interval(req)/sampleSteps); err != nil {
			return err
		}
	}
}
