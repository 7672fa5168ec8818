package diagnose

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

const (
	// A node that grows steadily and is half full is in sight of the limit
	// within fullSoon, and near it within fullVerySoon.
	nodeLimitInSight       = 50.0
	fullSoon, fullVerySoon = 6 * time.Hour, 30 * time.Minute
	causeShareMin          = 0.1 // of the node's open files: less explains nothing
)

// fdNodeLimit: the node's open files against fs.file-max. At the limit open(2),
// accept(2) and pipe(2) fail with ENFILE for all but CAP_SYS_ADMIN.
func fdNodeLimit(n *correlate.Node, earlier []Finding) []Finding {
	u := n.RankFDs(correlate.ByPod).Files
	if u == nil || u.Max == 0 {
		return nil
	}
	var full time.Duration
	if seconds, ok := u.Forecast(); ok && u.Percent >= nodeLimitInSight {
		full = time.Duration(min(seconds, 1e9) * float64(time.Second))
	}
	f := Finding{Severity: Warning, CausedBy: limitCauses(n, u, earlier)}
	switch {
	case u.Percent >= limitCritical, full > 0 && full <= fullVerySoon:
		f.Severity = Critical
	case u.Percent >= limitWarning, full > 0 && full <= fullSoon:
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
	if float64(fifos) >= causeShareMin*float64(u.Used) {
		causes = append(causes, ExecFIFOs)
	}
	if float64(unclosed) >= causeShareMin*float64(u.Used) {
		causes = append(causes, CloseWait)
	}
	return ids(earlier, append(causes, FDGrowth, FDNoTable)...)
}
