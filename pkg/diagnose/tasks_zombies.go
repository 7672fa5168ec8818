package diagnose

import (
	"fmt"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Fewer come and go.
func zombiesMin() Threshold {
	return atLeast(TasksZombies, "zombies", 100, "of one parent: a finding")
}

func tasksZombiesRule() Rule {
	return Rule{
		ID: TasksZombies, find: tasksZombies,
		Title:      "a process does not reap its children",
		Thresholds: []Threshold{zombiesMin()},
		Page: Page{
			Means: "A process that has ended keeps its number until its parent asks for its exit status by wait(2). A parent that never does, mostly the first process of a container that is no init, piles up zombies, each of which counts against the limits of its pod and the node.",
			Computed: []string{
				"Processes in state Z without further threads, by their parent: {zombies} or more of one are a finding. Those whose parent is outside of what is seen are left out.",
			},
			Source: []string{"wait(2), Notes: zombies; /proc/PID/stat: state, ppid, num_threads"},
			Do: []string{
				"Start the pod anew, or the daemon: with the parent its zombies end.",
				"For good: a first process in the container that reaps (tini, dumb-init), or shareProcessNamespace: true.",
			},
			Fooled: []string{
				"A parent that is blocked or stopped (ptrace, SIGSTOP) reaps later: see whether it waits for something.",
				"When they ended nobody knows: a burst of a moment ago looks like years of neglect.",
			},
		},
	}
}

// tasksZombies: a parent that does not reap. A zombie has nothing but its pid,
// and that it keeps until the parent ends.
func tasksZombies(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	if n.Report.Tasks == nil {
		return nil
	}
	var findings []Finding
	for _, z := range n.Tasks(correlate.TaskOptions{}).Zombies {
		if z.Count < limits.count(zombiesMin()) || z.PID == 0 || len(findings) == ownersNamedMax {
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
