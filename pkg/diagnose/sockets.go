package diagnose

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

const (
	closeWaitState = "CLOSE_WAIT"
	// A connection is in CLOSE_WAIT from the peer's close to our own. Programs
	// close within moments; even pools that look once a minute keep a few.
	closeWaitMin = 100

	// A client of a runtime needs one connection, or one per stream it follows.
	runtimeClientMin = 500
)

// closeWait: connections that the peer has closed and the program has not. No
// timeout of the kernel's ends this state; keepalive may reset it, and then the
// descriptor is of a socket that no table lists any more.
func closeWait(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	var findings []Finding
	for _, pile := range n.SocketPiles(closeWaitState) {
		if pile.Count < closeWaitMin || len(findings) == descriptorsPerFindingMax {
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
		if c.Count < runtimeClientMin || len(findings) == descriptorsPerFindingMax {
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
