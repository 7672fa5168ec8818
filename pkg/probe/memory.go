//go:build linux

package probe

import (
	"context"
	"errors"
	"strings"
	"syscall"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// memory collects who has the node's memory: the kernel's totals and the memory
// cgroups, next to the process table that has just been read.
type memory struct {
	run
	proc  *hostfs.Proc
	bad   unreadable
	first *memoryFirst
	out   *report.Memory
}

var errNoFirstSample = errors.New("no first sample to go on from")

func collectMemory(ctx context.Context, r run) (publish, error) {
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	if r.memoryFirst == nil {
		return nil, errNoFirstSample
	}
	m := &memory{run: r, proc: proc, bad: unreadable{}, first: r.memoryFirst}
	m.out = &report.Memory{Tmpfs: m.first.tmpfs, Samples: append(m.first.samples, r.memorySamples...)}
	m.totals()
	m.cgroups(ctx)
	for key, n := range m.first.bad {
		m.bad[key] = max(m.bad[key], n)
	}
	m.out.Unreadable = m.bad.list()
	return func(r *run) { r.report.Memory = m.out }, nil
}

func (m *memory) totals() {
	m.out.Info = memInfo(m.proc, m.bad)
	m.out.OvercommitMemory = m.sysctl("overcommit_memory")
	m.out.Swappiness = m.sysctl("swappiness")
	if kb := readNumber(m.proc, "sys/vm/min_free_kbytes", m.bad); kb != nil {
		*kb <<= 10
		m.out.MinFree = kb
	}
	m.out.ARC = m.arc()
	b, err := m.proc.Read("pressure/memory")
	m.out.Pressure = m.pressure("/proc/pressure/memory", b, err)
	sys, err := hostfs.OpenSys(m.fs)
	if err != nil {
		m.bad.add("/sys", err)
		return
	}
	defer sys.Close()
	pools, err := sys.HugePages()
	if err != nil && !hostfs.Gone(err) {
		m.bad.add("/sys/kernel/mm/hugepages", err)
	}
	for _, p := range pools {
		m.out.HugePages = append(m.out.HugePages, report.HugePagePool(p))
	}
}

// arc is nil where there is no ZFS.
func (m *memory) arc() *report.ARC {
	const file = "spl/kstat/zfs/arcstats"
	b, err := m.proc.Read(file)
	if err == nil {
		if a, ok := hostfs.ParseARC(b); ok {
			return (*report.ARC)(&a)
		}
		err = errTorn
	}
	if !hostfs.Gone(err) {
		m.bad.add("/proc/"+file, err)
	}
	return nil
}

// pressure: a kernel that was booted with psi=0 has the file, and answers
// EOPNOTSUPP.
func (m *memory) pressure(name string, b []byte, err error) *report.Pressure {
	if err == nil {
		if p, ok := hostfs.ParsePSI(b); ok {
			return &report.Pressure{Some: report.PressureLine(p.Some), Full: report.PressureLine(p.Full)}
		}
		err = errTorn
	}
	if !noCgroup(err) && !errors.Is(err, syscall.EOPNOTSUPP) {
		m.bad.add(name, err)
	}
	return nil
}

// noCgroup: the file is not there, or its cgroup was removed while it was open.
func noCgroup(err error) bool { return hostfs.Gone(err) || errors.Is(err, syscall.ENODEV) }

// sysctl reads one of /proc/sys/vm.
func (m *memory) sysctl(name string) *int {
	n := readNumber(m.proc, "sys/vm/"+name, m.bad)
	if n == nil {
		return nil
	}
	i := int(*n)
	return &i
}

// memoryMounts are the hierarchy with the memory controller, if any, and the
// mounts of tmpfs, from one reading of the host's mountinfo. Of mounts of one
// tmpfs the first is told.
func memoryMounts(fs hostfs.FS, proc *hostfs.Proc, bad unreadable) (cgroups *hostfs.CgroupMount, tmpfs []report.TmpfsMount) {
	const maxTmpfs = 4096
	seen := map[string]bool{}
	var total uint64
	if info := memInfo(proc, unreadable{}); info.Total != nil {
		total = *info.Total
	}
	_, err := proc.EachMountLineOf(rootPID(fs), func(l *hostfs.MountLine) {
		if c, is := l.CgroupMount("memory"); is && (cgroups == nil || cgroups.V2 && !c.V2) {
			cgroups = &c
		}
		if t := string(l.FSType); t != "tmpfs" && t != "ramfs" {
			return
		}
		device := hostfs.DeviceNumber(l.Major, l.Minor)
		switch {
		case seen[device]:
		case len(tmpfs) == maxTmpfs:
			bad.add("mounts of tmpfs", errTooMany)
		default:
			seen[device] = true
			tmpfs = append(tmpfs, report.TmpfsMount{Point: report.Escape(hostfs.Unmangle(l.Point)),
				Limit: hostfs.TmpfsLimit(string(l.Super), total, pageSize())})
		}
	})
	if err != nil {
		bad.add("/proc/PID/mountinfo", err)
	}
	return cgroups, tmpfs
}

// shownPath is a cgroup's path from the root of its hierarchy: a node in a
// container has mounted but a part of it.
func shownPath(m *hostfs.CgroupMount, dir string) string {
	if m.Root == "/" || strings.HasPrefix(m.Root, "/..") {
		return dir
	}
	if dir == "/" {
		return m.Root
	}
	return m.Root + dir
}
