package diagnose

import (
	"fmt"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

const (
	// A disk that is busy makes one or two threads wait for a moment. More at
	// once, or one for blockedLongSeconds, is more than that.
	blockedManyMin     = 5
	blockedLongSeconds = 10.0
	blockedEverywhere  = 50 // threads of one owner
)

// tasksBlocked: threads that did not run at all between two looks, in
// uninterruptible sleep: they wait for something that does not come.
func tasksBlocked(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	if n.Report.Tasks == nil {
		return nil
	}
	t := n.Tasks(correlate.TaskOptions{})
	findings := blockedKernel(n, &t)
	piles := blockedPiles(t.Blocked)
	for _, p := range piles {
		if len(findings) == tasksPerFindingMax {
			break
		}
		if p.alarms() {
			findings = append(findings, p.finding(n))
		}
	}
	return findings
}

// blockedPile is what waits of one owner for the same thing.
type blockedPile struct {
	owner    correlate.Owner
	waitsFor string
	threads  int
	seconds  float64
	logged   int64
	rows     []correlate.BlockedRow
}

func blockedPiles(rows []correlate.BlockedRow) []*blockedPile {
	var piles []*blockedPile
	for _, row := range rows {
		// The kernel's own wait for what programs' wait for.
		if row.Kernel || row.Stayed == 0 || row.WaitsFor == correlate.WaitsFreezer {
			continue
		}
		owner := withoutContainer(row.Owner)
		i := slices.IndexFunc(piles, func(p *blockedPile) bool { return p.owner == owner && p.waitsFor == row.WaitsFor })
		if i < 0 {
			i = len(piles)
			piles = append(piles, &blockedPile{owner: owner, waitsFor: row.WaitsFor})
		}
		p := piles[i]
		p.threads += row.Stayed
		p.seconds, p.logged = max(p.seconds, row.StayedSeconds), max(p.logged, row.LoggedSeconds)
		p.rows = append(p.rows, row)
	}
	slices.SortStableFunc(piles, func(a, b *blockedPile) int { return b.threads - a.threads })
	return piles
}

// alarms: who waits for a server or a daemon does not wait for so long on a
// healthy node, and one is enough.
func (p *blockedPile) alarms() bool {
	return p.seconds >= blockedLongSeconds || p.logged > 0 || p.threads >= blockedManyMin && p.waitsFor != correlate.WaitsVfork || remote(p.waitsFor)
}

func remote(waitsFor string) bool {
	switch waitsFor {
	case correlate.WaitsNFS, correlate.WaitsSMB, correlate.WaitsFUSE, correlate.WaitsCeph, correlate.Waits9P:
		return true
	}
	return false
}

func (p *blockedPile) finding(n *correlate.Node) Finding {
	what := p.waitsFor
	if what == "" {
		what = "something in the kernel"
	}
	owner := p.owner
	f := Finding{Severity: Warning, Subject: &owner,
		Summary: fmt.Sprintf("%s of %s %s for %s, for %.1f s at least", english.Plural(p.threads, "thread", ""), Title(owner), wait(p.threads), what, p.seconds)}
	for _, row := range p.rows[:min(holdersNamedMax, len(p.rows))] {
		f.Evidence = append(f.Evidence, blockedEvidence(row))
	}
	if more := len(p.rows) - holdersNamedMax; more > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("and %d more of its processes", more))
	}
	if p.threads >= blockedEverywhere || owner.Type == correlate.OwnerUnit && nodeHangsOn(trimService(owner.Unit)) {
		f.Severity = Critical
	}
	f.Remedy = []Step{{Do: "see what it is, and what it has open; kill -9 may not end it", Run: whoisCommand(n, p.rows[0].PID)}, blockedRemedy(p.waitsFor)}
	return f
}

func wait(threads int) string {
	if threads == 1 {
		return "waits"
	}
	return "wait"
}

func blockedEvidence(row correlate.BlockedRow) string {
	text := fmt.Sprintf("process %d (%s): %s in uninterruptible sleep (D)", row.PID, row.Comm, english.Plural(row.Stayed, "thread", ""))
	if row.Kernel {
		text = fmt.Sprintf("kernel thread %d (%s): in uninterruptible sleep (D)", row.PID, row.Comm)
	}
	if row.Wchan != "" {
		text += " in " + row.Wchan
	}
	text += fmt.Sprintf(", blocked for at least %.1f s", row.StayedSeconds)
	if row.LoggedSeconds > 0 {
		text += fmt.Sprintf("; the kernel's log says for more than %d seconds", row.LoggedSeconds)
	}
	return text
}

func blockedRemedy(waitsFor string) Step {
	switch waitsFor {
	case correlate.WaitsNFS, correlate.WaitsSMB, correlate.WaitsCeph, correlate.Waits9P:
		return Step{Do: "bring the server back or the network to it; else detach the mount with umount -f -l: touching it with ls, df or lsof hangs, too"}
	case correlate.WaitsFUSE:
		return Step{Do: "start the FUSE daemon anew (its pod, for a CSI driver); to free who waits: echo 1 >/sys/fs/fuse/connections/ID/abort, ID the minor number of the mount's device in /proc/self/mountinfo"}
	case correlate.WaitsVfork:
		return Step{Do: "see why its child neither runs its program nor ends: most likely it waits itself"}
	}
	return Step{Do: "look at the kernel's log for errors and hung tasks, and at the devices below", Run: "dmesg -T | tail -50"}
}
