package diagnose

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// growAnonMin of its memory, in percent: the rest are mapped files, which can go.
const growAnonMin = 50.0

func growingSize() Threshold {
	return ofBytes(MemoryGrowth, "size", largeMin, "of a process: less is no threat yet")
}
func growingGained() Threshold {
	return ofBytes(MemoryGrowth, "gained", 16<<20, "between the looks: less comes and goes at any moment")
}

// Until then a program may fill its heap and caches.
func growingWarmUp() Threshold {
	return span(MemoryGrowth, "warm-up", 5*time.Minute, "since the start of a pod's process: until then it is no finding")
}

// Gone within this time, as it goes. A short look has seen one step only: there it
// counts where most is used already.
func goneSoon() Threshold {
	return span(MemoryGrowth, "soon", 6*time.Hour, "until nothing is left, by a long look: a finding")
}
func goneVerySoon() Threshold {
	return span(MemoryGrowth, "very-soon", 10*time.Minute, "until nothing is left: a finding by a short look, too; critical where it is the node's memory").upTo(goneSoon())
}
func mostUsed() Threshold {
	return percent(MemoryGrowth, "used", 75, "of what there is in use: less is no finding by a short look")
}

func memoryGrowthRule() Rule {
	return Rule{
		ID: MemoryGrowth, find: memoryGrowth,
		Title:      "a process grows, and its limit or the node's memory will be used up",
		Thresholds: []Threshold{growingSize(), growingGained(), growingWarmUp(), goneSoon(), goneVerySoon(), mostUsed()},
		Page: Page{
			Means: "A process gained memory all the while, and at this rate its container's limit, or all that the node has, is used up soon. At the limit it is OOM-killed, alone; where the node runs out, the kubelet evicts pods or the kernel kills somebody, who need not be the culprit.",
			Computed: []string{
				fmt.Sprintf("Resident size at the beginning, the end and moments in between. A process counts that in no step lost any, gained {gained} or more, has {size} or more, of which %s are anonymous memory, and is older than %s, in a pod than {warm-up}; while what is left becomes less, too.", Percent.Text(growAnonMin), Seconds.Text(correlate.StartupSeconds)),
				"What is left, of its limit or by MemAvailable of the node, whichever is less, by what it gained in the time is when nothing is left. " +
					fmt.Sprintf("In a look of %s or longer a finding is within {soon}. In a shorter one it is within {very-soon}, and only where {used} are in use already.", Seconds.Text(longLookSeconds)),
				"It is critical where it is the node's memory that is gone within {very-soon}.",
				"In the same way files in memory (tmpfs) of {size} or more that are mapped by no process for the most part, and the kernel's own memory (slab that cannot be freed, page tables, stacks, per-CPU data) where it never became less.",
			},
			Source: []string{"/proc/PID/status: RssAnon (Linux 4.5), statm; /proc/meminfo: MemAvailable; memory.max, memory.limit_in_bytes"},
			Do: []string{
				"See whether it goes on: kubectl nodedoc memory NODE --sort growth --interval " + longLook + ", or --watch.",
				"Its owner knows what it caches: a heap dump or profile tells; a restart frees it.",
			},
			Fooled: []string{
				"A cache that fills, a JVM's heap before its next collection, a query that loads a table grow and stop by themselves.",
				"Memory that is swapped out at the same time, or shared with others, is not in the resident size.",
				"A leak slower than what comes and goes is seen by record and history only.",
			},
		},
	}
}

// memoryGrowth: a process that has grown while we looked, and will be at its limit,
// or the node's end, soon.
func memoryGrowth(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	total := memoryTotal(n)
	if total == 0 {
		return nil
	}
	m := n.Memory(correlate.MemoryOptions{By: correlate.ByContainer})
	named, rows := map[correlate.Owner]bool{}, map[correlate.Owner]*correlate.MemoryRow{}
	for i := range m.Rows {
		if row := &m.Rows[i]; row.Fullest != nil {
			rows[row.Owner] = row
		}
	}
	var findings []Finding
	for _, g := range n.MemoryGains() {
		room := roomOf(m, rows[g.Owner], total)
		if len(findings) == ownersNamedMax {
			break
		}
		if named[g.Owner] || !memoryLeaks(m, g, room, limits) {
			continue
		}
		named[g.Owner] = true
		findings = append(findings, memoryGrowthFinding(n, m, g, room, limits))
	}
	return append(append(findings, filesGrowth(m, total, limits)...), kernelGrowth(n, m, total, limits)...)
}

// room is what is left to a process: of its container's limit, or of the node.
type room struct {
	left, of  uint64
	container bool
	// falls: what is left becomes less, and not only this process larger.
	falls bool
}

// roomOf is for a process of row's; nil: no limit holds it.
func roomOf(m correlate.NodeMemory, row *correlate.MemoryRow, total uint64) room {
	r := room{left: total - min(m.Kernel.Used, total), of: total, falls: m.Kernel.AvailablePerSecond != nil && *m.Kernel.AvailablePerSecond < 0}
	if row == nil {
		return r
	}
	if u := row.Fullest; u.Limit-min(u.Held, u.Limit) < r.left {
		r = room{left: u.Limit - min(u.Held, u.Limit), of: u.Limit, container: true, falls: row.PerSecond != nil && *row.PerSecond > 0}
	}
	return r
}

func memoryLeaks(m correlate.NodeMemory, g correlate.MemoryGain, r room, limits Thresholds) bool {
	p := g.Process
	if !g.Steady || !r.falls || p.RSS < limits.bytes(growingSize()) || g.Gained < limits.bytes(growingGained()) || float64(g.Anon) < growAnonMin/100*float64(p.RSS) {
		return false
	}
	if !isHost(g.Owner) && p.Age < limits.In(growingWarmUp()) {
		return false
	}
	left := goneIn(g, r, m.Seconds)
	if m.Seconds >= longLookSeconds {
		return left <= limits.duration(goneSoon())
	}
	return left <= limits.duration(goneVerySoon()) && shareOf(r.of-r.left, r.of) >= limits.In(mostUsed())
}

func goneIn(g correlate.MemoryGain, r room, seconds float64) time.Duration {
	return time.Duration(min(float64(r.left)/float64(g.Gained)*seconds, 1e9) * float64(time.Second))
}

func memoryGrowthFinding(n *correlate.Node, m correlate.NodeMemory, g correlate.MemoryGain, r room, limits Thresholds) Finding {
	owner, p := g.Owner, g.Process
	left := goneIn(g, r, m.Seconds)
	what := "the node's memory"
	if r.container {
		what = "its limit of " + correlate.Size(r.of)
	}
	f := Finding{Severity: Warning, Subject: &owner,
		Summary:  fmt.Sprintf("process %d (%s) of %s grows by %s per second: %s is used up in %s at this rate", p.PID, p.Comm, Title(owner), correlate.Size(uint64(float64(g.Gained)/m.Seconds)), what, duration.HumanDuration(left)),
		Evidence: []string{fmt.Sprintf("it gained %s in %.1f s and has %s; %s are left", correlate.Size(g.Gained), m.Seconds, correlate.Size(p.RSS), correlate.Size(r.left))},
		Remedy:   []Step{{Do: "see what it is", Run: whoisCommand(n, p.PID)}}}
	if !r.container && left <= limits.duration(goneVerySoon()) {
		f.Severity = Critical
	}
	if m.Seconds < longLookSeconds {
		f.Remedy = append(f.Remedy, Step{Do: "see whether it goes on", Run: memoryCommand(n, "--sort growth --interval "+longLook)})
	}
	f.Remedy = append(f.Remedy, deletePod(owner, "to start it anew")...)
	return f
}
