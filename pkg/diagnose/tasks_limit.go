package diagnose

import (
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// taskLimitMin: a smaller limit is what a program has been given on purpose, so
// as to start nothing, unless it tries.
const taskLimitMin = 50

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
		if l.Percent < limitWarning || l.Max < taskLimitMin && l.Refused == 0 || named[owner] || len(findings) == tasksPerFindingMax {
			continue
		}
		named[owner] = true
		findings = append(findings, limitFinding(n, t, l, earlier))
	}
	return findings
}

func limitFinding(n *correlate.Node, t correlate.NodeTasks, l correlate.TaskLimitUse, earlier []Finding) Finding {
	owner := l.Owner
	f := Finding{Severity: Warning, Subject: &owner, CausedBy: ids(ofPod(owner, earlier), TasksZombies, TasksBlocked),
		Summary:  fmt.Sprintf("%s has %.0f %% of the threads that it may have", Title(owner), l.Percent),
		Evidence: []string{fmt.Sprintf("%s threads, pids.max of %s is %s; at the limit every fork in it fails (EAGAIN)", comma(l.Current), l.Path, comma(l.Max))}}
	if l.Refused > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s forks were refused so far (pids.events)", comma(l.Refused)))
	}
	if l.Percent >= limitCritical && (owner.Type == correlate.OwnerCgroup && !hasRow(t, owner) || owner.Type == correlate.OwnerUnit && nodeHangsOn(trimService(owner.Unit))) {
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
