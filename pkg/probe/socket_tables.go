//go:build linux

package probe

import (
	"context"
	"errors"
	"strconv"
	"syscall"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

// netNamespace is a network namespace, by the text of /proc/PID/ns/net.
type netNamespace struct {
	id string
	// pids are some of its processes: one that has ended shows no tables.
	pids []int
}

const witnesses = 4

// addNamespace notes the network namespace of a process.
func (s *sockets) addNamespace(pid int) {
	id, err := s.proc.Readlink(pid, "ns/net")
	if err != nil {
		if s.homeless = true; !gone(err) {
			s.fail("/proc/PID/ns/net", err)
		}
		return
	}
	ns := s.byID[id]
	switch {
	case ns != nil:
	case len(s.namespaces) == maxNamespaces:
		s.fail("/proc/PID/ns/net", errTooMany)
		return
	default:
		ns = &netNamespace{id: id}
		s.byID[id], s.namespaces = ns, append(s.namespaces, ns)
	}
	if len(ns.pids) < witnesses {
		ns.pids = append(ns.pids, pid)
	}
}

// gone: a zombie has no network namespace any more, ENOENT or EINVAL.
func gone(err error) bool { return hostfs.Gone(err) || errors.Is(err, syscall.EINVAL) }

// readTables reads what one namespace has, TCP's listeners before what they
// accepted.
func (s *sockets) readTables(ctx context.Context, ns *netNamespace) {
	s.listening = map[uint16]bool{}
	for _, t := range []struct {
		name string
		line func(line []byte)
	}{
		{"tcp", s.inetLine(protocolTCP)}, {"tcp6", s.inetLine(protocolTCP)},
		{"udp", s.inetLine(protocolUDP)}, {"udp6", s.inetLine(protocolUDP)},
		{"udplite", s.inetLine(protocolUDPLite)}, {"udplite6", s.inetLine(protocolUDPLite)},
		{"raw", s.inetLine(protocolRaw)}, {"raw6", s.inetLine(protocolRaw)},
		{"icmp", s.inetLine(protocolICMP)}, {"icmp6", s.inetLine(protocolICMP)},
		{"sctp/assocs", s.sctpLine(hostfs.ParseSCTPAssociation)}, {"sctp/eps", s.sctpLine(hostfs.ParseSCTPEndpoint)},
		{"netlink", s.netlinkLine}, {"packet", s.packetLine},
	} {
		if s.left > 0 {
			s.stream(ctx, ns, t.name, t.line)
		}
	}
	s.readUnix(ctx, ns)
}

// stream reads a table as one of the namespace's processes sees it. A kernel
// without a protocol has no table of it.
func (s *sockets) stream(ctx context.Context, ns *netNamespace, table string, fn func(line []byte)) {
	lines := 0
	for _, pid := range ns.pids {
		err := s.proc.EachLine(strconv.Itoa(pid)+"/net/"+table, func(line []byte) bool {
			if lines++; lines%1024 == 0 && ctx.Err() != nil {
				s.fail("/proc/PID/net/"+table, errNoTime)
				return false
			}
			fn(line)
			return true
		})
		if err == nil {
			return
		}
		if !gone(err) {
			s.fail("/proc/PID/net/"+table, err)
			return
		}
	}
	s.partly = s.partly || table == "tcp" // that one is everywhere: all its witnesses have ended
}

func (s *sockets) inetLine(p protocol) func(line []byte) {
	return func(line []byte) {
		sock, ok := hostfs.ParseInetSocket(line)
		if !ok {
			return
		}
		if p == protocolTCP && sock.State == hostfs.TCPListen {
			s.listening[sock.Local.Port] = true
		}
		s.takeInet(p, sock)
	}
}

func (s *sockets) sctpLine(parse func([]byte) (hostfs.InetSocket, bool)) func(line []byte) {
	return func(line []byte) {
		if sock, ok := parse(line); ok {
			s.takeInet(protocolSCTP, sock)
		}
	}
}

func (s *sockets) takeInet(p protocol, sock hostfs.InetSocket) {
	for _, h := range s.take(sock.Inode) {
		s.count(s.inetKey(h.owner(), p, sock))
	}
}

func (s *sockets) netlinkLine(line []byte) {
	if sock, ok := hostfs.ParseNetlinkSocket(line); ok {
		for _, h := range s.take(sock.Inode) {
			s.count(inetKey{process: h.owner(), protocol: protocolNetlink, port: sock.Protocol})
		}
	}
}

func (s *sockets) packetLine(line []byte) {
	if sock, ok := hostfs.ParsePacketSocket(line); ok {
		for _, h := range s.take(sock.Inode) {
			s.count(inetKey{process: h.owner(), protocol: protocolPacket, port: sock.Protocol})
		}
	}
}
