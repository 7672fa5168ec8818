package diagnose

import (
	"fmt"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// memoryContainerLimit: a container, pod or unit near its memory limit. There the
// kernel reclaims what it can, again and again, and then kills in it, whatever the
// node has left. Page cache alone fills any limit, and does no harm.
func memoryContainerLimit(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if memoryTotal(n) == 0 {
		return nil
	}
	m := n.Memory(correlate.MemoryOptions{By: correlate.ByContainer})
	var findings []Finding
	named := map[string]bool{}
	for _, row := range m.Rows {
		u := row.Fullest
		if u == nil || !atLimit(*u) || !inTrouble(row, *u, m.Seconds) || row.Owner.PodUID != "" && named[row.Owner.PodUID] && u.Container == "" || len(findings) == memoryPerFindingMax {
			continue
		}
		named[row.Owner.PodUID] = true
		findings = append(findings, memoryLimitFinding(n, row, *u, earlier))
	}
	return findings
}

func atLimit(u correlate.MemoryLimitUse) bool {
	held := shareOf(u.Held, u.Limit)
	return u.UnderOOM || held >= heldPercent || u.Percent >= workingSetPercent && held >= heldNearPercent
}

// pressureMin is a share of time, in percent, for which somebody in there waits for
// memory: less is what each reclaim of page cache costs.
const pressureMin = 1.0

// fullPercent of a limit held leave no room for whatever comes next.
const fullPercent = 95.0

// inTrouble: to be near one's limit is no trouble by itself. A JVM has its heap made
// as large as the limit allows, on purpose, and stays there. It is where the kernel
// has had to reclaim or kill in there, tasks wait for memory, it grows towards its
// limit, or hardly anything is left.
func inTrouble(row correlate.MemoryRow, u correlate.MemoryLimitUse, seconds float64) bool {
	p := row.Pressure
	switch {
	case u.UnderOOM, u.AtLimit > 0, u.OOMKills > 0, shareOf(u.Held, u.Limit) >= fullPercent:
		return true
	case p != nil && max(p.Some.Avg60, p.Some.Avg300) >= pressureMin:
		return true
	case row.PerSecond == nil || *row.PerSecond <= 0:
		return false
	}
	left := time.Duration(min(float64(u.Limit-min(u.Held, u.Limit)) / *row.PerSecond, 1e9) * float64(time.Second))
	return left <= goneVerySoon || seconds >= longLookSeconds && left <= goneSoon
}

func memoryLimitFinding(n *correlate.Node, row correlate.MemoryRow, u correlate.MemoryLimitUse, earlier []Finding) Finding {
	owner := row.Owner
	f := Finding{Severity: Warning, Subject: &owner, CausedBy: causesOf(owner, earlier, MemoryGrowth),
		Summary:  fmt.Sprintf("%s has %.0f %% of the memory that it may have", Title(owner), u.Percent),
		Evidence: []string{fmt.Sprintf("working set %s of %s, of which %s cannot be reclaimed (%s)", size(u.WorkingSet), size(u.Limit), size(u.Held), u.Path)}}
	if u.UnderOOM {
		f.Summary = Title(owner) + " waits for memory: it is at its limit, and nobody is killed"
	}
	if u.AtLimit > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("the limit was hit %s times since the cgroup was made", comma(u.AtLimit)))
	}
	if u.OOMKills > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s processes were killed in it for that", comma(u.OOMKills)))
	}
	if p := row.Pressure; p != nil && max(p.Some.Avg60, p.Some.Avg300) >= pressureMin {
		f.Evidence = append(f.Evidence, fmt.Sprintf("its tasks waited for memory %.1f %% of the last minute, %.1f %% of five", p.Some.Avg60, p.Some.Avg300))
	}
	if row.PerSecond != nil && *row.PerSecond >= 1<<20 {
		f.Evidence = append(f.Evidence, "it grows by "+size(uint64(*row.PerSecond))+" per second")
	}
	if row.Shmem >= u.Limit/10 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s of it are tmpfs and shared memory: volumes in memory count, too", size(row.Shmem)))
	}
	if h := row.Heaviest; h != nil {
		f.Evidence = append(f.Evidence, fmt.Sprintf("process %d (%s) has %s resident", h.PID, h.Comm, size(h.RSS)))
		f.Remedy = append(f.Remedy, Step{Do: "see what it is", Run: whoisCommand(n, h.PID)})
	}
	f.Remedy = append(f.Remedy, higherMemoryLimit(n, owner, u.Limit))
	return f
}

func higherMemoryLimit(n *correlate.Node, o correlate.Owner, limit uint64) Step {
	switch {
	case o.Type == correlate.OwnerUnit && unitName.MatchString(o.Unit):
		return Step{Do: "if it needs so much, on the node", Run: fmt.Sprintf("systemctl set-property %s %s=%dM", o.Unit, memoryMax(n), limit>>19)}
	case o.Type == correlate.OwnerPod && o.Workload != "" && !o.Static:
		return Step{Do: fmt.Sprintf("if it needs so much: raise resources.limits.memory of the container in %s; else bound its heap or caches below the limit", o.Workload)}
	}
	return Step{Do: "if it needs so much: raise its memory limit; else bound its heap or caches below it"}
}
