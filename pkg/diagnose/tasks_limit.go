package diagnose

import (
	"fmt"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func taskLimitWarning() Threshold {
	return warningAt(TasksPodLimit, "of a pids.max in use").upTo(taskLimitCritical())
}
func taskLimitCritical() Threshold {
	return criticalAt(TasksPodLimit, "of it in use, where the node hangs on it")
}

// A smaller limit is what a program has been given on purpose, so as to start nothing,
// unless it tries.
func taskLimitMin() Threshold {
	return atLeast(TasksPodLimit, "least-limit", 50, "a smaller limit counts only where it has refused a fork")
}

func tasksPodLimitRule() Rule {
	return Rule{
		ID: TasksPodLimit, find: tasksPodLimit,
		Title:      "a pod, container or unit comes near its limit of threads",
		Thresholds: []Threshold{taskLimitWarning(), taskLimitCritical(), taskLimitMin()},
		Page: Page{
			Means: "A cgroup may have so many threads as pids.max says: of a pod that is the kubelet's podPidsLimit, of a unit TasksMax. At it fork fails with EAGAIN in it alone, whatever the node has left.",
			Computed: []string{
				"pids.current against pids.max of each cgroup that has a limit, read through the host's root: {warning} or more are a finding, one for each pod or unit. Limits below {least-limit} count only where they have refused a fork (pids.events; before Linux 6.11 counted where the fork was tried, and held against the nearest limit above).",
				"From {critical} on it is critical for a cgroup in which pods or units are (kubepods, system.slice), and for the units of " + english.OxfordWordSeries(nodeDaemons(), "and") + ".",
			},
			Source: []string{"Documentation/admin-guide/cgroup-v2.rst: PID (v1: cgroup-v1/pids.rst)", "Kubernetes: Process ID Limits And Reservations; systemd.resource-control(5): TasksMax"},
			Do: []string{
				"See which process has them; a leak of threads needs a fix, deleting the pod wins time.",
				"If it needs so many: a higher podPidsLimit of the kubelet, for all pods of the node, or TasksMax of the unit.",
			},
			Fooled: []string{
				"A pool that has reached its full size on purpose stays there.",
				"Refused forks are counted since the cgroup was made: they may be of long ago.",
			},
		},
	}
}

// tasksPodLimit: a pod, container or unit near its cgroup's pids.max. There fork
// fails with EAGAIN for it alone, whatever the node has left.
func tasksPodLimit(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.Tasks == nil {
		return nil
	}
	t := n.Tasks(correlate.TaskOptions{})
	var findings []Finding
	named := map[correlate.Owner]bool{}
	for _, l := range t.Limits {
		owner := l.Owner
		owner.Container, owner.ContainerID, owner.Sandbox = "", "", false
		if l.Percent < limits.In(taskLimitWarning()) || l.Max < uint64(limits.count(taskLimitMin())) && l.Refused == 0 || named[owner] || len(findings) == ownersNamedMax {
			continue
		}
		named[owner] = true
		findings = append(findings, limitFinding(n, t, l, limits, earlier))
	}
	return findings
}

func limitFinding(n *correlate.Node, t correlate.NodeTasks, l correlate.TaskLimitUse, limits Thresholds, earlier []Finding) Finding {
	owner := l.Owner
	f := Finding{Severity: Warning, Subject: &owner, CausedBy: ids(ofPod(owner, earlier), TasksZombies, TasksBlocked),
		Summary:  fmt.Sprintf("%s has %.0f %% of the threads that it may have", Title(owner), l.Percent),
		Evidence: []string{fmt.Sprintf("%s threads, pids.max of %s is %s; at the limit every fork in it fails (EAGAIN)", comma(l.Current), l.Path, comma(l.Max))}}
	if l.Refused > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s forks were refused so far (pids.events)", comma(l.Refused)))
	}
	if l.Percent >= limits.In(taskLimitCritical()) && (owner.Type == correlate.OwnerCgroup && !hasRow(t, owner) || owner.Type == correlate.OwnerUnit && nodeHangsOn(trimService(owner.Unit))) {
		f.Severity = Critical
	}
	for _, row := range t.Rows {
		if row.Owner == withoutContainer(owner) && row.Heaviest.Threads > 1 {
			f.Evidence = append(f.Evidence, fmt.Sprintf("process %d (%s) has %s of them", row.Heaviest.PID, row.Heaviest.Comm, comma(uint64(row.Heaviest.Threads))))
			f.Remedy = append(f.Remedy, Step{Do: "see what it is", Run: whoisCommand(n, row.Heaviest.PID)})
		}
	}
	f.Remedy = append(f.Remedy, deletePod(owner, "to start it anew")...)
	f.Remedy = append(f.Remedy, higherTaskLimit(owner, l.Max))
	return f
}

// hasRow says whether a cgroup is that of one part of the host, and not one in
// which pods or units are: at the limit of kubepods no pod starts.
func hasRow(t correlate.NodeTasks, o correlate.Owner) bool {
	for _, row := range t.Rows {
		if row.Owner == o {
			return true
		}
	}
	return false
}

// ofPod are the findings about an owner, or one of its containers.
func ofPod(o correlate.Owner, earlier []Finding) []Finding {
	var same []Finding
	for _, f := range earlier {
		if f.Subject != nil && withoutContainer(*f.Subject) == withoutContainer(o) {
			same = append(same, f)
		}
	}
	return same
}

func withoutContainer(o correlate.Owner) correlate.Owner {
	o.Container, o.ContainerID, o.Sandbox = "", "", false
	return o
}

// trimService gives the daemon that a unit is named after.
func trimService(unit string) string {
	const suffix = ".service"
	if len(unit) > len(suffix) && unit[len(unit)-len(suffix):] == suffix {
		return unit[:len(unit)-len(suffix)]
	}
	return unit
}

func higherTaskLimit(o correlate.Owner, limit uint64) Step {
	switch {
	case o.Type == correlate.OwnerUnit && unitName.MatchString(o.Unit):
		return Step{Do: "to win time, and for good", Run: fmt.Sprintf("systemctl set-property %s TasksMax=%d", o.Unit, 2*limit)}
	case o.Type == correlate.OwnerPod:
		return Step{Do: "if it needs so many: a higher podPidsLimit in the kubelet's configuration, for all pods of the node, and a restart of the pod"}
	}
	return Step{Do: "if it needs so many: raise the limit where it is set, the kubelet's reserved pids, TasksMax of the slice or the runtime's pids limit"}
}
