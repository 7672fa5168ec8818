package printer

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/mattn/go-runewidth"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// fdColumns are those of every ranking; what is empty in all rows is not shown.
func fdColumns(by correlate.By) []column {
	owner := "OWNER"
	switch by {
	case correlate.ByUser:
		owner = "USER"
	case correlate.ByKind:
		owner = "KIND"
	}
	return []column{
		{title: "FDS", right: true},
		{title: "SHARE", right: true, drop: 1},
		{title: "GROWTH", right: true, drop: 6},
		{title: owner, least: ownerLeast(by)},
		{title: "MOST BY", least: 14, drop: 7},
		{title: "CONTAINER", least: 9, drop: 2},
		{title: "WORKLOAD", least: 10, drop: 4},
		{title: "HEAVIEST", least: 14, drop: 5},
		{title: "LIMIT", drop: 1},
		{title: "MOSTLY", least: 16, drop: 3},
		{title: "KINDS", least: 16, drop: 1},
	}
}

// ownerLeast: names of users and kinds are short.
func ownerLeast(by correlate.By) int {
	if by == correlate.ByUser || by == correlate.ByKind {
		return 12
	}
	return 24
}

func fdCells(row correlate.FDRow, s Style) []string {
	return []string{
		humanize.Comma(int64(row.Descriptors)),
		fmt.Sprintf("%.1f%%", row.Percent),
		rate(row.PerSecond),
		rowOwner(row),
		mostBy(row.HeldMostBy),
		rowContainer(row),
		rowWorkload(row.Owner),
		fmt.Sprintf("%d %s", row.Heaviest.PID, heaviestName(row.Heaviest, s)),
		limitCell(row.Fullest, s),
		mostlyCell(row),
		kindsCell(row.Kinds, s),
	}
}

// rowOwner: users are told apart by their uid, of which two may have one name.
func rowOwner(row correlate.FDRow) string {
	if row.UID != nil && row.Owner.User != fmt.Sprint(*row.UID) {
		return fmt.Sprintf("%s (%d)", row.Owner.User, *row.UID)
	}
	return ownerCell(row.Owner)
}

func mostBy(o *correlate.Owner) string {
	if o == nil {
		return ""
	}
	return ownerCell(*o)
}

// limitCell is how much the fullest process has of its own limit.
func limitCell(u *correlate.LimitUse, s Style) string {
	if !s.Wide || u == nil {
		return ""
	}
	if u.Soft == nil {
		return "none"
	}
	return fmt.Sprintf("%.0f%% of %s", u.Percent, limitText(u.Soft))
}

func limitText(limit *uint64) string {
	if limit == nil {
		return "unlimited"
	}
	return humanize.Comma(int64(min(*limit, math.MaxInt64)))
}

// kindsShown of a row: the rest are few.
const kindsShown = 6

func kindsCell(kinds []report.Counted, s Style) string {
	if !s.Wide {
		return ""
	}
	var parts []string
	for _, k := range kinds[:min(kindsShown, len(kinds))] {
		parts = append(parts, fmt.Sprintf("%s %s", humanize.Comma(int64(k.Count)), k.Name))
	}
	if len(kinds) > kindsShown {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", ")
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
	// For pipes, anonymous inodes and sockets of no table the kind says it all:
	// "pipe:[…]", "anon_inode:inotify". Of other sockets the pattern is what they
	// do, and may have any text in it: a unix socket's name is its maker's.
	if m.Pattern == "" || m.Pattern == m.Kind+":[…]" || strings.HasPrefix(m.Pattern, "anon_inode:") {
		return fmt.Sprintf("%s %s", humanize.Comma(int64(m.Count)), m.Kind)
	}
	return fmt.Sprintf("%s %s %s", humanize.Comma(int64(m.Count)), m.Kind, m.Pattern)
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
