package diagnose

import (
	"fmt"
	"math"
	"regexp"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// processLimitMin: a smaller limit is what a sandbox has given itself, so as to
// open nothing more: sshd's and Chrome's do.
const processLimitMin = 100

// processLimit: a process near its soft RLIMIT_NOFILE, where open fails with
// EMFILE, whatever the node has left.
func processLimit(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	var findings []Finding
	for _, near := range n.NearLimit(limitWarning, processLimitMin) {
		if len(findings) == descriptorsPerFindingMax {
			break
		}
		owner, worst := near.Owner, near.Processes[0]
		f := Finding{Severity: Warning, Subject: &owner,
			Summary: fmt.Sprintf("process %d (%s) of %s has %.0f %% of the descriptors that it may have", worst.PID, worst.Comm, Title(owner), worst.Percent),
			Remedy:  limitRemedy(n, owner, worst), CausedBy: causesOf(owner, earlier, ExecFIFOs, CloseWait, DeletedFiles, FDGrowth)}
		if worst.Percent >= limitCritical && isHost(owner) && nodeHangsOn(worst.Comm) {
			f.Severity = Critical
		}
		for _, p := range near.Processes[:min(holdersNamedMax, len(near.Processes))] {
			f.Evidence = append(f.Evidence, fmt.Sprintf("process %d (%s) holds %s of %s; at the limit it reads \"too many open files\" (EMFILE)",
				p.PID, p.Comm, humanize.Comma(int64(p.Descriptors)), humanize.Comma(int64(min(*p.Soft, math.MaxInt64)))))
		}
		if more := len(near.Processes) - holdersNamedMax; more > 0 {
			f.Evidence = append(f.Evidence, fmt.Sprintf("and %d more of its processes are as near", more))
		}
		findings = append(findings, f)
	}
	return findings
}

// nodeHangsOn: without these no pod starts, stops or is looked after. Any other
// process's failure is its own.
func nodeHangsOn(comm string) bool {
	switch comm {
	case "systemd", "kubelet", "containerd", "dockerd", "cri-dockerd", "crio":
		return true
	}
	return false
}

// limitRemedy raises the limit: now by prlimit(1), for good where it is set. The
// soft limit may go up to the hard one, that up to fs.nr_open.
func limitRemedy(n *correlate.Node, o correlate.Owner, u correlate.LimitUse) []Step {
	soft := 2 * *u.Soft
	hard := soft
	if u.Hard != nil {
		hard = max(soft, *u.Hard)
	}
	steps := []Step{{Do: "see what it holds: if it leaks, a higher limit only buys time", Run: fdCommand(n, u.PID, "")}}
	if of := n.Report.OpenFiles; of != nil && of.PerProcessMax != nil && *of.PerProcessMax < hard {
		steps = append(steps, Step{Do: "first raise what a limit may be at all, on the node", Run: fmt.Sprintf("sysctl -w fs.nr_open=%d", hard)})
	}
	steps = append(steps, Step{Do: "to win time, on the node", Run: fmt.Sprintf("prlimit --pid %d --nofile=%d:%d", u.PID, soft, hard)})
	return append(steps, lastingLimit(o, hard))
}

// unitName is one that a shell takes as it is.
var unitName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:_.@-]*$`)

func lastingLimit(o correlate.Owner, limit uint64) Step {
	switch {
	case o.Type == correlate.OwnerUnit && unitName.MatchString(o.Unit):
		return Step{Do: fmt.Sprintf("for good: LimitNOFILE=%d in the unit's [Service]", limit), Run: "systemctl edit " + o.Unit}
	case o.Type == correlate.OwnerPod, o.Type == correlate.OwnerContainer:
		return Step{Do: "for good: a container has the runtime's own limit, LimitNOFILE of containerd.service or docker's default-ulimits; the program may raise its soft limit up to the hard one by itself"}
	}
	return Step{Do: "for good: where its limit is set, e.g. LimitNOFILE of its unit or /etc/security/limits.conf"}
}
