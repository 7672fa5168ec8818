package unmount

import (
	"path"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// maxMasters bounds how far up a report may chain peer groups.
const maxMasters = 16

// spot is a directory on which something is mounted, as all mounts of a peer group
// have it. An umount there reaches each mount at the same spot of the group and of
// the groups that receive from it (mount_namespaces(7)).
type spot struct {
	group, fs int
	path      string
}

func spotOf(group int, on, m *report.Mount) spot {
	return spot{group, on.FS, path.Join("/", on.Root, strings.TrimPrefix(m.Point, on.Point))}
}

// peers knows what an umount takes along.
type peers struct {
	byID map[int]*report.Mount
	// stays are spots with a mount that is to stay, with its filesystem; of several
	// with different ones -1.
	stays map[spot]int
}

func newPeers(all []mount, table []report.Mount) *peers {
	p := &peers{byID: make(map[int]*report.Mount, len(table)), stays: map[spot]int{}}
	master := map[int]int{} // of a peer group
	for i := range table {
		m := &table[i]
		p.byID[m.ID] = m
		if m.Shared != 0 && m.Master != 0 {
			master[m.Shared] = m.Master
		}
	}
	goes, reached := make(map[int]bool, len(all)), map[spot]bool{}
	for i := range all {
		m := &all[i].Mount
		goes[m.ID] = true
		if on := p.byID[m.Parent]; on != nil && on.Shared != 0 {
			reached[spotOf(on.Shared, on, m)] = true
		}
	}
	for i := range table {
		m := &table[i]
		on := p.byID[m.Parent]
		if len(reached) == 0 || goes[m.ID] || on == nil {
			continue
		}
		at := spotOf(0, on, m)
		if at.group = on.Shared; at.group == 0 {
			at.group = on.Master
		}
		for range maxMasters {
			if at.group != 0 && reached[at] {
				if fs, ok := p.stays[at]; ok && fs != m.FS {
					p.stays[at] = -1
				} else {
					p.stays[at] = m.FS
				}
			}
			at.group = master[at.group]
		}
	}
	return p
}

// takes says whether the umount of a mount takes one along that is to stay, and
// whether that is more than the same filesystem under another name.
func (p *peers) takes(m *report.Mount) (takes, other bool) {
	on := p.byID[m.Parent]
	if on == nil || on.Shared == 0 {
		return false, false
	}
	fs, takes := p.stays[spotOf(on.Shared, on, m)]
	return takes, takes && fs != m.FS
}

// keepApart marks the mounts whose umount would take along what is to stay: what
// they are mounted on must leave its peer group before. Where that is not leaked
// itself it is not ours to change, and where it is hidden beneath the mount no path
// leads to it.
func keepApart(all []mount, table []report.Mount) {
	p := newPeers(all, table)
	byID := make(map[int]*mount, len(all))
	for i := range all {
		byID[all[i].ID] = &all[i]
	}
	for i := range all {
		m := &all[i]
		switch takes, other := p.takes(&m.Mount); {
		case !takes:
		case byID[m.Parent] != nil && p.byID[m.Parent].Point != m.Point:
			on := *byID[m.Parent]
			m.apart = &on
		case other || byID[m.Parent] != nil:
			m.left = true
		}
	}
}
