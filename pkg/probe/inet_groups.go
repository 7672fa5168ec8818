//go:build linux

package probe

import (
	"fmt"
	"strconv"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

type protocol byte

const (
	protocolTCP protocol = iota
	protocolUDP
	protocolUDPLite
	protocolRaw
	protocolICMP
	protocolSCTP
	protocolNetlink
	protocolPacket
	protocolUnixToo // more unix sockets than are told apart
)

func (p protocol) String() string {
	return [...]string{"TCP", "UDP", "UDP-Lite", "raw", "ICMP", "SCTP", "netlink", "packet", protocolUnix}[p]
}

// way is what the address of an inetKey is.
type way byte

const (
	wayNone   way = iota // port is a protocol's number
	wayLocal             // where it listens, or is bound to
	wayRemote            // where it is connected to
	wayServed            // the peer of a listener's port: IP is the peer's, port the listener's
	wayMany              // of too many to tell apart
)

// inetKey is a group of sockets of one process while they are counted. It has
// no pointers: 20,000 of them cost the probe 1 MiB.
type inetKey struct {
	process  int32
	protocol protocol
	state    byte
	way      way
	ip       [16]byte
	port     uint16
}

// inetKey: of a connection the end that is chosen for one time only, mostly a
// client's port, is left out.
func (s *sockets) inetKey(process int32, p protocol, sock hostfs.InetSocket) inetKey {
	k := inetKey{process: process, protocol: p, state: sock.State}
	connectionless := p != protocolTCP && p != protocolSCTP
	if connectionless && sock.State != hostfs.TCPEstablished {
		k.state = 0 // UDP calls an unconnected socket CLOSE
	}
	switch {
	case p == protocolRaw:
		k.port = sock.Local.Port
	case sock.State == hostfs.TCPListen, sock.Remote.Port == 0 && sock.Remote.IsAny():
		k.way, k.ip, k.port = wayLocal, sock.Local.IP, sock.Local.Port
	case p == protocolTCP && s.listening[sock.Local.Port]:
		k.way, k.ip, k.port = wayServed, sock.Remote.IP, sock.Local.Port
	default:
		k.way, k.ip, k.port = wayRemote, sock.Remote.IP, sock.Remote.Port
	}
	return k
}

// count adds a descriptor to its group.
func (s *sockets) count(k inetKey) {
	if _, known := s.inet[k]; !known {
		if s.distinct[k.process] >= maxSocketGroups || len(s.inet) >= maxSocketGroupsAll {
			if k.ip = ([16]byte{}); k.way != wayServed {
				k.way, k.port = wayMany, 0
			}
		} else {
			s.distinct[k.process]++
		}
	}
	s.inet[k]++
}

// clients of a listener's port, in one state.
type clients struct {
	process  int32
	protocol protocol
	state    byte
	port     uint16
}

// addInet adds the groups of internet, netlink and packet sockets by process.
// Clients of one port are one group: their number says more than their names.
func (s *sockets) addInet(add func(process int32, g socketGroup)) {
	peers := map[clients]int{}
	for k := range s.inet {
		if k.way == wayServed {
			peers[clients{k.process, k.protocol, k.state, k.port}]++
			if k.ip == ([16]byte{}) { // stands for many
				peers[clients{k.process, k.protocol, k.state, k.port}]++
			}
		}
	}
	for k, n := range s.inet {
		g := socketGroup{protocol: k.protocol.String(), count: n, peer: noPeer}
		if k.state != 0 {
			g.state = hostfs.TCPStateName(k.state)
		}
		addr := hostfs.InetAddr{IP: k.ip, Port: k.port}
		switch k.way {
		case wayNone:
			g.local = k.name()
		case wayLocal:
			g.local = addr.String()
		case wayRemote:
			g.remote = addr.String()
		case wayServed:
			g.local = ":" + strconv.Itoa(int(k.port))
			if peers[clients{k.process, k.protocol, k.state, k.port}] == 1 {
				g.remote = addr.Host()
			}
		}
		add(k.process, g)
	}
}

// name is that of the protocol within the family.
func (k inetKey) name() string {
	if k.protocol == protocolNetlink {
		if name := hostfs.NetlinkProtocolName(k.port); name != "" {
			return name
		}
	}
	if k.protocol == protocolPacket {
		return fmt.Sprintf("ethertype %04x", k.port)
	}
	return "protocol " + strconv.Itoa(int(k.port))
}
