package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// A disk that is busy makes one or two threads wait for a moment. More at once, or one
// for longer, is more than that.
func blockedMany() Threshold {
	return atLeast(TasksBlocked, "threads", 5, "of one owner that wait for the same: a finding, however short")
}
func blockedLong() Threshold {
	return span(TasksBlocked, "long", 10*time.Second, "that a thread was seen to wait: a finding, though it be one")
}
func blockedEverywhere() Threshold {
	return atLeast(TasksBlocked, "critical-threads", 50, "of one owner that wait for the same: critical")
}

func tasksBlockedRule() Rule {
	return Rule{
		ID: TasksBlocked, find: tasksBlocked,
		Title:      "threads are blocked in uninterruptible sleep",
		Thresholds: []Threshold{blockedMany(), blockedLong(), blockedEverywhere()},
		Page: Page{
			Means: "A thread in uninterruptible sleep (D) waits in the kernel for something that must come: a disk, an NFS server, a FUSE daemon, a lock. No signal reaches it, at most SIGKILL, and it counts in the load average. What does not come is the culprit, not who waits.",
			Computed: []string{
				"Threads in state D at two looks (--interval apart) that were not switched to in between, by owner and by what the kernel function that they wait in (wchan) is about. It is a finding where they are {threads} or more, where one was seen to wait for {long} or longer, where the kernel's log tells of a hung task, and at once where they wait for a server or daemon: " +
					english.OxfordWordSeries(correlate.Remotes(), "or") + ". A vfork counts by its length only, a frozen container not at all.",
				"Of an NFS server that does not respond by the kernel's log, those count as well that were switched to three times a second at most: who waits for it wakes up with each timeout, and asks again.",
				"Of kernels that do not tell wchan, and of pages, which any filesystem waits for in the same functions, the functions that it came through tell (/proc/PID/task/TID/stack).",
				"Which server it is, and which volume, is told where the pod has mounted of one server only, or else the node; or of several one does not respond by the kernel's log. A pod with a hostPath volume may come to all that the node has mounted.",
				"It is critical for {critical-threads} threads or more, and for the units of " + english.OxfordWordSeries(nodeDaemons(), "and") + ".",
				"Kernel threads count where the log tells of a hung task, and those of a device where they wait for {long} or longer or the device is dead: others wait so for want of work on old kernels.",
			},
			Source: []string{"/proc/PID/task/TID: stat (state), wchan, stack, number of context switches", "net/sunrpc/clnt.c: \"nfs: server NAME not responding, still trying\", and \"OK\" once it does", "Documentation/admin-guide/sysctl/kernel.rst: hung_task_timeout_secs"},
			Do: []string{
				"See what it is and what it has open: kubectl nodedoc whois-pid. kill -9 may not end it.",
				"A server that is away: bring it or the network back, else umount -f -l. FUSE: start its daemon anew, or abort the connection. A disk: see the kernel's log, and the devices that the finding names.",
			},
			Fooled: []string{
				"How long it has waited before the first look nobody knows: look longer, by --interval 30s.",
				"A busy disk makes threads wait, too: with a short interval some may seem to stay that only were unlucky.",
				"Where neither wchan nor the stack is told, what they wait for is not known.",
				"The kernel's log says nothing of an NFS server before the mount's timeout has passed, by default three minutes over TCP. So long who connects again every few seconds is taken for one that works.",
			},
		},
	}
}

// tasksBlocked: threads that did not run at all between two looks, in
// uninterruptible sleep: they wait for something that does not come.
func tasksBlocked(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.Tasks == nil {
		return nil
	}
	t := n.Tasks(correlate.TaskOptions{})
	findings := blockedKernel(n, &t, limits)
	piles := blockedPiles(t.Blocked)
	for _, p := range piles {
		if len(findings) == ownersNamedMax {
			break
		}
		if p.alarms(limits) {
			f := p.finding(n, limits)
			if p.server != "" {
				f.CausedBy = ids(earlier, TasksServer)
			}
			findings = append(findings, f)
		}
	}
	return findings
}

// blockedPile is what waits of one owner for the same thing.
type blockedPile struct {
	owner    correlate.Owner
	waitsFor string
	server   string
	threads  int
	seconds  float64
	logged   int64
	rows     []correlate.BlockedRow
}

func blockedPiles(rows []correlate.BlockedRow) []*blockedPile {
	var piles []*blockedPile
	for _, row := range rows {
		// The kernel's own wait for what programs' wait for.
		if row.Kernel || row.Waiting() == 0 || row.WaitsFor == correlate.WaitsFreezer {
			continue
		}
		owner := withoutContainer(row.Owner)
		i := slices.IndexFunc(piles, func(p *blockedPile) bool {
			return p.owner == owner && p.waitsFor == row.WaitsFor && p.server == row.Server
		})
		if i < 0 {
			i = len(piles)
			piles = append(piles, &blockedPile{owner: owner, waitsFor: row.WaitsFor, server: row.Server})
		}
		p := piles[i]
		p.threads += row.Waiting()
		p.seconds, p.logged = max(p.seconds, row.StayedSeconds), max(p.logged, row.LoggedSeconds)
		p.rows = append(p.rows, row)
	}
	slices.SortStableFunc(piles, func(a, b *blockedPile) int { return b.threads - a.threads })
	return piles
}

// alarms: who waits for a server or a daemon does not wait for so long on a
// healthy node, and one is enough.
func (p *blockedPile) alarms(limits Thresholds) bool {
	return p.seconds >= limits.In(blockedLong()) || p.logged > 0 || p.threads >= limits.count(blockedMany()) && p.waitsFor != correlate.WaitsVfork || slices.Contains(correlate.Remotes(), p.waitsFor)
}

func (p *blockedPile) finding(n *correlate.Node, limits Thresholds) Finding {
	what := p.waitsFor
	if what == "" {
		what = "something in the kernel"
	}
	owner := p.owner
	f := Finding{Severity: Warning, Subject: &owner,
		Summary: fmt.Sprintf("%s of %s %s for %s%s", english.Plural(p.threads, "thread", ""), Title(owner), wait(p.threads), what, waitsOn(p.rows[0]))}
	if p.seconds > 0 && p.rows[0].SilentSeconds == nil {
		f.Summary += fmt.Sprintf(", for %.1f s at least", p.seconds)
	}
	for _, row := range p.rows[:min(holdersNamedMax, len(p.rows))] {
		f.Evidence = append(f.Evidence, blockedEvidence(row))
	}
	if more := len(p.rows) - holdersNamedMax; more > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("and %d more of its processes", more))
	}
	if p.threads >= limits.count(blockedEverywhere()) || owner.Type == correlate.OwnerUnit && nodeHangsOn(trimService(owner.Unit)) {
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
	text := fmt.Sprintf("process %d (%s): %s in uninterruptible sleep (D)", row.PID, row.Comm, english.Plural(row.Waiting(), "thread", ""))
	if row.Kernel {
		text = fmt.Sprintf("kernel thread %d (%s): in uninterruptible sleep (D)", row.PID, row.Comm)
	}
	if row.Wchan != "" {
		text += " in " + row.Wchan
	}
	if row.StayedSeconds > 0 {
		text += fmt.Sprintf(", blocked for at least %.1f s", row.StayedSeconds)
	} else {
		text += ", awake only to ask again"
	}
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
