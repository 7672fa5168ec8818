//go:build linux

package probe

import (
	"context"
	"errors"
	"syscall"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// maxRepresentatives are the processes that are tried for the mounts of a
// namespace: any of them may end meanwhile.
const maxRepresentatives = 4

// foundNamespace is a mount namespace and who lives in it.
type foundNamespace struct {
	report.MountNamespace
	pids []int // ascending
	view view  // what its processes see of volumes; nil where it is the host's, or unread
}

// findNamespaces tells by the links of /proc/PID/ns/mnt which there are, the
// host's first. Kernel threads do not count: kdevtmpfs has one to itself.
func (m *mounts) findNamespaces(ctx context.Context) ([]*foundNamespace, error) {
	pids, err := m.proc.PIDs()
	if err != nil {
		return nil, err
	}
	kernel := m.kernelPIDs()
	host := &foundNamespace{MountNamespace: report.MountNamespace{Host: true, Kubelet: m.hidden, PID: m.hostPID}}
	all := []*foundNamespace{host}
	byInode := map[uint64]*foundNamespace{}
	if inode := m.mountNamespace(m.hostPID); inode != 0 {
		host.Inode, byInode[inode] = inode, host
	}
	for _, pid := range pids {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if kernel[pid] || kernel == nil && m.isKernelThread(pid) {
			continue
		}
		inode := m.mountNamespace(pid)
		if inode == 0 {
			continue // said, or it has ended: a zombie has no namespaces
		}
		ns := byInode[inode]
		if ns == nil {
			if len(all) == maxMountNamespaces {
				m.bad.add("mount namespaces", errTooMany)
				continue
			}
			ns = &foundNamespace{MountNamespace: report.MountNamespace{Inode: inode, PID: pid}}
			all, byInode[inode] = append(all, ns), ns
		}
		ns.Processes++
		ns.pids = append(ns.pids, pid)
	}
	if len(host.pids) > 0 {
		host.PID = host.pids[0]
	}
	return all, nil
}

// mountNamespace is the inode of a process's, 0 where that cannot be told.
func (m *mounts) mountNamespace(pid int) uint64 {
	link, err := m.proc.Readlink(pid, "ns/mnt")
	if err != nil {
		if !hostfs.Gone(err) {
			m.bad.add("/proc/PID/ns/mnt", err)
		}
		return 0
	}
	return hostfs.NamespaceInode(link)
}

// kernelPIDs are the kernel threads, nil where the process table was not read.
func (m *mounts) kernelPIDs() map[int]bool {
	if m.report.Processes == nil {
		return nil
	}
	kernel := make(map[int]bool, len(m.kernelThreads))
	for _, t := range m.kernelThreads {
		kernel[t.pid] = true
	}
	return kernel
}

func (m *mounts) isKernelThread(pid int) bool {
	b, err := m.proc.ReadPID(pid, "stat")
	if err != nil {
		return false // its link will tell
	}
	s, err := hostfs.ParseStat(b)
	return err == nil && s.Kernel
}

// namespace counts the mounts of one, and sums them up.
func (m *mounts) namespace(ctx context.Context, found *foundNamespace) report.MountNamespace {
	ns := found.MountNamespace
	if ns.Host {
		if len(m.out.List) > 0 {
			n := len(m.out.List) + m.out.Left
			ns.Mounts = &n
		}
		return ns
	}
	if m.req.HostMounts {
		return ns
	}
	var err error = syscall.ESRCH
	for _, pid := range found.pids[:min(maxRepresentatives, len(found.pids))] {
		if ctx.Err() != nil {
			m.bad.add("mounts of other namespaces", errNoTime)
			return ns
		}
		if err = m.sumUp(&ns, pid); err == nil {
			ns.PID, found.view = pid, m.view(&m.tree)
			return ns
		}
	}
	if !hostfs.Gone(err) && !errors.Is(err, syscall.EINVAL) { // EINVAL: it has become a zombie
		m.bad.add("/proc/PID/mountinfo", err)
	}
	return ns
}

// sumUp reads the namespace of one process.
func (m *mounts) sumUp(ns *report.MountNamespace, pid int) error {
	if m.statNamespace(ns, pid) == nil {
		return nil
	}
	m.tree.reset()
	skipped, err := m.proc.EachMountLineOf(pid, func(l *hostfs.MountLine) { m.tree.addLine(l, m.filesystemOf(l)) })
	if err != nil {
		return err
	}
	if skipped > 0 {
		m.bad.add("lines of /proc/PID/mountinfo", errTorn)
	}
	m.addGroups(ns, &m.tree)
	return nil
}

// addGroups puts the sums of a tree into the report.
func (m *mounts) addGroups(ns *report.MountNamespace, t *mountTree) {
	n := len(t.records) + t.left
	ns.Mounts = &n
	for i := range t.records {
		m.known.add(int(t.records[i].id))
	}
	if t.left > 0 {
		m.bad.add("mounts of a namespace", errTooMany)
	}
	ns.Groups = t.sum(func(fs int, root string) bool { return m.roots[rootOfTree{fs, root}] })
	if t.crowded {
		m.bad.add("mounts right below a namespace's root, counted with it", errTooMany)
	}
	if m.groups += len(ns.Groups); m.groups > maxAllMountGroups {
		m.bad.add("what is mounted in other namespaces", errTooMany)
		ns.Groups = nil
	}
}

// residents are the processes of all namespaces whose mounts were read.
func (m *mounts) residents(found []*foundNamespace) []useOf {
	var list []useOf
	for _, ns := range found {
		seen := &ns.view
		if ns.Host {
			seen = nil
		} else if ns.view == nil {
			continue
		}
		for _, pid := range ns.pids {
			list = append(list, useOf{pid, seen})
		}
	}
	return list
}
