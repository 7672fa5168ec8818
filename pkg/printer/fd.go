package printer

import (
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/mattn/go-runewidth"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// FD prints who holds a node's file descriptors.
func FD(w io.Writer, r correlate.FDRanking, findings []diagnose.Finding, s Style) error {
	if err := s.printWrapped(w, "", fdHead(r, findings, s)); err != nil {
		return err
	}
	shown := r.Rows
	if s.Top > 0 && len(shown) > s.Top {
		shown = shown[:s.Top]
	}
	var rows [][]string
	for _, row := range shown {
		rows = append(rows, fdCells(row, s))
	}
	if len(rows) == 0 {
		return unreadable(w, "", r.Gaps, s)
	}
	if err := printTable(w, fdColumns(), rows, s.tableWidth(), s.bold()); err != nil {
		return err
	}
	if err := fdRest(w, r, len(shown), s); err != nil {
		return err
	}
	return Findings(w, findings, s)
}

// fdHead is the line that says how far the node is from its limit.
func fdHead(r correlate.FDRanking, findings []diagnose.Finding, s Style) string {
	name := s.bold()(r.Node)
	u := r.Files
	switch {
	case u == nil:
		return name + ": the node's open files could not be read"
	case u.Unlimited():
		return fmt.Sprintf("%s: %s open files, no limit%s", name, humanize.Comma(int64(u.Used)), fdTrend(*u))
	}
	paint := s.bold()
	for _, f := range findings {
		if f.ID == diagnose.FDNodeLimit {
			paint = severityPaint(f.Severity, s)
		}
	}
	return fmt.Sprintf("%s: %s of %s open files (%s)%s", name, humanize.Comma(int64(u.Used)), humanize.Comma(int64(u.Max)),
		paint(fmt.Sprintf("%.1f %%", u.Percent)), fdTrend(*u))
}

func fdTrend(u correlate.FileUsage) string {
	if u.Seconds <= 0 {
		return ""
	}
	trend := fmt.Sprintf(", %s over %.1f s", rate(&u.PerSecond), u.Seconds)
	if full, ok := u.Forecast(); ok {
		trend += ", full in " + humanSeconds(full) + " at this rate"
	}
	return trend
}

func fdColumns() []column {
	return []column{
		{title: "FDS", right: true},
		{title: "SHARE", right: true, drop: 1},
		{title: "GROWTH", right: true, drop: 6},
		{title: "OWNER", least: 24},
		{title: "CONTAINER", least: 9, drop: 2},
		{title: "WORKLOAD", least: 10, drop: 4},
		{title: "HEAVIEST", least: 14, drop: 5},
		{title: "MOSTLY", least: 16, drop: 3},
	}
}

func fdCells(row correlate.FDRow, s Style) []string {
	return []string{
		humanize.Comma(int64(row.Descriptors)),
		fmt.Sprintf("%.1f%%", row.Percent),
		rate(row.PerSecond),
		ownerCell(row.Owner),
		rowContainer(row),
		rowWorkload(row.Owner),
		fmt.Sprintf("%d %s", row.Heaviest.PID, heaviestName(row.Heaviest, s)),
		mostlyCell(row),
	}
}

func heaviestName(h correlate.Heaviest, s Style) string {
	const most = 60 // cells; one long command line must not push the rest away
	if s.Wide && h.Cmdline != "" {
		return runewidth.Truncate(h.Cmdline, most, "…")
	}
	return h.Comm
}

// ownerCell names the owner, marked where the API server no longer knows it.
func ownerCell(o correlate.Owner) string {
	name := o.Name()
	switch o.PodState {
	case correlate.PodGone:
		return name + " (gone)"
	case correlate.PodReplaced:
		return name + " (gone, replaced)"
	}
	return name
}

func containerCell(o correlate.Owner) string {
	switch {
	case o.Type != correlate.OwnerPod:
		return ""
	case o.Sandbox:
		return "(sandbox)"
	case o.Container == "" && o.ContainerID != "":
		return correlate.ShortID(o.ContainerID)
	}
	return o.Container
}

// rowContainer: ranked by pod, the container that holds most of it.
func rowContainer(row correlate.FDRow) string {
	if own := containerCell(row.Owner); own != "" {
		return own
	}
	return row.Container
}

// rowWorkload: ranked by workload, the owner's name has it.
func rowWorkload(o correlate.Owner) string {
	if o.Type == correlate.OwnerWorkload {
		return ""
	}
	return o.Workload
}

func mostlyCell(row correlate.FDRow) string {
	m := row.Mostly
	if m == nil {
		return ""
	}
	// For sockets, pipes and anonymous inodes the kind says it all.
	if m.Pattern == "" || m.Pattern[0] != '/' {
		return fmt.Sprintf("%s %s", humanize.Comma(int64(m.Count)), m.Kind)
	}
	return fmt.Sprintf("%s %s %s", humanize.Comma(int64(m.Count)), m.Kind, m.Pattern)
}

// fdRest says what the table leaves out.
func fdRest(w io.Writer, r correlate.FDRanking, shown int, s Style) error {
	if rest := r.Rows[shown:]; len(rest) > 0 {
		sum := 0
		for _, row := range rest {
			sum += row.Descriptors
		}
		if err := s.printWrapped(w, "", s.dim()(fmt.Sprintf("… and %s more with %s descriptors (--top 0 shows all)",
			humanize.Comma(int64(len(rest))), humanize.Comma(int64(sum))))); err != nil {
			return err
		}
	}
	if r.Unread > 0 {
		if err := s.printWrapped(w, "unreadable  ", "the descriptors of "+english.Plural(r.Unread, "process", "processes")); err != nil {
			return err
		}
	}
	return unreadable(w, "", r.Gaps, s)
}

// rate is a growth per second: "+642/s", "-0.3/s", "0/s"; "" where unknown.
func rate(perSecond *float64) string {
	switch {
	case perSecond == nil:
		return ""
	case *perSecond > -0.05 && *perSecond < 0.05:
		return "0/s"
	case *perSecond > -10 && *perSecond < 10:
		return fmt.Sprintf("%+.1f/s", *perSecond)
	}
	return fmt.Sprintf("%+.0f/s", *perSecond)
}

// humanSeconds is "12s", "4m12s", "9h"; more than ten years are "years".
func humanSeconds(seconds float64) string {
	if seconds > 10*365*24*3600 {
		return "years"
	}
	return duration.HumanDuration(time.Duration(seconds * float64(time.Second)))
}
