package diagnose

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// causeShareMin of the node's open files: less explains nothing, in percent.
const causeShareMin = 10.0

func fdNodeWarning() Threshold {
	return warningAt(FDNodeLimit, "of fs.file-max in use").upTo(fdNodeCritical())
}
func fdNodeCritical() Threshold {
	return criticalAt(FDNodeLimit, "of fs.file-max in use")
}
func fdNodeInSight() Threshold {
	return percent(FDNodeLimit, "in-sight", 50, "of fs.file-max in use: from here on growth is foretold")
}
func fdNodeSoon() Threshold {
	return span(FDNodeLimit, "soon", 6*time.Hour, "until it is full at this rate: a finding")
}
func fdNodeVerySoon() Threshold {
	return span(FDNodeLimit, "very-soon", 30*time.Minute, "until it is full at this rate: critical").upTo(fdNodeSoon())
}

func fdNodeLimitRule() Rule {
	return Rule{
		ID: FDNodeLimit, find: fdNodeLimit,
		Title:      "the node's open files come near fs.file-max",
		Thresholds: []Threshold{fdNodeWarning(), fdNodeCritical(), fdNodeInSight(), fdNodeSoon(), fdNodeVerySoon()},
		Page: Page{
			Means: "The kernel has one limit for all open files of the machine. At it open(2), accept(2), pipe(2) and exec fail with ENFILE (\"too many open files in system\") for every process that lacks CAP_SYS_ADMIN, in every pod.",
			Computed: []string{
				"The first number of /proc/sys/fs/file-nr, what is allocated, against /proc/sys/fs/file-max. From {warning} on it is a finding, from {critical} on a critical one.",
				fmt.Sprintf("Where {in-sight} are in use, and no sample was lower than the one before for %s at least, what is free by the rate since the first sample is the time that is left: within {soon} that is a finding, within {very-soon} a critical one.", Seconds.Text(correlate.TrendSeconds)),
				fmt.Sprintf("It names as causes who grows and what is in no table, and exec sessions and unclosed connections where these hold %s of the node's open files or more.", Percent.Text(causeShareMin)),
			},
			Source: []string{"Documentation/admin-guide/sysctl/fs.rst: file-max & file-nr", "/proc/sys/fs/file-nr, /proc/sys/fs/file-max"},
			Do: []string{
				"Stop who holds them: kubectl nodedoc fd NODE ranks all owners, --sort growth those who gain.",
				"To win time raise fs.file-max, which needs no restart; a leak uses up that, too.",
			},
			Fooled: []string{
				"Open files are not descriptors: forks and dup share them, so that the sum of all descriptors may be above it or below.",
				"systemd 240 and later set fs.file-max to the largest number there is: it is never reached then, and the limits of processes are what counts.",
				"A burst at the moment of the look may be foretold as growth: look longer, by --interval 30s.",
			},
		},
	}
}

// fdNodeLimit: the node's open files against fs.file-max. At the limit open(2),
// accept(2) and pipe(2) fail with ENFILE for all but CAP_SYS_ADMIN.
func fdNodeLimit(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	u := n.RankFDs(correlate.ByPod).Files
	if u == nil || u.Max == 0 {
		return nil
	}
	var full time.Duration
	if seconds, ok := u.Trend(); ok && u.Percent >= limits.In(fdNodeInSight()) {
		full = time.Duration(min(seconds, 1e9) * float64(time.Second))
	}
	f := Finding{Severity: Warning, CausedBy: limitCauses(n, u, earlier)}
	switch {
	case u.Percent >= limits.In(fdNodeCritical()), full > 0 && full <= limits.duration(fdNodeVerySoon()):
		f.Severity = Critical
	case u.Percent >= limits.In(fdNodeWarning()), full > 0 && full <= limits.duration(fdNodeSoon()):
	default:
		return nil
	}
	f.Summary = fmt.Sprintf("the node uses %.1f %% of its open files", u.Percent)
	if full > 0 {
		f.Summary += ", full in " + duration.HumanDuration(full) + " at this rate"
	}
	f.Evidence = []string{fmt.Sprintf("fs.file-nr is %s of fs.file-max %s", humanize.Comma(int64(u.Used)), humanize.Comma(int64(u.Max)))}
	if u.Seconds > 0 {
		f.Evidence[0] += fmt.Sprintf(", %+.1f/s over %.1f s", u.PerSecond, u.Seconds)
	}
	f.Remedy = []Step{
		{Do: "stop who holds them, the top of the list: at the limit every open, accept and exec on the node fails"},
		{Do: "to win time, on the node", Run: fmt.Sprintf("sysctl -w fs.file-max=%d", 2*u.Max)},
	}
	return []Finding{f}
}

// limitCauses are the findings that explain a full node: whoever grows, what no
// table holds, and exec sessions and unclosed connections where they make up a
// good part of it.
func limitCauses(n *correlate.Node, u *correlate.FileUsage, earlier []Finding) []string {
	causes := []string{}
	fifos, unclosed := 0, 0
	for _, e := range n.ExecFIFOs() {
		fifos += e.Count
	}
	for _, pile := range n.SocketPiles(closeWaitState) {
		unclosed += pile.Count
	}
	least := causeShareMin / 100 * float64(u.Used)
	if float64(fifos) >= least {
		causes = append(causes, ExecFIFOs)
	}
	if float64(unclosed) >= least {
		causes = append(causes, CloseWait)
	}
	return ids(earlier, append(causes, FDGrowth, FDNoTable)...)
}
