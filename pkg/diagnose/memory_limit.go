package diagnose

import (
	"fmt"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func limitHeld() Threshold {
	return percent(MemoryContainerLimit, "held", 90, "of a limit that no reclaim frees: a finding")
}
func limitWorkingSet() Threshold {
	return percent(MemoryContainerLimit, "working-set", 95, "of a limit that the working set has: a finding, if most of it is held")
}
func limitHeldNear() Threshold {
	return percent(MemoryContainerLimit, "mostly-held", 75, "of a limit that no reclaim frees: with less a large working set is none")
}

// Hardly anything is left for whatever comes next.
func limitFull() Threshold {
	return percent(MemoryContainerLimit, "full", 95, "of a limit that no reclaim frees: a finding, though nothing else is wrong")
}

// Less is what each reclaim of page cache costs.
func limitPressure() Threshold {
	t := percent(MemoryContainerLimit, "pressure", 1, "of the time tasks wait for memory in there: it is in trouble")
	t.Min = 0.01
	return t
}
func limitSoon() Threshold {
	return span(MemoryContainerLimit, "soon", 6*time.Hour, "until it is at its limit, by a long look: it is in trouble")
}
func limitVerySoon() Threshold {
	return span(MemoryContainerLimit, "very-soon", 10*time.Minute, "until it is at its limit: it is in trouble").upTo(limitSoon())
}

func memoryContainerLimitRule() Rule {
	return Rule{
		ID: MemoryContainerLimit, find: memoryContainerLimit,
		Title:      "a container, pod or unit comes near its memory limit",
		Thresholds: []Threshold{limitHeld(), limitWorkingSet(), limitHeldNear(), limitFull(), limitPressure(), limitSoon(), limitVerySoon()},
		Page: Page{
			Means: "At its limit the kernel first takes back what it can of the cgroup's page cache, again and again, which makes it slow; then it kills in it, whatever the node has left.",
			Computed: []string{
				"Usage without page cache, which is what no reclaim frees (anonymous memory, tmpfs, the kernel's), against the cgroup's limit: {held} or more are near it. So is a working set of {working-set} where {mostly-held} are held, and a cgroup that waits for memory with its OOM killer off (under_oom). Page cache alone fills any limit, and does no harm.",
				fmt.Sprintf("To be near a limit is no trouble by itself. It is a finding where the limit was hit or processes were killed for it since the cgroup was made, where tasks wait for memory in there for {pressure} of the time or more (PSI, the last one and five minutes), where {full} are held, or where it will be at its limit within {very-soon}, by a look of %s or longer within {soon}.", Seconds.Text(longLookSeconds)),
			},
			Source: []string{"memory.current, memory.max, memory.stat, memory.events, memory.pressure (v2); memory.usage_in_bytes, limit_in_bytes, failcnt, oom_control (v1)", "Documentation/admin-guide/cgroup-v2.rst: Memory"},
			Do: []string{
				"See whether it grows without end: kubectl nodedoc memory NODE --watch. A leak needs a fix, and a higher limit only delays it.",
				"Else bound its heap or caches below the limit, or raise resources.limits.memory.",
			},
			Fooled: []string{
				"A program that sizes its heap by its limit (a JVM, a database) is near it on purpose: with {full} held it is a finding all the same.",
				"Slab that could be freed counts as held on kernels that do not tell it apart.",
				"memory.high, which slows down and never kills, is no limit here.",
			},
		},
	}
}

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
		if u == nil || !atLimit(*u, limits) || !inTrouble(row, *u, m.Seconds, limits) || row.Owner.PodUID != "" && named[row.Owner.PodUID] && u.Container == "" || len(findings) == ownersNamedMax {
			continue
		}
		named[row.Owner.PodUID] = true
		findings = append(findings, memoryLimitFinding(n, row, *u, limits, earlier))
	}
	return findings
}

func atLimit(u correlate.MemoryLimitUse, limits Thresholds) bool {
	held := shareOf(u.Held, u.Limit)
	return u.UnderOOM || held >= limits.In(limitHeld()) || u.Percent >= limits.In(limitWorkingSet()) && held >= limits.In(limitHeldNear())
}

// inTrouble: to be near one's limit is no trouble by itself. A JVM has its heap made
// as large as the limit allows, on purpose, and stays there. It is where the kernel
// has had to reclaim or kill in there, tasks wait for memory, it grows towards its
// limit, or hardly anything is left.
func inTrouble(row correlate.MemoryRow, u correlate.MemoryLimitUse, seconds float64, limits Thresholds) bool {
	p := row.Pressure
	switch {
	case u.UnderOOM, u.AtLimit > 0, u.OOMKills > 0, shareOf(u.Held, u.Limit) >= limits.In(limitFull()):
		return true
	case p != nil && max(p.Some.Avg60, p.Some.Avg300) >= limits.In(limitPressure()):
		return true
	case row.PerSecond == nil || *row.PerSecond <= 0:
		return false
	}
	left := time.Duration(min(float64(u.Limit-min(u.Held, u.Limit)) / *row.PerSecond, 1e9) * float64(time.Second))
	return left <= limits.duration(limitVerySoon()) || seconds >= longLookSeconds && left <= limits.duration(limitSoon())
}

func memoryLimitFinding(n *correlate.Node, row correlate.MemoryRow, u correlate.MemoryLimitUse, limits Thresholds, earlier []Finding) Finding {
	owner := row.Owner
	f := Finding{Severity: Warning, Subject: &owner, CausedBy: causesOf(owner, earlier, MemoryGrowth),
		Summary:  fmt.Sprintf("%s has %.0f %% of the memory that it may have", Title(owner), u.Percent),
		Evidence: []string{fmt.Sprintf("working set %s of %s, of which %s cannot be reclaimed (%s)", correlate.Size(u.WorkingSet), correlate.Size(u.Limit), correlate.Size(u.Held), u.Path)}}
	if u.UnderOOM {
		f.Summary = Title(owner) + " waits for memory: it is at its limit, and nobody is killed"
	}
	if u.AtLimit > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("the limit was hit %s times since the cgroup was made", comma(u.AtLimit)))
	}
	if u.OOMKills > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s processes were killed in it for that", comma(u.OOMKills)))
	}
	if p := row.Pressure; p != nil && max(p.Some.Avg60, p.Some.Avg300) >= limits.In(limitPressure()) {
		f.Evidence = append(f.Evidence, fmt.Sprintf("its tasks waited for memory %.1f %% of the last minute, %.1f %% of five", p.Some.Avg60, p.Some.Avg300))
	}
	if row.PerSecond != nil && *row.PerSecond >= 1<<20 {
		f.Evidence = append(f.Evidence, "it grows by "+correlate.Size(uint64(*row.PerSecond))+" per second")
	}
	if row.Shmem >= u.Limit/10 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s of it are tmpfs and shared memory: volumes in memory count, too", correlate.Size(row.Shmem)))
	}
	if h := row.Heaviest; h != nil {
		f.Evidence = append(f.Evidence, fmt.Sprintf("process %d (%s) has %s resident", h.PID, h.Comm, correlate.Size(h.RSS)))
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
