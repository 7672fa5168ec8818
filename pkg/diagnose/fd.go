package diagnose

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// IDs of the rules about file descriptors.
const (
	FDNodeLimit = "fd-node-limit"
	FDGrowth    = "fd-growth"
	ExecFIFOs   = "fd-exec-fifos"
)

const (
	// Of fs.file-max. At the limit open(2), accept(2) and pipe(2) fail with
	// ENFILE for every process without CAP_SYS_ADMIN.
	nodeLimitWarning, nodeLimitCritical = 80.0, 95.0
	// A node that grows steadily and is half full is in sight of the limit
	// within fullSoon, and near it within fullVerySoon.
	nodeLimitInSight         = 50.0
	fullSoon, fullVerySoon   = 6 * time.Hour, 30 * time.Minute
	growthOwnerMin           = 500  // descriptors: fewer are no threat yet
	growthRateMin            = 0.5  // per second
	growthProcessAge         = 60.0 // seconds: what is younger is starting up
	execSessionsWarning      = 100  // of one container: nobody types that many
	descriptorsPerFindingMax = 3    // owners named per rule
)

// fdNodeLimit: the node's open files against fs.file-max.
func fdNodeLimit(n *correlate.Node, earlier []Finding) []Finding {
	u := n.RankFDs(correlate.ByPod).Files
	if u == nil || u.Max == 0 {
		return nil
	}
	var full time.Duration
	if u.FullInSeconds != nil && u.Steady && u.Percent >= nodeLimitInSight {
		full = time.Duration(min(*u.FullInSeconds, 1e9) * float64(time.Second))
	}
	f := Finding{Severity: Warning, CausedBy: ids(earlier, ExecFIFOs, FDGrowth)}
	switch {
	case u.Percent >= nodeLimitCritical, full > 0 && full <= fullVerySoon:
		f.Severity = Critical
	case u.Percent >= nodeLimitWarning, full > 0 && full <= fullSoon:
	default:
		return nil
	}
	f.Summary = fmt.Sprintf("the node uses %.1f %% of its open files", u.Percent)
	if full > 0 {
		f.Summary += ", full in " + duration.HumanDuration(full) + " at this rate"
	}
	f.Evidence = []string{fmt.Sprintf("fs.file-nr is %s of fs.file-max %s, %+.1f/s over %.1f s",
		humanize.Comma(int64(u.Used)), humanize.Comma(int64(u.Max)), u.PerSecond, u.Seconds)}
	f.Remedy = []string{
		"stop who holds them (the top of the list); at the limit every open, accept and exec on the node fails",
		fmt.Sprintf("to win time, on the node: sysctl -w fs.file-max=%d", 2*u.Max),
	}
	return []Finding{f}
}

// fdGrowth: owners that hold many descriptors and gain more while we look.
func fdGrowth(n *correlate.Node, _ []Finding) []Finding {
	var findings []Finding
	for _, row := range n.RankFDs(correlate.ByContainer).Rows {
		if len(findings) == descriptorsPerFindingMax {
			break
		}
		if row.Descriptors < growthOwnerMin || row.PerSecond == nil || *row.PerSecond < growthRateMin || n.Age(row.Heaviest.PID) < growthProcessAge {
			continue
		}
		owner := row.Owner
		f := Finding{Severity: Warning, Subject: &owner,
			Summary: fmt.Sprintf("%s gains %.1f descriptors per second", Title(owner), *row.PerSecond),
			Evidence: []string{fmt.Sprintf("%s descriptors, %.0f %% of all; heaviest process %d (%s) holds %s",
				humanize.Comma(int64(row.Descriptors)), row.Percent, row.Heaviest.PID, row.Heaviest.Comm, humanize.Comma(int64(row.Heaviest.Descriptors)))},
			Remedy: []string{fmt.Sprintf("see what it opens: kubectl nodedoc whois-pid %s %d", n.Name(), row.Heaviest.PID)}}
		if row.Mostly != nil {
			f.Evidence = append(f.Evidence, fmt.Sprintf("mostly %s: %s × %s", row.Mostly.Kind, humanize.Comma(int64(row.Mostly.Count)), row.Mostly.Pattern))
		}
		findings = append(findings, f)
	}
	return findings
}

// execFIFOs: a runtime makes named pipes for the stdio of each exec session and
// removes them when it ends. Thousands of them mean sessions that never end or
// are never reaped.
func execFIFOs(n *correlate.Node, _ []Finding) []Finding {
	var findings []Finding
	for _, e := range n.ExecFIFOs() {
		if e.Sessions < execSessionsWarning || len(findings) == descriptorsPerFindingMax {
			break
		}
		subject := e.Subject
		holder := n.Blame(e.Holder).Owner
		f := Finding{Severity: Warning, Subject: &subject,
			Summary: fmt.Sprintf("%s exec sessions of %s were never reaped", humanize.Comma(int64(e.Sessions)), Title(subject)),
			Evidence: []string{fmt.Sprintf("process %d (%s) of %s holds %s of their named pipes: %s",
				e.Holder.PID, e.Holder.Comm, Title(holder), humanize.Comma(int64(e.FIFOs)), e.Pattern)},
			Remedy: execRemedy(subject)}
		findings = append(findings, f)
	}
	return findings
}

func execRemedy(o correlate.Owner) []string {
	cause := "find who execs into it: exec probes and heartbeats that wait for something that is down need a timeout"
	if o.Type != correlate.OwnerPod || o.Pod == "" {
		return []string{cause}
	}
	remedy := []string{
		fmt.Sprintf("see its exec probes: kubectl -n %s get pod %s -o jsonpath='{.spec.containers[*].livenessProbe}{.spec.containers[*].readinessProbe}'", o.Namespace, o.Pod),
		cause,
	}
	if o.PodState == correlate.PodKnown {
		remedy = append(remedy, fmt.Sprintf("to free them now: kubectl -n %s delete pod %s", o.Namespace, o.Pod))
	}
	return remedy
}

// Title names an owner with its container and workload.
func Title(o correlate.Owner) string {
	s := o.Name()
	if o.Type == correlate.OwnerPod {
		switch {
		case o.Sandbox:
			s += ", its sandbox"
		case o.Container != "":
			s += ", container " + o.Container
		}
		if o.Workload != "" {
			s += " (" + o.Workload + ")"
		}
	}
	return s
}
