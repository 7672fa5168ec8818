//go:build linux

package probe

import (
	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// mountTree are the mounts of one namespace while they are summed up. It is used
// again for the next one: thirty may see the same 26,000 mounts.
type mountTree struct {
	records []mountRecord
	// parents are the records of those that something is mounted upon, by id; -1
	// where it is not among them.
	parents map[int32]int32
	last    int32 // the parent noted last
	left    int   // beyond maxMounts
	texts   []byte
	// text gives mount point and root of a record.
	text    func(r *mountRecord) (point, root string)
	groups  []mountGroup
	clone   bool // its root is the host's
	crowded bool // more groups than maxMountGroups
}

// mountRecord is small, and has no pointers in it.
type mountRecord struct {
	id, parent     int32
	fs             int32
	group          int32 // unresolved until sum
	depth          int32
	at             uint32 // in texts; the root follows the point
	points, roots  uint16 // their lengths
	shared, master bool
	atRoot         bool // one of those that lie upon each other at "/"
}

const (
	unresolved = -1
	underWay   = -2
	rootGroup  = 0 // always there, maybe empty
)

// mountGroup is a report.MountGroup in the making.
type mountGroup struct {
	entry, deepest int32 // records; -1: none yet
	depth          int32
	mounts         int
	filesystems    []uint64 // bits
}

func (t *mountTree) reset() {
	t.records, t.texts, t.groups, t.left = t.records[:0], t.texts[:0], t.groups[:0], 0
	if t.parents == nil {
		t.parents = map[int32]int32{}
	}
	clear(t.parents)
	t.last, t.clone, t.crowded, t.text = -1, false, false, t.lineText
}

// addLine adds a line of mountinfo.
func (t *mountTree) addLine(l *hostfs.MountLine, fs int) {
	r := mountRecord{id: int32(l.ID), parent: int32(l.Parent), fs: int32(fs), shared: l.Shared != 0, master: l.Master != 0,
		at: uint32(len(t.texts)), points: uint16(len(l.Point)), roots: uint16(len(l.Root))}
	if len(t.texts) > maxMountText {
		t.left++
	} else if t.add(r) {
		t.texts = append(append(t.texts, l.Point...), l.Root...)
	}
}

func (t *mountTree) add(r mountRecord) bool {
	if len(t.records) == maxMounts {
		t.left++
		return false
	}
	r.group = unresolved
	t.records = append(t.records, r)
	if r.parent != t.last { // most have the parent of their neighbour
		t.parents[r.parent], t.last = -1, r.parent
	}
	return true
}

func (t *mountTree) lineText(r *mountRecord) (point, root string) {
	b := t.texts[r.at:]
	return hostfs.Unmangle(b[:r.points]), hostfs.Unmangle(b[r.points : int(r.points)+int(r.roots)])
}

// sum makes the groups. isHost says whether a directory of a filesystem is what
// the host has at "/": where the root of the namespace is that, its mounts are a
// copy of the host's, and one group, since everything came in at once.
func (t *mountTree) sum(isHost func(fs int, root string) bool) []report.MountGroup {
	for i := range t.records {
		if _, is := t.parents[t.records[i].id]; is {
			t.parents[t.records[i].id] = int32(i)
		}
	}
	t.groups = append(t.groups, mountGroup{entry: -1, deepest: -1})
	var above []int32
	for i := range t.records {
		above = t.resolve(int32(i), above[:0], isHost)
		r := &t.records[i]
		g := &t.groups[r.group]
		g.mounts++
		if r.fs >= 0 {
			g.see(int(r.fs))
		}
		if g.deepest < 0 || r.depth >= g.depth { // of equals the last made
			g.deepest, g.depth = int32(i), r.depth
		}
	}
	var list []report.MountGroup
	for i := range t.groups {
		if t.groups[i].mounts > 0 {
			list = append(list, t.report(&t.groups[i]))
		}
	}
	return list
}

// resolve finds the group of a record, and so those of all that it stands upon.
func (t *mountTree) resolve(i int32, above []int32, isHost func(int, string) bool) []int32 {
	parent := int32(-1)
	for at := i; t.records[at].group == unresolved; at = parent {
		t.records[at].group = underWay
		above = append(above, at)
		if p, known := t.parents[t.records[at].parent]; known && p >= 0 && t.records[p].group != underWay {
			parent = p
			continue
		}
		parent = -1 // not seen from in here, or a ring, which no kernel makes
		break
	}
	for n := len(above) - 1; n >= 0; n-- {
		t.place(above[n], parent, isHost)
		parent = above[n]
	}
	return above
}

// place gives a record its group, by its parent's: -1 for none.
func (t *mountTree) place(i, parent int32, isHost func(int, string) bool) {
	r := &t.records[i]
	if parent >= 0 {
		p := &t.records[parent]
		if r.depth = p.depth + 1; !p.atRoot || t.clone {
			r.group = p.group
			return
		}
	}
	point, root := t.text(r)
	if point == "/" {
		r.atRoot, r.group = true, rootGroup
		t.clone = t.clone || isHost(int(r.fs), root)
		if g := &t.groups[rootGroup]; g.entry < 0 {
			g.entry = i
		}
		return
	}
	if len(t.groups) == maxMountGroups {
		r.group, t.crowded = rootGroup, true
		return
	}
	r.group = int32(len(t.groups))
	t.groups = append(t.groups, mountGroup{entry: i, deepest: -1})
}

func (g *mountGroup) see(fs int) {
	for len(g.filesystems) <= fs/64 {
		g.filesystems = append(g.filesystems, 0)
	}
	g.filesystems[fs/64] |= 1 << (fs % 64)
}

func (g *mountGroup) has(fs int) bool {
	return fs/64 < len(g.filesystems) && g.filesystems[fs/64]&(1<<(fs%64)) != 0
}

func (t *mountTree) report(g *mountGroup) report.MountGroup {
	out := report.MountGroup{Entry: "/", Mounts: g.mounts}
	if g.entry >= 0 {
		r := &t.records[g.entry]
		point, _ := t.text(r)
		out.Entry, out.Shared, out.Receives = report.Escape(point), r.shared, r.shared || r.master
	}
	if g.deepest != g.entry {
		point, _ := t.text(&t.records[g.deepest])
		out.Sample = report.Escape(point)
	}
	var indices []int
	for fs := range len(g.filesystems) * 64 {
		if g.has(fs) {
			indices = append(indices, fs)
		}
	}
	out.Filesystems = report.NewIndexSet(indices)
	return out
}
