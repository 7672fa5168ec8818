package diagnose

import (
	"fmt"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// zombiesMin of one parent: fewer come and go.
const zombiesMin = 100

// tasksZombies: a parent that does not reap. A zombie has nothing but its pid,
// and that it keeps until the parent ends.
func tasksZombies(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	if n.Report.Tasks == nil {
		return nil
	}
	var findings []Finding
	for _, z := range n.Tasks(correlate.TaskOptions{}).Zombies {
		if z.Count < zombiesMin || z.PID == 0 || len(findings) == tasksPerFindingMax {
			continue
		}
		owner := z.Owner
		f := Finding{Severity: Warning, Subject: &owner,
			Summary:  fmt.Sprintf("%s of %s: process %d (%s) does not reap its children", english.Plural(z.Count, "zombie", ""), Title(owner), z.PID, z.Comm),
			Evidence: []string{"each keeps a pid, of the node's and of the pod's limit, until its parent calls wait(2) or ends"},
			Remedy:   []Step{{Do: "see what it is", Run: whoisCommand(n, z.PID)}}}
		for _, c := range z.Commands[:min(holdersNamedMax, len(z.Commands))] {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%d of them were %s", c.Count, c.Name))
		}
		f.Remedy = append(f.Remedy, deletePod(owner, "to be rid of them: the pod started anew")...)
		if owner.Type == correlate.OwnerPod {
			f.Remedy = append(f.Remedy, Step{Do: "for good: a first process in the container that reaps (tini, dumb-init), or shareProcessNamespace: true"})
		} else {
			f.Remedy = append(f.Remedy, Step{Do: "to be rid of them: restart it"})
		}
		findings = append(findings, f)
	}
	return findings
}
