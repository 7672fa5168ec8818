package diagnose

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apimachinery/pkg/util/validation"

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
	growthCountMin           = 5.0  // descriptors: fewer come and go at any moment
	growthProcessAge         = 60.0 // seconds: what is younger is starting up
	execSessionsWarning      = 100  // of one container: nobody types that many
	descriptorsPerFindingMax = 3    // owners named per rule
	holdersNamedMax          = 3    // processes named per owner
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
	f.Evidence = []string{fmt.Sprintf("fs.file-nr is %s of fs.file-max %s", comma(u.Used), comma(u.Max))}
	if u.Seconds > 0 {
		f.Evidence[0] += fmt.Sprintf(", %+.1f/s over %.1f s", u.PerSecond, u.Seconds)
	}
	f.Remedy = []string{
		"stop who holds them (the top of the list); at the limit every open, accept and exec on the node fails",
		fmt.Sprintf("to win time, on the node: sysctl -w fs.file-max=%d", 2*u.Max),
	}
	return []Finding{f}
}

// comma is a count for a person; a node may claim more than an int64 holds.
func comma(count uint64) string { return humanize.Comma(int64(min(count, math.MaxInt64))) }

// fdGrowth: owners that hold many descriptors and gain more while we look.
func fdGrowth(n *correlate.Node, earlier []Finding) []Finding {
	var findings []Finding
	ranking := n.RankFDs(correlate.ByContainer)
	for _, row := range ranking.Rows {
		if len(findings) == descriptorsPerFindingMax {
			break
		}
		if row.Descriptors < growthOwnerMin || !grows(row.PerSecond, ranking.Seconds) || n.Age(row.Heaviest.PID) < growthProcessAge {
			continue
		}
		owner := row.Owner
		f := Finding{Severity: Warning, Subject: &owner,
			Summary: fmt.Sprintf("%s gains %.1f descriptors per second", Title(owner), *row.PerSecond),
			Evidence: []string{fmt.Sprintf("%s descriptors, %.0f %% of all; heaviest process %d (%s) holds %s",
				humanize.Comma(int64(row.Descriptors)), row.Percent, row.Heaviest.PID, row.Heaviest.Comm, humanize.Comma(int64(row.Heaviest.Descriptors)))},
			Remedy: []string{fmt.Sprintf("see what it opens: kubectl nodedoc whois-pid %s %d", n.Name(), row.Heaviest.PID)}}
		if isSubject(owner, earlier, ExecFIFOs) {
			f.CausedBy = []string{ExecFIFOs}
		}
		if row.Mostly != nil {
			f.Evidence = append(f.Evidence, fmt.Sprintf("mostly %s: %s × %s", row.Mostly.Kind, humanize.Comma(int64(row.Mostly.Count)), row.Mostly.Pattern))
		}
		findings = append(findings, f)
	}
	return findings
}

// grows tells a gain from the coming and going that every daemon has.
func grows(perSecond *float64, seconds float64) bool {
	return perSecond != nil && *perSecond >= growthRateMin && *perSecond*seconds >= growthCountMin
}

// execFIFOs: a runtime makes named pipes for the stdio of each exec session and
// removes them when it ends. Thousands of them mean sessions that never end or
// are never reaped.
func execFIFOs(n *correlate.Node, _ []Finding) []Finding {
	var findings []Finding
	for _, e := range n.ExecFIFOs() {
		if e.Sessions < execSessionsWarning {
			continue
		}
		evidence := fmt.Sprintf("process %d (%s) of %s holds %s of their named pipes: %s",
			e.Holder.PID, e.Holder.Comm, Title(n.Blame(e.Holder).Owner), humanize.Comma(int64(e.FIFOs)), e.Pattern)
		subject := e.Subject
		// The container, its shim and the runtime may each hold an end.
		same := slices.IndexFunc(findings, func(f Finding) bool { return *f.Subject == subject })
		switch {
		case same >= 0 && len(findings[same].Evidence) < holdersNamedMax:
			findings[same].Evidence = append(findings[same].Evidence, evidence)
		case same < 0 && len(findings) < descriptorsPerFindingMax:
			findings = append(findings, Finding{Severity: Warning, Subject: &subject,
				Summary:  fmt.Sprintf("%s exec sessions of %s were never reaped", humanize.Comma(int64(e.Sessions)), Title(subject)),
				Evidence: []string{evidence}, Remedy: execRemedy(subject)})
		}
	}
	return findings
}

func execRemedy(o correlate.Owner) []string {
	cause := "find who execs into it: exec probes and heartbeats that wait for something that is down need a timeout"
	if !namable(o) {
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

// namable says whether a command may name the pod: a pod that is gone has none,
// and where only the node's files name it, the name is the node's to choose and
// must not become a piece of a shell command.
func namable(o correlate.Owner) bool {
	return o.Type == correlate.OwnerPod && (o.PodState == correlate.PodKnown || o.PodState == correlate.PodUnasked) &&
		len(validation.IsDNS1123Label(o.Namespace)) == 0 && len(validation.IsDNS1123Subdomain(o.Pod)) == 0
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
