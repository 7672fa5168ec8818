package correlate

import (
	"cmp"
	"net"
	"path"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// SocketPile are the sockets in one state that an owner holds towards one
// remote address, or that it accepted at one address of its own.
type SocketPile struct {
	Owner  Owner
	Local  string
	Remote string
	// RemotePod is the pod of this node that has the remote address; nil where
	// none of those that the API server knows does.
	RemotePod *Owner
	Count     int
	// Holder has the most of them.
	Holder *report.Process
	Held   int
}

// SocketPiles lists an owner's TCP sockets in a state, most first. A fork
// shares its parent's sockets, and then both count.
func (n *Node) SocketPiles(state string) []SocketPile {
	type key struct {
		owner         Owner
		local, remote string
	}
	piles := map[key]*SocketPile{}
	n.eachSocket(func(p *report.Process, g report.SocketGroup) {
		if g.Protocol != "TCP" || g.State != state {
			return
		}
		// Whoever accepts has a peer port per connection.
		remote := g.Remote
		if g.Local != "" {
			remote = hostOf(g.Remote)
		}
		k := key{n.Blame(p).Owner, g.Local, remote}
		if piles[k] == nil {
			piles[k] = &SocketPile{Owner: k.owner, Local: g.Local, Remote: remote, RemotePod: n.podAt(g.Remote)}
		}
		pile := piles[k]
		pile.Count += g.Count
		if g.Count > pile.Held {
			pile.Holder, pile.Held = p, g.Count
		}
	})
	var list []SocketPile
	for _, pile := range piles {
		if pile.Holder != nil {
			list = append(list, *pile)
		}
	}
	slices.SortFunc(list, func(a, b SocketPile) int {
		return cmp.Or(b.Count-a.Count, a.Holder.PID-b.Holder.PID, cmp.Compare(a.Local, b.Local), cmp.Compare(a.Remote, b.Remote))
	})
	return list
}

func (n *Node) eachSocket(use func(*report.Process, report.SocketGroup)) {
	if n.Report.Processes == nil {
		return
	}
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if p.FDs == nil {
			continue
		}
		for _, g := range p.FDs.Sockets {
			use(p, g)
		}
	}
}

// hostOf is the address of "10.0.0.1:443" or "[fd00::1]:443", without brackets.
func hostOf(endpoint string) string {
	if host, _, err := net.SplitHostPort(endpoint); err == nil {
		return host
	}
	return endpoint
}

// canonicalIP spells an address in one way; what is none stays.
func canonicalIP(s string) string {
	if ip := net.ParseIP(s); ip != nil {
		return ip.String()
	}
	return s
}

// podAt is the pod of this node that has an address; nil where there is none.
func (n *Node) podAt(endpoint string) *Owner {
	p := n.podByIP[canonicalIP(hostOf(endpoint))]
	if p == nil || endpoint == "" {
		return nil
	}
	o := n.podOwner(nodeUID(p), "", report.Container{})
	return &o
}

// RuntimeClient is a process with connections to a container runtime's socket.
type RuntimeClient struct {
	PID    int
	Comm   string
	Owner  Owner
	Socket string // its path
	Server string // the runtime's process, where it is known
	Count  int
}

// isRuntimeSocket knows the runtimes' sockets by name, wherever they lie.
func isRuntimeSocket(p string) bool {
	switch path.Base(p) {
	case "docker.sock", "containerd.sock", "crio.sock":
		return true
	}
	return false
}

// RuntimeClients lists them, most connections first. Either end may tell of a
// connection; what both tell is one.
func (n *Node) RuntimeClients() []RuntimeClient {
	type key struct {
		pid    int
		socket string
	}
	at := map[key]*RuntimeClient{} // Count by the server's table
	own := map[key]int{}           // by the client's
	n.eachSocket(func(p *report.Process, g report.SocketGroup) {
		switch {
		case g.Protocol != "unix":
		case isRuntimeSocket(g.Local) && g.Peer != nil:
			k := key{g.Peer.PID, path.Base(g.Local)}
			c := n.runtimeClient(at[k], g.Peer.PID, g.Peer.Comm, g.Local)
			c.Count, c.Server = c.Count+g.Count, p.Comm
			at[k] = c
		case isRuntimeSocket(g.Remote):
			k := key{p.PID, path.Base(g.Remote)}
			at[k] = n.runtimeClient(at[k], p.PID, p.Comm, g.Remote)
			if own[k] += g.Count; g.Peer != nil {
				at[k].Server = g.Peer.Comm
			}
		}
	})
	list := make([]RuntimeClient, 0, len(at))
	for k, c := range at {
		c.Count = max(c.Count, own[k])
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b RuntimeClient) int {
		return cmp.Or(b.Count-a.Count, a.PID-b.PID, cmp.Compare(a.Socket, b.Socket))
	})
	return list
}

func (n *Node) runtimeClient(known *RuntimeClient, pid int, comm, socket string) *RuntimeClient {
	if known != nil {
		return known
	}
	c := &RuntimeClient{PID: pid, Comm: comm, Socket: socket, Owner: Owner{Type: OwnerUnknown}}
	if p := n.processes[pid]; p != nil {
		c.Owner = n.Blame(p).Owner
	}
	return c
}
