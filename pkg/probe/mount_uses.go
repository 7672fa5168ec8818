//go:build linux

package probe

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxUseLinks        = 200_000 // read in all
	maxUseLinksProcess = 20_000  // and of one process
	maxUses            = 4_000   // reported
	usesTime           = time.Second
)

// view is what is needed of a namespace to tell by a path on which filesystem it
// lies: its groups with volumes in them, by their entry. nil is the host's.
type view map[string]viewEntry

type viewEntry struct {
	fs       int // what is mounted at the entry
	alone    bool
	below    []uint64 // bits, as in mountGroup
	hostPath string   // where the host has it
	onHost   bool
}

// useOf is a process and the view of its namespace.
type useOf struct {
	pid  int
	seen *view
}

// view keeps what uses will need of a tree.
func (m *mounts) view(t *mountTree) view {
	v := view{}
	for i := range t.groups {
		g := &t.groups[i]
		if g.entry < 0 || !m.anyVolume(g) {
			continue
		}
		r := &t.records[g.entry]
		point, root := t.text(r)
		e := viewEntry{fs: int(r.fs), alone: g.mounts == 1}
		if !e.alone {
			e.below = slices.Clone(g.filesystems)
			e.hostPath, e.onHost = m.places.hostPath(e.fs, root)
		}
		v[point] = e
	}
	return v
}

func (m *mounts) isVolume(fs int) bool {
	return fs >= 0 && m.places.volume(fs, m.out.Filesystems[fs])
}

func (m *mounts) anyVolume(g *mountGroup) bool {
	for fs := range len(g.filesystems) * 64 {
		if g.has(fs) && m.isVolume(fs) {
			return true
		}
	}
	return false
}

// find is the filesystem of a volume that a path lies on, -1 for none. Of mounts
// below an entry only the number is known: there the host's mounts tell, which
// came in from there.
func (m *mounts) find(v *view, path string) int {
	fs := -1
	if v == nil {
		fs = m.places.find(path)
	} else {
		hostfs.EachParent(path, func(parent string) bool {
			e, is := (*v)[parent]
			if !is {
				return true
			}
			if fs = e.fs; !e.alone && e.onHost {
				fs = m.places.find(cmp.Or(e.hostPath+strings.TrimPrefix(path, strings.TrimSuffix(parent, "/")), "/"))
				if g := (mountGroup{filesystems: e.below}); fs >= 0 && !g.has(fs) {
					fs = -1
				}
			}
			return false
		})
	}
	if !m.isVolume(fs) {
		return -1
	}
	return fs
}

// uses finds the processes that are at work on volumes, by the texts of their
// links alone.
func (m *mounts) uses(ctx context.Context, processes []useOf) {
	ctx, cancel := context.WithTimeout(ctx, usesTime)
	defer cancel()
	const what = "/proc/PID/fd/* for who uses a volume"
	left := maxUseLinks
	for _, p := range processes {
		if p.seen != nil && len(*p.seen) == 0 {
			continue // nothing of the sort is mounted there
		}
		switch {
		case ctx.Err() != nil:
			m.bad.add(what, errNoTime)
		case left <= 0 || len(m.out.Uses) >= maxUses:
			m.bad.add(what, errTooMany)
		default:
			left -= m.usesOf(p)
		}
	}
}

// usesOf reads the links of one process, and says how many.
func (m *mounts) usesOf(p useOf) (read int) {
	first := len(m.out.Uses)
	add := func(what string, link []byte) {
		if read++; !bytes.HasPrefix(link, []byte("/")) {
			return
		}
		fs := m.find(p.seen, string(link))
		if fs < 0 {
			return
		}
		for i := range m.out.Uses[first:] {
			if u := &m.out.Uses[first+i]; u.FS == fs && u.What == what {
				u.Count++
				return
			}
		}
		m.out.Uses = append(m.out.Uses, report.MountUse{PID: p.pid, FS: fs, What: what, Count: 1, Path: report.Escape(string(link))})
	}
	for _, what := range []string{"cwd", "root", "exe"} {
		link, err := m.proc.Readlink(p.pid, what)
		if err != nil {
			if !hostfs.Gone(err) {
				m.bad.add("/proc/PID/"+what, err)
			}
			continue
		}
		add(what, []byte(link))
	}
	err := m.proc.EachFD(p.pid, func(_, link []byte) bool {
		add("fd", link)
		return read < maxUseLinksProcess && len(m.out.Uses) < maxUses
	})
	if err != nil && !hostfs.Gone(err) {
		m.bad.add("/proc/PID/fd", err)
	}
	if read >= maxUseLinksProcess {
		m.bad.add("/proc/PID/fd/* for who uses a volume", errTooMany)
	}
	return read
}
