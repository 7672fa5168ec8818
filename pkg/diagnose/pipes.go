package diagnose

import (
	"cmp"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// IDs of the rules about pipes.
const (
	PipesUserLimit      = "pipes-user-limit"
	PipesRuntimeBlocked = "pipes-runtime-blocked"
)

const (
	// pipesSettledSeconds: a runtime's program that writes for so long waits for
	// nobody who will come; usually it is done in milliseconds.
	pipesSettledSeconds = 5.0
	// pipesPerFindingMax are named by one rule.
	pipesPerFindingMax = 10
)

// pipesUserLimit: above pipe-user-pages-soft, a new pipe of the user has two pages
// instead of 16, pipe(7). What writes more at once than the other end reads waits:
// a container runtime before runc 1.0.0 for ever.
func pipesUserLimit(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	if n.Report.Pipes == nil {
		return nil
	}
	p := n.Pipes(correlate.PipeOptions{})
	var findings []Finding
	for _, u := range p.Users {
		if u.Percent < limitWarning || len(findings) == pipesPerFindingMax {
			continue
		}
		findings = append(findings, userLimitFinding(n, p, u))
	}
	return findings
}

func userLimitFinding(n *correlate.Node, p correlate.NodePipes, u correlate.PipeUser) Finding {
	f := Finding{Severity: Warning, Subject: &correlate.Owner{Type: correlate.OwnerUser, User: u.Name}}
	f.Summary = fmt.Sprintf("user %s has %s%.0f %% of the pipe buffers that one user may have: above that, new pipes are cut down to 2 pages", u.Name, upTo(u.PipeCount), u.Percent)
	if u.Percent >= 100 {
		f.Severity = Critical
		f.Summary = fmt.Sprintf("user %s has %s%.0f %% of the pipe buffers that one user may have: its new pipes have 2 pages (%s) instead of 16", u.Name, upTo(u.PipeCount), u.Percent, humanize.IBytes(2*p.PageBytes))
	}
	f.Evidence = []string{fmt.Sprintf("%s pages in %s, fs.pipe-user-pages-soft is %s", comma(u.Pages), english.Plural(u.Pipes, "pipe", ""), comma(*p.UserPagesSoft))}
	if u.Estimated {
		f.Evidence = append(f.Evidence, "estimated: where the capacity could not be asked for, a pipe counts as 16 pages")
	}
	if u.UID == 0 {
		f.Evidence = append(f.Evidence, "root of all containers without a user namespace is this user: they share the limit; who has CAP_SYS_RESOURCE or CAP_SYS_ADMIN is above it")
	}
	if u.Small > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s have 2 pages or fewer already", english.Plural(u.Small, "pipe", "")))
	}
	for _, row := range u.Rows {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s holds %s pages in %s", Title(row.Owner), comma(row.Pages), english.Plural(row.Pipes, "pipe", "")))
	}
	if len(u.Rows) > 0 {
		f.Remedy = append(f.Remedy, Step{Do: "see who makes so many, and stop it", Run: whoisCommand(n, u.Rows[0].Heaviest.PID)})
	}
	f.Remedy = append(f.Remedy, Step{Do: "to win time, on the node; it helps pipes that are made from then on", Run: fmt.Sprintf("sysctl -w fs.pipe-user-pages-soft=%d", 2*max(*p.UserPagesSoft, u.Pages))})
	return f
}

func upTo(c correlate.PipeCount) string {
	if c.Estimated {
		return "up to "
	}
	return ""
}

// pipesRuntimeBlocked: a program that starts containers waits in a write, and the
// runtime for it, and the kubelet for the runtime: its pod lifecycle event
// generator (PLEG) stands still and the node becomes NotReady.
func pipesRuntimeBlocked(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.Pipes == nil {
		return nil
	}
	var findings []Finding
	for _, w := range n.Pipes(correlate.PipeOptions{}).Waits {
		if w.Runtime == "" || w.Op != "write" || w.StayedSeconds == 0 || w.AgeSeconds < pipesSettledSeconds || len(findings) == pipesPerFindingMax {
			continue
		}
		findings = append(findings, runtimeBlockedFinding(n, w, earlier))
	}
	return findings
}

func runtimeBlockedFinding(n *correlate.Node, w correlate.PipeWait, earlier []Finding) Finding {
	owner := w.Owner
	f := Finding{Severity: Critical, Subject: &owner,
		Summary: fmt.Sprintf("%s (process %d) of %s hangs: it writes into a full pipe that nobody reads", w.Runtime, w.PID, Title(owner))}
	waits := fmt.Sprintf("process %d (%s) waits in %s for at least %.1f s, and was started %s ago", w.PID, w.Comm, cmp.Or(w.Wchan, "a "+w.Op), w.StayedSeconds, duration.HumanDuration(time.Duration(w.AgeSeconds*float64(time.Second))))
	if w.FD != nil {
		waits += fmt.Sprintf(", on its descriptor %d", *w.FD)
	}
	f.Evidence = append(f.Evidence, waits, "the runtime waits for it, and the kubelet for the runtime: PLEG is not healthy, the node NotReady")
	if w.Pipe == nil || w.FD == nil {
		f.Remedy = []Step{{Do: "see what it is", Run: whoisCommand(n, w.PID)}}
		return f
	}
	f.Evidence = append(f.Evidence, pipeEvidence(*w.Pipe)...)
	if w.Pipe.Small {
		f.CausedBy = ids(earlier, PipesUserLimit)
	}
	const seconds = 5
	f.Remedy = []Step{
		{Do: fmt.Sprintf("relief, on the node as root: read what it could not write; it goes on, and nothing else is changed (ends after %d s)", seconds),
			Run: fmt.Sprintf("timeout %d cat /proc/%d/fd/%d >/dev/null", seconds, w.PID, *w.FD)},
		{Do: "cure: a newer runc; from 1.0.0 on it reads the pipe while it writes. Raising fs.pipe-user-pages-soft helps pipes that are made from then on"},
	}
	return f
}

func pipeEvidence(p correlate.PipeState) []string {
	var lines []string
	switch {
	case p.Capacity == nil || p.Filled == nil:
		lines = append(lines, p.Name+": its capacity could not be asked for")
	case p.Small:
		lines = append(lines, fmt.Sprintf("%s has %s of %s bytes: %s instead of 16, as its user had too many", p.Name, comma(*p.Filled), comma(*p.Capacity), english.Plural(int(p.Pages), "page", "")))
	default:
		lines = append(lines, fmt.Sprintf("%s has %s of %s bytes", p.Name, comma(*p.Filled), comma(*p.Capacity)))
	}
	for i, e := range p.Ends {
		if i == holdersNamedMax {
			lines = append(lines, fmt.Sprintf("and %d more descriptors of it", len(p.Ends)-i+p.EndsLeft))
			break
		}
		lines = append(lines, fmt.Sprintf("held by process %d (%s) of %s as descriptor %d%s", e.PID, e.Comm, Title(e.Owner), e.FD, endMode(e)))
	}
	return lines
}

func endMode(e correlate.PipeEnd) string {
	switch {
	case e.Read && e.Write:
		return ", to read and write"
	case e.Read:
		return ", to read"
	case e.Write:
		return ", to write"
	}
	return ""
}
