//go:build linux

package probe

import (
	"errors"
	"syscall"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// worthStatmount is the number of mounts from which asking for each by number is
// cheaper than having the kernel write all of them: some 1 µs against 3.5 µs, but
// 2 µs more for each whose text is needed.
const worthStatmount = hostfs.MountBatch

// errNotThisWay: mountinfo is to be read instead.
var errNotThisWay = errors.New("not by statmount")

// statNamespace sums up a namespace by listmount(2) and statmount(2).
func (m *mounts) statNamespace(ns *report.MountNamespace, pid int) error {
	if m.noStatmount {
		return errNotThisWay
	}
	id, err := m.proc.MountNamespaceID(pid)
	if err != nil {
		return m.refused(err)
	}
	if m.rootMoved(pid) {
		return errNotThisWay
	}
	m.tree.reset()
	m.ids = m.ids[:0]
	err = m.proc.EachMountBatch(id, func(batch []uint64) error {
		if len(m.ids) == 0 && len(batch) < worthStatmount {
			return errNotThisWay
		}
		return m.statBatch(id, batch)
	})
	if err != nil {
		return m.refused(err)
	}
	m.tree.text = func(r *mountRecord) (point, root string) {
		t, _ := m.proc.MountTexts(id, m.ids[r.at]) // gone meanwhile: a group without a name
		return t.Point, t.Root
	}
	m.addGroups(ns, &m.tree)
	m.out.Method = methodStatmount
	return nil
}

// statBatch adds mounts to the tree.
func (m *mounts) statBatch(ns uint64, batch []uint64) error {
	for _, mount := range batch {
		if len(m.ids) == maxMounts {
			m.tree.left++
			continue
		}
		n, err := m.proc.StatMount(ns, mount)
		if errors.Is(err, syscall.ENOENT) {
			continue // unmounted meanwhile
		}
		fs := -1
		if err == nil {
			fs, err = m.filesystemOfID(ns, mount, n)
		}
		if err != nil {
			return err
		}
		m.tree.add(mountRecord{id: int32(n.ID), parent: int32(n.Parent), fs: int32(fs), shared: n.Shared != 0, master: n.Master != 0, at: uint32(len(m.ids))})
		m.ids = append(m.ids, mount)
	}
	return nil
}

// refused says that this way does not work, and for whom: an older kernel, a
// filter of system calls or a missing capability refuse every namespace.
func (m *mounts) refused(err error) error {
	for _, errno := range []syscall.Errno{syscall.ENOSYS, syscall.ENOTTY, syscall.EPERM, syscall.EINVAL, syscall.EOPNOTSUPP} {
		m.noStatmount = m.noStatmount || errors.Is(err, errno)
	}
	return errNotThisWay
}

// rootMoved: statmount tells paths as the namespace's root has them, mountinfo as
// the process does, which may have changed its root directory.
func (m *mounts) rootMoved(pid int) bool {
	link, err := m.proc.Readlink(pid, "root")
	return err != nil || link != "/"
}

// filesystemOfID is filesystem for a mount that has only numbers yet. Before
// Linux 6.13 there is no source among its texts: that of a device is worth
// reading mountinfo.
func (m *mounts) filesystemOfID(ns, id uint64, n hostfs.MountNumbers) (int, error) {
	var t hostfs.MountTexts
	var err error
	i := m.filesystem(n.Major, n.Minor, func() (string, string, bool) {
		if t, err = m.proc.MountTexts(ns, id); err == nil && !t.HasSource && n.Major != 0 {
			err = errNotThisWay
		}
		return t.FSType, t.Source, err == nil
	})
	return i, err
}
