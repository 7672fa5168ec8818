//go:build linux

package probe

import (
	"context"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

const protocolUnix = "unix"

// Bounds of what is kept of unix sockets: distinct names, and sockets told apart.
const maxUnixNames, maxUnixEnds = 4096, 65_536

// unixSockets are what is known of unix sockets.
type unixSockets struct {
	ends []unixEnd // of held ones
	// claimed are those of ends that a table tells of, by inode.
	claimed map[uint32]int
	// far are the names of the other ends, by the inode of this one.
	far   map[uint32]int32
	ids   map[string]int32
	names []string
	// listening are the names with a listener.
	listening map[int32]bool
	// owners are processes, by the inode of a socket that nobody looked into holds.
	owners map[uint32]int32
	// failed: sock_diag does not work for other namespaces, or at all.
	failed map[bool]bool
	// mayAsk is decided once, by the first question.
	mayAsk *bool
	// self is this process's own namespace, "" where no kernel is behind proc.
	self string
}

type unixEnd struct {
	inode, peer uint32
	name        int32
	state       hostfs.UnixState
}

func newUnixSockets() unixSockets {
	return unixSockets{claimed: map[uint32]int{}, far: map[uint32]int32{}, ids: map[string]int32{"": 0}, names: []string{"", "…"},
		listening: map[int32]bool{}, owners: map[uint32]int32{}, failed: map[bool]bool{}}
}

// readUnix asks sock_diag for the unix sockets of a namespace: it knows the
// other ends, and nobody can forge a line of it. The table is the older way.
func (s *sockets) readUnix(ctx context.Context, ns *netNamespace) {
	if len(s.held) == 0 {
		return
	}
	if ctx.Err() == nil && s.askUnix(ctx, ns) {
		return
	}
	if s.left > 0 {
		s.stream(ctx, ns, "unix", func(line []byte) {
			if sock, ok := hostfs.ParseUnixSocket(line); ok {
				s.takeUnix(sock, false)
			}
		})
	}
}

// askUnix says whether sock_diag has answered. A captured tree has none.
func (s *sockets) askUnix(ctx context.Context, ns *netNamespace) bool {
	own := ns.id == s.unix.self
	if s.unix.self == "" || !s.mayAsk() || s.unix.failed[own] || s.unix.failed[true] {
		return false
	}
	for _, pid := range ns.pids {
		err := s.proc.UnixSockets(pid, own, func(sock hostfs.UnixSocket) bool {
			s.takeUnix(sock, true)
			return ctx.Err() == nil
		})
		if err == nil {
			return true
		}
		if gone(err) && !own {
			continue // the process has ended
		}
		what := "sock_diag: ends of unix sockets"
		if !own {
			what += " in other network namespaces"
		}
		s.bad.add(what, err) // the table has them, too
		s.unix.failed[own] = true
		return false
	}
	return false
}

// mayAsk: the kernel loads a module for a question that it cannot answer yet,
// and the probe changes nothing. It cannot where it has no modules at all, or
// none for this kernel lie on the node.
func (s *sockets) mayAsk() bool {
	if s.unix.mayAsk == nil {
		may := hostfs.HasModule(s.fs, "unix_diag") || !hostfs.CanLoadModules(s.fs)
		s.unix.mayAsk = &may
	}
	return *s.unix.mayAsk
}

// takeUnix: sure says that no process can have written this itself. Of two
// lines that name one socket differently one is forged, and neither is shown.
func (s *sockets) takeUnix(sock hostfs.UnixSocket, sure bool) {
	if sock.State == hostfs.UnixListen {
		s.unix.listening[s.unix.name(sock.Path)] = true
	}
	switch taken := s.take(sock.Inode); {
	case len(taken) == 0:
		if i, known := s.unix.claimed[sock.Inode]; known && !sure && s.unix.ends[i].name != s.unix.name(sock.Path) {
			s.unix.ends[i].name = 0
		}
	case len(s.unix.ends) < maxUnixEnds:
		if !sure {
			s.unix.claimed[sock.Inode] = len(s.unix.ends)
		}
		s.unix.ends = append(s.unix.ends, unixEnd{sock.Inode, sock.Peer, s.unix.name(sock.Path), sock.State})
	default:
		for _, h := range taken {
			s.count(inetKey{process: h.owner(), protocol: protocolUnixToo, way: wayMany})
		}
	}
	if sock.Peer != 0 && len(sock.Path) > 0 && len(s.find(sock.Peer)) > 0 {
		s.unix.far[sock.Peer] = s.unix.name(sock.Path)
	}
}

// name keeps a name, ids folded: containerd has a socket per shim.
func (u *unixSockets) name(path []byte) int32 {
	if id, known := u.ids[string(path)]; known {
		return id
	}
	if len(u.ids) >= maxUnixNames {
		return 1
	}
	folded := hostfs.Fold(string(path))
	id, known := u.ids[folded]
	if !known {
		id = int32(len(u.names))
		u.names = append(u.names, folded)
		u.ids[folded] = id
	}
	u.ids[string(path)] = id
	return id
}

// strangers are the ends that no process looked into holds, in order.
func (s *sockets) strangers() []uint32 {
	var list []uint32
	for _, e := range s.unix.ends {
		if e.peer != 0 && len(s.find(e.peer)) == 0 {
			list = append(list, e.peer)
		}
	}
	slices.Sort(list)
	return list
}

// peerOf is the process at the other end; of several that share it the first.
func (s *sockets) peerOf(e unixEnd) int32 {
	if found := s.find(e.peer); e.peer != 0 && len(found) > 0 {
		return found[0].owner()
	}
	if i, known := s.unix.owners[e.peer]; known {
		return i
	}
	return noPeer
}

func (s *sockets) addUnix(add func(process int32, g socketGroup)) {
	for _, e := range s.unix.ends {
		g := socketGroup{protocol: protocolUnix, local: s.unix.names[e.name], remote: s.unix.names[s.unix.far[e.inode]],
			peer: s.peerOf(e), count: 1}
		if e.state == hostfs.UnixConnected && s.unix.listening[e.name] && e.name != 0 {
			g.remote = "" // accepted: what a client calls itself tells little
		}
		switch e.state {
		case hostfs.UnixListen:
			g.state = "LISTEN"
		case hostfs.UnixConnected:
			g.state = "CONNECTED"
		}
		for _, h := range s.find(e.inode) {
			add(h.owner(), g)
		}
	}
}
