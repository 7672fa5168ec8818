package diagnose

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

const (
	growingMin  = 256 << 20 // of a process: less is no threat yet
	gainedMin   = 16 << 20  // between the looks: less comes and goes at any moment
	growWarmUp  = 300.0     // seconds: until then a program may fill its heap and caches
	growAnonMin = 0.5       // of its memory: the rest are mapped files, which can go

	// Gone within this time, as it goes. A short look has seen one step only: there
	// it counts where most is used already.
	goneSoon, goneVerySoon = 6 * time.Hour, 10 * time.Minute
	mostUsedPercent        = 75.0
)

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
		if len(findings) == memoryPerFindingMax {
			break
		}
		if named[g.Owner] || !memoryLeaks(m, g, room) {
			continue
		}
		named[g.Owner] = true
		findings = append(findings, memoryGrowthFinding(n, m, g, room))
	}
	return findings
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

func memoryLeaks(m correlate.NodeMemory, g correlate.MemoryGain, r room) bool {
	p := g.Process
	if !g.Steady || !r.falls || p.RSS < growingMin || g.Gained < gainedMin || float64(g.Anon) < growAnonMin*float64(p.RSS) {
		return false
	}
	if !isHost(g.Owner) && p.Age < growWarmUp {
		return false
	}
	left := goneIn(g, r, m.Seconds)
	if m.Seconds >= longLookSeconds {
		return left <= goneSoon
	}
	return left <= goneVerySoon && shareOf(r.of-r.left, r.of) >= mostUsedPercent
}

func goneIn(g correlate.MemoryGain, r room, seconds float64) time.Duration {
	return time.Duration(min(float64(r.left)/float64(g.Gained)*seconds, 1e9) * float64(time.Second))
}

func memoryGrowthFinding(n *correlate.Node, m correlate.NodeMemory, g correlate.MemoryGain, r room) Finding {
	owner, p := g.Owner, g.Process
	left := goneIn(g, r, m.Seconds)
	what := "the node's memory"
	if r.container {
		what = "its limit of " + size(r.of)
	}
	f := Finding{Severity: Warning, Subject: &owner,
		Summary:  fmt.Sprintf("process %d (%s) of %s grows by %s per second: %s is used up in %s at this rate", p.PID, p.Comm, Title(owner), size(uint64(float64(g.Gained)/m.Seconds)), what, duration.HumanDuration(left)),
		Evidence: []string{fmt.Sprintf("it gained %s in %.1f s and has %s; %s are left", size(g.Gained), m.Seconds, size(p.RSS), size(r.left))},
		Remedy:   []Step{{Do: "see what it is", Run: whoisCommand(n, p.PID)}}}
	if !r.container && left <= goneVerySoon {
		f.Severity = Critical
	}
	if m.Seconds < longLookSeconds {
		f.Remedy = append(f.Remedy, Step{Do: "see whether it goes on", Run: memoryCommand(n, "--sort growth --interval "+longLook)})
	}
	f.Remedy = append(f.Remedy, deletePod(owner, "to start it anew")...)
	return f
}
