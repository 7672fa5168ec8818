package diagnose

import (
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

const execSessionsWarning = 100 // of one container: nobody types that many

// execFIFOs: a runtime makes named pipes for the stdio of each exec session and
// removes them when it ends. Thousands of them mean sessions that never end or
// are never reaped.
func execFIFOs(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
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
	return append([]Step{cause}, deletePod(o, "to free them now")...)
}
