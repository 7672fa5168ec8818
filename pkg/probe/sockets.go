//go:build linux

package probe

import (
	"context"
	"errors"
	"slices"
	"sort"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// A socket's link says its inode only. What it is stands in the tables of the
// network namespace that it was made in, mostly that of its process. Inodes of
// sockets are unique on a node, so every table that is read explains whatever
// it knows: a socket may have been handed over, and what dockerd accepts of a
// pod belongs to the pod's namespace.
const (
	maxNamespaces = 1024
	// maxSocketGroups are told apart while counting, per process and in all.
	maxSocketGroups    = 512
	maxSocketGroupsAll = 20_000
)

var errNoTime = errors.New("no time left, the rest is left out")

// sockets finds out what the socket descriptors of the processes looked into are.
type sockets struct {
	fs         hostfs.FS
	proc       *hostfs.Proc
	bad        unreadable
	held       []heldSocket // by inode, once all are known
	left       int          // of held, not yet explained
	namespaces []*netNamespace
	byID       map[string]*netNamespace
	// homeless: the namespace of some process could not be read. One whose first
	// thread has ended has none, but its neighbours in the pod have.
	homeless bool
	// partly: some table could not be read, so what is in none may be in that.
	partly bool
	// listening are the TCP ports of the namespace that is being read.
	listening map[uint16]bool
	inet      map[inetKey]int
	distinct  map[int32]int // keys of inet by process
	unix      unixSockets
}

// heldSocket is a descriptor: the inode of its socket in the upper half, as sorted,
// below it an index into Processes.List, and its complement once some table has
// explained the socket. For a plain number sorting is in the program already.
type heldSocket int

func (h heldSocket) inode() int32   { return int32(h >> 32) } // as find compares it
func (h heldSocket) process() int32 { return int32(h) }
func (h heldSocket) owner() int32   { return max(h.process(), ^h.process()) }

func newSockets(fs hostfs.FS, proc *hostfs.Proc, bad unreadable) *sockets {
	s := &sockets{fs: fs, proc: proc, bad: bad, byID: map[string]*netNamespace{}, inet: map[inetKey]int{},
		distinct: map[int32]int{}, unix: newUnixSockets()}
	if self := ownPID(fs); self != 0 && proc.IsProcfs() {
		s.unix.self, _ = proc.Readlink(self, "ns/net")
	}
	return s
}

func (s *sockets) fail(what string, err error) {
	s.partly = true
	s.bad.add(what, err)
}

// hold notes a descriptor of a process.
func (s *sockets) hold(process int, inode uint32) {
	s.held = append(s.held, heldSocket(int32(inode))<<32|heldSocket(process))
}

// explain reads the tables of the namespaces of all processes that hold sockets.
// others gives the remaining processes of the node, for what is left then:
// mostly unix sockets that were made elsewhere.
func (s *sockets) explain(ctx context.Context, others func(yield func(pid int) bool)) {
	slices.Sort(s.held)
	s.left = len(s.held)
	for _, ns := range s.namespaces {
		s.readTables(ctx, ns)
	}
	if s.left == 0 {
		return
	}
	homeless := s.homeless
	s.partly = s.partly || homeless
	known := len(s.namespaces)
	for pid := range others {
		if ctx.Err() != nil {
			s.fail("/proc/PID/ns/net", errNoTime)
			break
		}
		s.addNamespace(pid)
	}
	read := s.readUnix
	if homeless {
		read = s.readTables
	}
	for _, ns := range s.namespaces[known:] {
		if s.left > 0 {
			read(ctx, ns)
		}
	}
}

// find gives the range of descriptors of a socket.
func (s *sockets) find(inode uint32) []heldSocket {
	at, above := 0, len(s.held)
	for at < above {
		if m := (at + above) / 2; s.held[m].inode() < int32(inode) {
			at = m + 1
		} else {
			above = m
		}
	}
	end := at
	for end < len(s.held) && s.held[end].inode() == int32(inode) {
		end++
	}
	return s.held[at:end]
}

// take gives the descriptors of a socket to the first table that explains it:
// a table that changes while it is read may list one twice.
func (s *sockets) take(inode uint32) []heldSocket {
	found := s.find(inode)
	if len(found) == 0 || found[0].process() < 0 {
		return nil
	}
	for i := range found {
		found[i] ^= 1<<32 - 1
	}
	s.left -= len(found)
	return found
}

// fill puts what was found into the report.
func (s *sockets) fill(t *table) {
	for all := s.groups(); len(all) > 0; {
		i := all[0].process
		var list []socketGroup
		for len(all) > 0 && all[0].process == i {
			list, all = append(list, all[0].socketGroup), all[1:]
		}
		sort.Slice(list, func(i, j int) bool { return largestFirst(list[i], list[j]) < 0 })
		t.addSockets(&t.out.List[i], list)
	}
}

func (t *table) addSockets(p *report.Process, list []socketGroup) {
	most := maxSockets
	if t.asked.processes[p.PID] != nil {
		most = maxSocketsAsked
	}
	p.FDs.Kinds = mergeKinds(p.FDs.Kinds, list)
	list = foldSockets(list, most)
	for _, g := range list {
		p.FDs.Sockets = append(p.FDs.Sockets, g.report(t.out.List))
	}
	p.FDs.Targets = mergeTargets(p.FDs.Targets, list, t.out.List, t.mostTargets(p))
}

func mergeKinds(kinds []report.Counted, groups []socketGroup) []report.Counted {
	for _, g := range groups {
		i := slices.IndexFunc(kinds, func(k report.Counted) bool { return k.Name == g.protocol })
		if i < 0 {
			i, kinds = len(kinds), append(kinds, report.Counted{Name: g.protocol})
		}
		kinds[i].Count += g.count
	}
	sortKinds(kinds)
	return kinds
}

func mergeTargets(targets []report.Target, groups []socketGroup, list []report.Process, most int) []report.Target {
	for _, g := range groups {
		pattern := report.Escape(g.pattern(list))
		i := slices.IndexFunc(targets, func(t report.Target) bool { return t.Kind == g.protocol && t.Pattern == pattern })
		if i < 0 {
			i, targets = len(targets), append(targets, report.Target{Kind: g.protocol, Pattern: pattern})
		}
		targets[i].Count += g.count
	}
	sortTargets(targets)
	return targets[:min(most, len(targets))]
}
