package diagnose

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

const (
	growthOwnerMin = 500 // descriptors: fewer are no threat yet
	growthRateMin  = 0.5 // per second
	growthCountMin = 5.0 // descriptors: fewer come and go at any moment
	slowCountMin   = 15  // and of a rate below growthRateMin, in a longer look

	// Some programs open files for minutes after their start: a database its
	// tables, a JVM its libraries. These are of many sorts, while a leak piles
	// up one: in the first minutes only that is held against a process.
	warmUpSeconds  = 300.0
	leakShareOfOne = 0.5 // of a process's descriptors

	// A daemon of the host opens files for each container that starts: pipes,
	// a log, the shim's socket, pidfds, watches. More than this is not for them.
	descriptorsPerStart = 50

	// A shorter look may have caught a busy moment; the remedy says how to tell.
	longLookSeconds, longLook = 30.0, "30s"
)

// fdGrowth: owners that hold many descriptors and gain more while we look.
func fdGrowth(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	var findings []Finding
	ranking := n.RankFDs(correlate.ByContainer)
	started := n.StartedContainers(ranking.Seconds)
	for _, row := range ranking.Rows {
		if len(findings) == descriptorsPerFindingMax {
			break
		}
		if leaks(row, ranking.Seconds, started) {
			findings = append(findings, growthFinding(n, row, ranking.Seconds, earlier))
		}
	}
	return findings
}

// leaks: a runtime's many shims gain a few each while pods start; a leak is one
// process that holds many and gains more.
func leaks(row correlate.FDRow, seconds float64, started int) bool {
	by := row.Fastest
	switch {
	case by == nil, !by.Steady, by.Descriptors < growthOwnerMin,
		!grows(row.SettledPerSecond, seconds), !grows(float64(by.Gained)/seconds, seconds):
		return false
	case by.AgeSeconds > 0 && by.AgeSeconds < warmUpSeconds && !pilesUpOne(by):
		return false
	}
	return !isHost(row.Owner) || by.Gained > started*descriptorsPerStart
}

func pilesUpOne(by *correlate.Fastest) bool {
	return by.Mostly != nil && float64(by.Mostly.Count) >= leakShareOfOne*float64(by.Descriptors)
}

// grows tells a gain from the coming and going that every daemon has.
func grows(perSecond, seconds float64) bool {
	gained := perSecond * seconds
	return gained >= growthCountMin && (perSecond >= growthRateMin || seconds >= longLookSeconds && gained >= slowCountMin)
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
