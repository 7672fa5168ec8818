//go:build linux

package probe

import (
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// readHost lists the mounts of the host's namespace. Before Linux 5.8 a mount or
// umount between two reads made mountinfo repeat or leave out lines (commit
// 9f6c61f96f2d): there it is read twice, and what either has is kept.
func (m *mounts) readHost() {
	seen := map[int]int{}
	first := m.readHostOnce(seen, 1)
	if !m.kernelBefore(5, 8) || first == nil {
		m.inOrder()
		return
	}
	skipped, left := m.out.Skipped, m.out.Left
	second := m.readHostOnce(seen, 2)
	m.out.Skipped, m.out.Left = max(skipped, m.out.Skipped-skipped), max(left, m.out.Left-left)
	m.out.Torn = m.out.Torn || !slices.Equal(first, second)
	m.inOrder()
}

// readHostOnce adds what has not been seen yet, and gives all ids that it read;
// seen tells in which reading an id was last.
func (m *mounts) readHostOnce(seen map[int]int, reading int) (ids []int) {
	skipped, err := m.proc.EachMountLineOf(m.hostPID, func(l *hostfs.MountLine) {
		ids = append(ids, l.ID)
		m.known.add(l.ID)
		last := seen[l.ID]
		seen[l.ID] = reading
		if last != 0 {
			m.out.Torn = m.out.Torn || last == reading
			return
		}
		m.text += len(l.Point) + len(l.Root)
		if len(m.out.List) == maxMounts || m.text > maxMountText {
			m.out.Left++
			return
		}
		point := hostfs.Unmangle(l.Point)
		mount := report.Mount{ID: l.ID, Parent: l.Parent, FS: m.filesystemOf(l), Point: report.Escape(point),
			Shared: l.Shared, Master: l.Master}
		if mount.FS < 0 {
			m.out.Left++
			return
		}
		root := hostfs.Unmangle(l.Root)
		if len(l.Point) == 1 {
			m.roots[rootOfTree{mount.FS, root}] = true
		}
		if root != "/" {
			mount.Root = report.Escape(root)
		}
		if hostfs.Remote(string(l.FSType)) {
			source := report.Escape(hostfs.RedactSource(hostfs.Unmangle(l.Source)))
			if source != m.out.Filesystems[mount.FS].Source {
				mount.Source = source
			}
		}
		m.places.add(mount.FS, string(l.FSType), point, root)
		m.out.List = append(m.out.List, mount)
	})
	m.out.Skipped += skipped
	if err != nil {
		m.bad.add("/proc/PID/mountinfo", err)
	}
	if m.out.Left > 0 {
		m.bad.add("mounts of the host's namespace", errTooMany)
	}
	return ids
}

// inOrder puts each mount behind the one that it is mounted upon. The kernel
// lists them as they were made: one that was moved, as systemd moves /proc and
// /sys out of the initramfs, comes before.
func (m *mounts) inOrder() {
	list := m.out.List
	index := make(map[int]int, len(list))
	for i, mount := range list {
		index[mount.ID] = i
	}
	ordered := make([]report.Mount, 0, len(list))
	done := make([]bool, len(list))
	var above []int
	for i := range list {
		above = above[:0]
		for at, there := i, true; there && !done[at]; {
			done[at] = true // a ring, which no kernel makes, ends here
			above = append(above, at)
			at, there = index[list[at].Parent]
		}
		for n := len(above) - 1; n >= 0; n-- {
			ordered = append(ordered, list[above[n]])
		}
	}
	m.out.List = ordered
}
