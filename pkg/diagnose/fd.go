package diagnose

import (
	"fmt"
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
	growthOwnerMin           = 500 // descriptors: fewer are no threat yet
	growthRateMin            = 0.5 // per second
	growthCountMin           = 5.0 // descriptors: fewer come and go at any moment
	causeShareMin            = 0.1 // of the node's open files: less explains nothing
	execSessionsWarning      = 100 // of one container: nobody types that many
	descriptorsPerFindingMax = 3   // owners named per rule
	holdersNamedMax          = 3   // processes named per owner
)

// fdNodeLimit: the node's open files against fs.file-max.
func fdNodeLimit(n *correlate.Node, earlier []Finding) []Finding {
	u := n.RankFDs(correlate.ByPod).Files
	if u == nil || u.Max == 0 {
		return nil
	}
	var full time.Duration
	if seconds, ok := u.Forecast(); ok && u.Percent >= nodeLimitInSight {
		full = time.Duration(min(seconds, 1e9) * float64(time.Second))
	}
	f := Finding{Severity: Warning, CausedBy: limitCauses(n, u, earlier)}
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
	f.Evidence = []string{fmt.Sprintf("fs.file-nr is %s of fs.file-max %s", humanize.Comma(int64(u.Used)), humanize.Comma(int64(u.Max)))}
	if u.Seconds > 0 {
		f.Evidence[0] += fmt.Sprintf(", %+.1f/s over %.1f s", u.PerSecond, u.Seconds)
	}
	f.Remedy = []Step{
		{Do: "stop who holds them, the top of the list: at the limit every open, accept and exec on the node fails"},
		{Do: "to win time, on the node", Run: fmt.Sprintf("sysctl -w fs.file-max=%d", 2*u.Max)},
	}
	return []Finding{f}
}

// limitCauses are the findings that explain a full node: whoever grows, and exec
// sessions where they make up a good part of it.
func limitCauses(n *correlate.Node, u *correlate.FileUsage, earlier []Finding) []string {
	fifos := 0
	for _, e := range n.ExecFIFOs() {
		fifos += e.Count
	}
	if float64(fifos) >= causeShareMin*float64(u.Used) {
		return ids(earlier, ExecFIFOs, FDGrowth)
	}
	return ids(earlier, FDGrowth)
}

// fdGrowth: owners that hold many descriptors and gain more while we look.
func fdGrowth(n *correlate.Node, earlier []Finding) []Finding {
	var findings []Finding
	ranking := n.RankFDs(correlate.ByContainer)
	for _, row := range ranking.Rows {
		if len(findings) == descriptorsPerFindingMax {
			break
		}
		// A runtime's many shims gain a few each while pods start: a leak is
		// one process that holds many and gains more.
		by := row.Fastest
		if by == nil || !by.Steady || by.Descriptors < growthOwnerMin || !grows(row.SettledPerSecond, ranking.Seconds) ||
			!grows(float64(by.Gained)/ranking.Seconds, ranking.Seconds) {
			continue
		}
		owner := row.Owner
		f := Finding{Severity: Warning, Subject: &owner,
			Summary: fmt.Sprintf("%s gains %.1f descriptors per second", Title(owner), row.SettledPerSecond),
			Evidence: []string{fmt.Sprintf("%s descriptors, %.0f %% of all; process %d (%s) gained %s of them in %.1f s and holds %s",
				humanize.Comma(int64(row.Descriptors)), row.Percent, by.PID, by.Comm, humanize.Comma(int64(by.Gained)), ranking.Seconds, humanize.Comma(int64(by.Descriptors)))},
			Remedy: []Step{{Do: "see what it is and what it opens", Run: whoisCommand(n, by.PID)}}}
		if isSubject(owner, earlier, ExecFIFOs) {
			f.CausedBy = []string{ExecFIFOs}
		}
		if m := by.Mostly; m != nil {
			f.Evidence = append(f.Evidence, fmt.Sprintf("mostly %s: %s × %s", m.Kind, humanize.Comma(int64(m.Count)), m.Pattern))
		}
		findings = append(findings, f)
	}
	return findings
}

// grows tells a gain from the coming and going that every daemon has.
func grows(perSecond, seconds float64) bool {
	return perSecond >= growthRateMin && perSecond*seconds >= growthCountMin
}

// whoisCommand asks about a process of this node; without the API server's word
// for the node's name, of this machine.
func whoisCommand(n *correlate.Node, pid int) string {
	if n.Inventory == nil {
		return fmt.Sprintf("kubectl nodedoc whois-pid --local %d", pid)
	}
	return fmt.Sprintf("kubectl nodedoc whois-pid %s %d", n.Name(), pid)
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
		subject, of := e.Subject, ""
		if holder := n.Blame(e.Holder).Owner; holder != subject {
			of = " of " + Title(holder)
		}
		evidence := fmt.Sprintf("process %d (%s)%s holds %s of their named pipes: %s",
			e.Holder.PID, e.Holder.Comm, of, humanize.Comma(int64(e.Count)), e.Pattern)
		// The container, its shim and the runtime may each hold an end.
		same := slices.IndexFunc(findings, func(f Finding) bool { return *f.Subject == subject })
		switch {
		case same >= 0 && len(findings[same].Evidence) < holdersNamedMax:
			findings[same].Evidence = append(findings[same].Evidence, evidence)
		case same < 0 && len(findings) < descriptorsPerFindingMax:
			findings = append(findings, Finding{Severity: Warning, Subject: &subject,
				Summary:  fmt.Sprintf("%s exec sessions of %s are open at once", humanize.Comma(int64(e.Sessions)), Title(subject)),
				Evidence: []string{evidence}, Remedy: execRemedy(subject)})
		}
	}
	return findings
}

func execRemedy(o correlate.Owner) []Step {
	cause := Step{Do: "find who execs into it: probes, hooks and heartbeats that wait for something that is down need a timeout"}
	if !namable(o) {
		return []Step{cause}
	}
	cause.Run = fmt.Sprintf("kubectl -n %s get pod %s -o yaml | grep -B3 -A5 -w exec:", o.Namespace, o.Pod)
	if o.PodState != correlate.PodKnown {
		return []Step{cause}
	}
	return []Step{cause, {Do: "to free them now", Run: fmt.Sprintf("kubectl -n %s delete pod %s", o.Namespace, o.Pod)}}
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
		if o.PodState == correlate.PodGone || o.PodState == correlate.PodReplaced {
			s += ", gone"
		}
	}
	return s
}
