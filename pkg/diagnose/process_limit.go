package diagnose

import (
	"fmt"
	"math"
	"regexp"
	"slices"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func processLimitWarning() Threshold {
	return warningAt(FDProcessLimit, "of a process's soft RLIMIT_NOFILE in use").upTo(processLimitCritical())
}
func processLimitCritical() Threshold {
	return criticalAt(FDProcessLimit, "of it in use, by a daemon of the host that the node hangs on")
}

// A smaller limit is what a sandbox has given itself, so as to open nothing more:
// sshd's and Chrome's do.
func processLimitMin() Threshold {
	return atLeast(FDProcessLimit, "least-limit", 100, "a smaller limit is none that anybody is near by mistake")
}

func processLimitRule() Rule {
	return Rule{
		ID: FDProcessLimit, find: processLimit,
		Title:      "a process comes near its own limit of open files",
		Thresholds: []Threshold{processLimitWarning(), processLimitCritical(), processLimitMin()},
		Page: Page{
			Means: "A process may have so many descriptors as its soft RLIMIT_NOFILE. At it open, accept and socket fail with EMFILE (\"too many open files\") for this process alone, whatever the node has left.",
			Computed: []string{
				"Descriptors of each process against the soft limit of \"Max open files\" in /proc/PID/limits: {warning} or more are a finding, one for each owner. Limits below {least-limit} are left out.",
				"It is critical from {critical} on, where it is one of these daemons of the host: " + english.OxfordWordSeries(nodeDaemons(), "and") + ".",
			},
			Source: []string{"getrlimit(2): RLIMIT_NOFILE; /proc/PID/limits; /proc/sys/fs/nr_open"},
			Do: []string{
				"See what it holds (kubectl nodedoc fd NODE --pid PID): if it leaks, a higher limit only buys time.",
				"To win time: prlimit --pid PID --nofile=SOFT:HARD on the node, no restart is needed. For good: LimitNOFILE of its unit, or the runtime's own for containers.",
			},
			Fooled: []string{
				"The limit bounds the highest number of a descriptor, not their count: who has closed low ones in between is nearer than it seems, who was given a lower limit later has more than it may open.",
				"A program may raise its soft limit up to the hard one when it needs to (Go programs do when they start).",
				"A server that fills its connection pool on purpose and refuses the rest stays there.",
			},
		},
	}
}

// processLimit: a process near its soft RLIMIT_NOFILE, where open fails with
// EMFILE, whatever the node has left.
func processLimit(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	var findings []Finding
	for _, near := range n.NearLimit(limits.In(processLimitWarning()), uint64(limits.count(processLimitMin()))) {
		if len(findings) == ownersNamedMax {
			break
		}
		owner, worst := near.Owner, near.Processes[0]
		f := Finding{Severity: Warning, Subject: &owner,
			Summary: fmt.Sprintf("process %d (%s) of %s has %.0f %% of the descriptors that it may have", worst.PID, worst.Comm, Title(owner), worst.Percent),
			Remedy:  limitRemedy(n, owner, worst), CausedBy: causesOf(owner, earlier, ExecFIFOs, CloseWait, DeletedFiles, FDGrowth)}
		if worst.Percent >= limits.In(processLimitCritical()) && isHost(owner) && nodeHangsOn(worst.Comm) {
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

// nodeDaemons: without these no pod starts, stops or is looked after. Any other
// process's failure is its own.
func nodeDaemons() []string {
	return []string{"systemd", "kubelet", "containerd", "dockerd", "cri-dockerd", "crio"}
}

func nodeHangsOn(comm string) bool { return slices.Contains(nodeDaemons(), comm) }

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
