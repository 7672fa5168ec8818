package diagnose

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

const closeWaitState = "CLOSE_WAIT"

// A connection is in CLOSE_WAIT from the peer's close to our own. Programs close
// within moments; even pools that look once a minute keep a few.
func closeWaitMin() Threshold {
	return atLeast(CloseWait, "sockets", 100, "sockets in CLOSE_WAIT that one owner has towards one address: a finding")
}

// A client of a runtime needs one connection, or one per stream it follows.
func runtimeClientMin() Threshold {
	return atLeast(RuntimeClients, "connections", 500, "connections of one process to a runtime's socket: a finding")
}

func closeWaitRule() Rule {
	return Rule{
		ID: CloseWait, find: closeWait,
		Title:      "a program does not close connections that its peers have closed",
		Thresholds: []Threshold{closeWaitMin()},
		Page: Page{
			Means: "A TCP socket is in CLOSE_WAIT from the moment when the other side has closed to that when the program does. No timeout of the kernel's ends this state: the program leaks descriptors, mostly after errors or timeouts, or answers whose body nobody reads.",
			Computed: []string{
				"TCP sockets in state CLOSE_WAIT, by owner and by the address that they go to; those that the owner accepted, by its own address and the peer's host. {sockets} or more are a finding.",
				"The table of each network namespace is read once, and matched with the inodes in /proc/PID/fd.",
			},
			Source: []string{"RFC 9293, 3.3.2: states of a connection", "/proc/PID/net/tcp, tcp6: state 08"},
			Do: []string{
				"Have the program close its connections, also after errors, timeouts and answers that nobody reads.",
				"kubectl nodedoc fd NODE --pid PID shows all that it holds.",
			},
			Fooled: []string{
				"A fork shares its parent's sockets, and then both count.",
				"keepalive may reset such a connection: then the descriptor is of a socket that no table lists any more, and is not counted.",
				"A pool of connections that is looked after rarely may keep some for minutes.",
			},
		},
	}
}

func runtimeClientsRule() Rule {
	return Rule{
		ID: RuntimeClients, find: runtimeClients,
		Title:      "a process has very many connections to the container runtime",
		Thresholds: []Threshold{runtimeClientMin()},
		Page: Page{
			Means: "Each connection costs the client a descriptor, and the runtime another one and a goroutine. A client needs one, or one for each stream that it follows: logs, exec, attach, events. Monitoring agents that never close their streams are the usual culprits.",
			Computed: []string{
				"Unix sockets named docker.sock, containerd.sock or crio.sock, wherever they lie, by the process at the client's end. What both ends tell of counts once. {connections} or more of one process are a finding.",
			},
			Source: []string{"/proc/PID/net/unix, and the far end by sock_diag(7), UNIX_DIAG_PEER"},
			Do:     []string{"See what the process is (kubectl nodedoc whois-pid), have it end its streams and use connections again, or restart it."},
			Fooled: []string{
				"Where sock_diag may not be asked, the far end is not known, and who is at it neither.",
				"On a node with hundreds of containers an agent may follow the log of each on purpose.",
			},
		},
	}
}

// closeWait: connections that the peer has closed and the program has not. No
// timeout of the kernel's ends this state; keepalive may reset it, and then the
// descriptor is of a socket that no table lists any more.
func closeWait(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	var findings []Finding
	for _, pile := range n.SocketPiles(closeWaitState) {
		if pile.Count < limits.count(closeWaitMin()) || len(findings) == ownersNamedMax {
			break
		}
		owner := pile.Owner
		f := Finding{Severity: Warning, Subject: &owner,
			Summary: fmt.Sprintf("%s does not close %s connections %s", Title(owner), humanize.Comma(int64(pile.Count)), whereTo(pile)),
			Evidence: []string{fmt.Sprintf("%s TCP sockets in CLOSE_WAIT: the other side has closed, the program has not; process %d (%s) holds %s",
				humanize.Comma(int64(pile.Count)), pile.Holder.PID, pile.Holder.Comm, humanize.Comma(int64(pile.Held)))},
			Remedy: []Step{
				{Do: "have the program close its connections, also after errors, timeouts and answers that nobody reads"},
				{Do: "see what else it holds", Run: fdCommand(n, pile.Holder.PID, "")},
			}}
		if pile.RemotePod != nil {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%s is %s", pile.Remote, Title(*pile.RemotePod)))
		}
		f.Remedy = append(f.Remedy, deletePod(owner, "to free them now")...)
		findings = append(findings, f)
	}
	return findings
}

func whereTo(pile correlate.SocketPile) string {
	switch {
	case pile.Local == "" && pile.Remote == "":
		return "to many addresses"
	case pile.Local == "":
		return "to " + pile.Remote
	case pile.Remote == "":
		return "that it accepted at " + pile.Local
	}
	return fmt.Sprintf("from %s that it accepted at %s", pile.Remote, pile.Local)
}

// runtimeClients: one process with very many connections to a container
// runtime, each of which costs the runtime a descriptor, too.
func runtimeClients(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	var findings []Finding
	for _, c := range n.RuntimeClients() {
		if c.Count < limits.count(runtimeClientMin()) || len(findings) == ownersNamedMax {
			break
		}
		owner := c.Owner
		f := Finding{Severity: Warning, Subject: &owner,
			Summary:  fmt.Sprintf("%s holds %s connections to %s", Title(owner), humanize.Comma(int64(c.Count)), c.Socket),
			Evidence: []string{fmt.Sprintf("process %d (%s) is their client", c.PID, c.Comm)},
			Remedy:   []Step{{Do: "see what it is: streams that it follows (logs, exec, attach) must end, and connections be reused", Run: whoisCommand(n, c.PID)}},
			// A hanging exec session is a hanging connection of whoever began it.
			CausedBy: ids(earlier, ExecFIFOs)}
		if c.Server != "" {
			f.Evidence[0] += ", " + c.Server + " their server"
		}
		findings = append(findings, f)
	}
	return findings
}
