package diagnose

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

const (
	// leakShareOfOne of a process's descriptors, in percent: it piles up one sort.
	leakShareOfOne = 50.0

	// A shorter look may have caught a busy moment; the remedy says how to tell.
	longLookSeconds, longLook = 30.0, "30s"
)

func growthDescriptors() Threshold {
	return atLeast(FDGrowth, "descriptors", 500, "of one process: fewer are no threat yet")
}
func growthRate() Threshold {
	return Threshold{Name: FDGrowth + ".rate", Unit: PerSecond, Default: 0.5, Min: 0.001, Max: 1e6, Means: "descriptors gained: a finding"}
}
func growthGained() Threshold {
	return atLeast(FDGrowth, "gained", 5, "descriptors gained while looking: fewer come and go at any moment")
}
func growthSlowGained() Threshold {
	return atLeast(FDGrowth, "slow-gained", 15, "descriptors gained in a long look: a finding, however slowly")
}

// Some programs open files for minutes after their start: a database its tables, a
// JVM its libraries. These are of many sorts, while a leak piles up one: in the first
// minutes only that is held against a process.
func growthWarmUp() Threshold {
	return span(FDGrowth, "warm-up", 5*time.Minute, "since a process's start: until then only one that piles up one sort counts")
}

// A daemon of the host opens files for each container that starts: pipes, a log, the
// shim's socket, pidfds, watches. More than this is not for them.
func growthPerStart() Threshold {
	return atLeast(FDGrowth, "per-start", 50, "descriptors that a daemon of the host may gain for each container that starts")
}

func fdGrowthRule() Rule {
	return Rule{
		ID: FDGrowth, find: fdGrowth,
		Title:      "an owner gains descriptors all the while",
		Thresholds: []Threshold{growthDescriptors(), growthRate(), growthGained(), growthSlowGained(), growthWarmUp(), growthPerStart()},
		Page: Page{
			Means: "A process that holds many descriptors and gains more while it is looked at most likely leaks them. It ends at its own limit (EMFILE), or takes those of the whole node.",
			Computed: []string{
				"Descriptors are counted by the size of /proc/PID/fd (Linux 6.2 and later), else by listing it, at the beginning and the end of the sample and at moments in between. A finding is an owner whose fastest process holds {descriptors} or more, and in no step lost any, with more than half of the steps up.",
				fmt.Sprintf("Both the process and all of its owner's processes that are older than %s must have gained {gained} or more, at {rate} or faster; in a look of %s or longer {slow-gained} are enough, however slowly.",
					Seconds.Text(correlate.StartupSeconds), Seconds.Text(longLookSeconds)),
				fmt.Sprintf("In the first {warm-up} of a process's life it counts only where one sort of thing makes up %s of its descriptors. A daemon of the host is left out while it gains {per-start} or fewer for each container that has just started.", Percent.Text(leakShareOfOne)),
			},
			Source: []string{"proc_pid_fd(5): st_size is the number of open descriptors since Linux 6.2", "/proc/PID/stat: starttime"},
			Do: []string{
				"Look longer: kubectl nodedoc fd NODE --pid PID --interval " + longLook + " shows what it opens.",
				"What it mostly holds names the leak: sockets by their address, files by a pattern.",
			},
			Fooled: []string{
				"A short look may have caught a busy moment: a server under growing load, a cache that fills.",
				"A leak that is slower than what comes and goes is not seen in one look: kubectl nodedoc fd NODE --watch judges from the first sample on, and record keeps hours.",
				"A process that leaks and was started a minute ago is not held to it yet.",
			},
		},
	}
}

// fdGrowth: owners that hold many descriptors and gain more while we look.
func fdGrowth(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	var findings []Finding
	ranking := n.RankFDs(correlate.ByContainer)
	started := n.StartedContainers(ranking.Seconds)
	for _, row := range ranking.Rows {
		if len(findings) == ownersNamedMax {
			break
		}
		if leaks(row, ranking.Seconds, started, limits) {
			findings = append(findings, growthFinding(n, row, ranking.Seconds, earlier))
		}
	}
	return findings
}

// leaks: a runtime's many shims gain a few each while pods start; a leak is one
// process that holds many and gains more.
func leaks(row correlate.FDRow, seconds float64, started int, limits Thresholds) bool {
	by := row.Fastest
	switch {
	case by == nil, !by.Steady, by.Descriptors < limits.count(growthDescriptors()),
		!grows(row.SettledPerSecond, seconds, limits), !grows(float64(by.Gained)/seconds, seconds, limits):
		return false
	case by.AgeSeconds > 0 && by.AgeSeconds < limits.In(growthWarmUp()) && !pilesUpOne(by):
		return false
	}
	return !isHost(row.Owner) || by.Gained > started*limits.count(growthPerStart())
}

func pilesUpOne(by *correlate.Fastest) bool {
	return by.Mostly != nil && float64(by.Mostly.Count) >= leakShareOfOne/100*float64(by.Descriptors)
}

// grows tells a gain from the coming and going that every daemon has.
func grows(perSecond, seconds float64, limits Thresholds) bool {
	gained := perSecond * seconds
	return gained >= limits.In(growthGained()) && (perSecond >= limits.In(growthRate()) || seconds >= longLookSeconds && gained >= limits.In(growthSlowGained()))
}

func growthFinding(n *correlate.Node, row correlate.FDRow, seconds float64, earlier []Finding) Finding {
	owner, by := row.Owner, row.Fastest
	f := Finding{Severity: Warning, Subject: &owner,
		Summary: fmt.Sprintf("%s gains %.1f descriptors per second", Title(owner), row.SettledPerSecond),
		Evidence: []string{fmt.Sprintf("%s descriptors, %.0f %% of all; process %d (%s) gained %s of them in %.1f s and holds %s",
			humanize.Comma(int64(row.Descriptors)), row.Percent, by.PID, by.Comm, humanize.Comma(int64(by.Gained)), seconds, humanize.Comma(int64(by.Descriptors)))},
		Remedy: []Step{{Do: "see what it is", Run: whoisCommand(n, by.PID)}},
	}
	if m := by.Mostly; m != nil {
		f.Evidence = append(f.Evidence, fmt.Sprintf("mostly %s: %s × %s", m.Kind, humanize.Comma(int64(m.Count)), m.Pattern))
	}
	if seconds < longLookSeconds {
		f.Remedy = append(f.Remedy, Step{Do: "see what it opens, and whether it goes on", Run: fdCommand(n, by.PID, longLook)})
	}
	f.CausedBy = causesOf(owner, earlier, ExecFIFOs, CloseWait)
	return f
}
