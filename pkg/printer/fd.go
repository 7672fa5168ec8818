package printer

import (
	"fmt"
	"io"
	"slices"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// FD prints who holds a node's file descriptors.
func FD(w io.Writer, r correlate.FDRanking, findings []diagnose.Finding, s Style) error {
	if err := s.printWrapped(w, "", fdHead(r, findings, s)); err != nil {
		return err
	}
	if f := r.Filter; f != nil {
		if err := s.printFilter(w, f, f.Matched, f.Of, f.Descriptors, "descriptor"); err != nil {
			return err
		}
	}
	shown := r.Rows
	if s.Top > 0 && len(shown) > s.Top {
		shown = shown[:s.Top]
	}
	var rows [][]string
	for _, row := range shown {
		rows = append(rows, fdCells(row, s))
	}
	if len(rows) > 0 {
		if err := printTable(w, fdColumns(r.By), rows, s.tableWidth(), s.bold()); err != nil {
			return err
		}
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
	if r.FileTypes == nil && r.By == correlate.ByKind && slices.ContainsFunc(r.Rows, func(row correlate.FDRow) bool { return row.Owner.Kind == "file" }) {
		if err := s.printWrapped(w, "", s.dim()(fileHint)); err != nil {
			return err
		}
	}
	if err := fdInNoTable(w, r, s); err != nil {
		return err
	}
	if r.Unread > 0 {
		if err := s.printWrapped(w, "unreadable  ", "the descriptors of "+english.Plural(r.Unread, "process", "processes")); err != nil {
			return err
		}
	}
	return unreadable(w, "", r.Gaps, s)
}

// Fewer open files in no process's table, or a smaller share, are what opened
// and closed while we counted.
const (
	inNoTableMin     = 1000
	inNoTablePercent = 10.0
)

// fdInNoTable names what the ranking cannot explain, where that says something.
func fdInNoTable(w io.Writer, r correlate.FDRanking, s Style) error {
	if r.Files == nil || r.Files.InNoTable == nil {
		return nil
	}
	t := r.Files.InNoTable
	if t.Partial || t.AtLeast < inNoTableMin || t.Percent < inNoTablePercent {
		return nil
	}
	why := "mapped files, files in flight over unix sockets, io_uring's, the kernel's own"
	if r.Unread > 0 {
		why += ", those of unread processes"
	}
	return s.printWrapped(w, "", s.dim()(fmt.Sprintf("in no process's table: at least %s open files (%s)", humanize.Comma(int64(t.AtLeast)), why)))
}
