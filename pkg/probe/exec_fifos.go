//go:build linux

package probe

import (
	"cmp"
	"sort"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxSessions      = 65_536 // distinct exec sessions counted per container
	maxFIFOOwners    = 1024   // containers told apart per process
	maxExecFIFOLists = 8      // reported per process
)

// stdioFIFOs are the stdio pipes of one container that one process holds.
type stdioFIFOs struct {
	pattern  string
	count    int
	sessions map[string]bool
	// own: one of the sessions may be the container's own, which containerd's
	// CRI plugin names as it names an exec's.
	own bool
}

func (s *links) addFIFO(l hostfs.FDLink, n int) {
	f := s.fifos[l.FIFO.ContainerID]
	if f == nil {
		if len(s.fifos) >= maxFIFOOwners {
			return
		}
		f = &stdioFIFOs{pattern: l.Pattern, sessions: map[string]bool{}}
		s.fifos[l.FIFO.ContainerID] = f
	}
	f.count += n
	if !l.FIFO.Init && len(f.sessions) < maxSessions {
		f.sessions[l.FIFO.Session] = true
		f.own = f.own || !l.FIFO.Exec
	}
}

func (s *links) execFIFOs() []report.ExecFIFOs {
	var list []report.ExecFIFOs
	for id, f := range s.fifos {
		sessions := len(f.sessions)
		if f.own {
			sessions--
		}
		if sessions > 0 {
			list = append(list, report.ExecFIFOs{ContainerID: report.Escape(id), Pattern: report.Escape(f.pattern), Count: f.count, Sessions: sessions})
		}
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return cmp.Or(b.Sessions-a.Sessions, b.Count-a.Count, cmp.Compare(a.ContainerID, b.ContainerID)) < 0
	})
	return list[:min(maxExecFIFOLists, len(list))]
}
