//go:build linux

package probe

import (
	"cmp"
	"sort"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Groups reported per process, and of a requested one.
const maxSockets, maxSocketsAsked = 16, 200

// noPeer stands for an end that is not known.
const noPeer = -1

// socketGroup is a report.SocketGroup before it is escaped, and comparable.
type socketGroup struct {
	protocol, state, local, remote string
	peer                           int32 // index into Processes.List
	count                          int
}

func (g socketGroup) key() socketGroup {
	g.count = 0
	return g
}

// ownedGroup is a group of one process, an index into Processes.List.
type ownedGroup struct {
	process int32
	socketGroup
}

// groups are all groups of every process that holds sockets, in order of these.
func (s *sockets) groups() []ownedGroup {
	counts := map[ownedGroup]int{}
	add := func(process int32, g socketGroup) { counts[ownedGroup{process, g.key()}] += g.count }
	s.addInet(add)
	s.addUnix(add)
	for _, h := range s.held {
		if h.process() >= 0 {
			add(h.process(), socketGroup{protocol: hostfs.KindSocket, state: s.unexplained(), peer: noPeer, count: 1})
		}
	}
	list := make([]ownedGroup, 0, len(counts))
	for g, n := range counts {
		g.count = n
		list = append(list, g)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].process < list[j].process })
	return list
}

// inNoTable is the state of a socket that a reset has closed and whose holder
// has not noticed, that was never bound or connected, or of a family without a
// table: vsock, AF_ALG, Bluetooth.
const inNoTable = "in no table"

func (s *sockets) unexplained() string {
	if s.partly {
		return ""
	}
	return inNoTable
}

// largestFirst is the one order of groups of a process.
func largestFirst(a, b socketGroup) int {
	return cmp.Or(b.count-a.count, cmp.Compare(a.protocol, b.protocol), cmp.Compare(a.state, b.state),
		cmp.Compare(a.local, b.local), cmp.Compare(a.remote, b.remote), cmp.Compare(a.peer, b.peer))
}

func sortedGroups(counts map[socketGroup]int) []socketGroup {
	list := make([]socketGroup, 0, len(counts))
	for g, n := range counts {
		g.count = n
		list = append(list, g)
	}
	sort.Slice(list, func(i, j int) bool { return largestFirst(list[i], list[j]) < 0 })
	return list
}

// foldSockets brings a list, largest first, near most: the smaller groups lose
// first their peers, then their addresses, and none is lost.
func foldSockets(list []socketGroup, most int) []socketGroup {
	for _, blur := range []func(*socketGroup){
		func(g *socketGroup) { g.peer = noPeer },
		func(g *socketGroup) { g.local, g.remote = "", "" },
	} {
		if len(list) <= most {
			break
		}
		counts := map[socketGroup]int{}
		for i, g := range list {
			if i >= most/2 {
				blur(&g)
			}
			counts[g.key()] += g.count
		}
		list = sortedGroups(counts)
	}
	return list
}

func (g socketGroup) report(list []report.Process) report.SocketGroup {
	r := report.SocketGroup{Protocol: g.protocol, State: g.state, Local: report.Escape(g.local), Remote: report.Escape(g.remote), Count: g.count}
	if g.peer != noPeer {
		r.Peer = &report.SocketPeer{PID: list[g.peer].PID, Comm: list[g.peer].Comm}
	}
	return r
}

// pattern reads on in a sentence: "CLOSE_WAIT to 10.0.0.1:443", "LISTEN on
// 0.0.0.0:80", "ESTABLISHED on :443", "CONNECTED to /run/docker.sock of dockerd".
func (g socketGroup) pattern(list []report.Process) string {
	switch {
	case g.protocol == hostfs.KindSocket && g.state == inNoTable:
		return "in no table (closed, never bound, or of another protocol)"
	case g.protocol == hostfs.KindSocket:
		return hostfs.SocketPattern
	}
	text, peer := g.state, ""
	if g.peer != noPeer {
		peer = list[g.peer].Comm
	}
	add := func(word, name string) {
		if name == "" {
			return
		}
		if text != "" {
			text += " "
		}
		text += word + name
	}
	served := g.local != "" && g.state != "LISTEN"
	switch {
	case g.protocol == "netlink", g.protocol == "packet", g.protocol == "raw":
		add("", g.local)
	case g.protocol == protocolUnix && g.remote != "":
		add("to ", g.remote)
		add("of ", peer)
	case g.protocol == protocolUnix && served:
		add("on ", g.local)
		add("from ", peer)
	case g.protocol == protocolUnix && g.state != "LISTEN":
		add("with ", peer)
	case g.local != "":
		add("on ", g.local)
		add("from ", g.remote)
	case g.remote != "":
		add("to ", g.remote)
	case g.protocol == protocolUnix:
	case g.state == "LISTEN", g.state == "":
		add("on ", "many addresses")
	default:
		add("to ", "many addresses")
	}
	return cmp.Or(text, "unconnected")
}
