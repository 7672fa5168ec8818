package printer

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/mattn/go-runewidth"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// FDProcess prints one process's descriptors in full.
func FDProcess(w io.Writer, a correlate.ProcessFDs, findings []diagnose.Finding, s Style) error {
	if err := s.printWrapped(w, "", chain(a.Process)); err != nil {
		return err
	}
	lines := append([][2]string{{"node", a.Node}}, ownerLines(a.Process, s)...)
	for _, l := range append(lines, fdProcessLines(a, s)...) {
		if l[1] == "" {
			continue
		}
		if err := s.printWrapped(w, fmt.Sprintf("  %-10s ", l[0]), l[1]); err != nil {
			return err
		}
	}
	for _, n := range a.Process.Notes {
		if err := s.printWrapped(w, "  note       ", n); err != nil {
			return err
		}
	}
	if err := fdTargets(w, a, s); err != nil {
		return err
	}
	if err := fdSockets(w, a.Sockets, s); err != nil {
		return err
	}
	if err := unreadable(w, "", append(a.Process.Unreadable, a.Gaps...), s); err != nil {
		return err
	}
	return Findings(w, findings, s)
}

func fdProcessLines(a correlate.ProcessFDs, s Style) [][2]string {
	p, started := a.Process, ""
	if p.Started != nil {
		started = fmt.Sprintf("%s, %s ago", p.Started.Format(time.RFC3339), humanSeconds(p.AgeSeconds))
	}
	lines := [][2]string{{"command", runewidth.Truncate(p.Cmdline, commandShown, "…")}, {"state", p.State}, {"started", started}}
	if a.Descriptors == nil {
		return append(lines, [2]string{"fds", "none that can be read: " + noDescriptors(a)})
	}
	fds := s.bold()(humanize.Comma(int64(*a.Descriptors)))
	if a.PerSecond != nil {
		fds += fmt.Sprintf(", %s over %.1f s", rate(a.PerSecond), a.Seconds)
	}
	lines = append(lines, [2]string{"fds", fds}, [2]string{"limit", processLimit(a)}, [2]string{"kinds", kindsText(a.Kinds)})
	if hasFiles(a.Kinds) && a.FileTypes == nil {
		lines = append(lines, [2]string{"", fileHint})
	}
	lines = append(lines, inotifyLines(a)...)
	for _, e := range a.ExecFIFOs {
		lines = append(lines, [2]string{"exec FIFOs", fmt.Sprintf("%s of %s in %s: %s", humanize.Comma(int64(e.Count)),
			english.Plural(e.Sessions, "session", ""), diagnose.Title(e.Subject), e.Pattern)})
	}
	return lines
}

func noDescriptors(a correlate.ProcessFDs) string {
	switch {
	case a.Process.Owner.Type == correlate.OwnerKernel:
		return "a kernel thread has no table of them"
	case a.Process.State == "zombie":
		return "a zombie has closed them all"
	}
	return "see what is unreadable below"
}

// processLimit: the soft limit counts; the process may raise it to the hard one,
// and root that up to fs.nr_open.
func processLimit(a correlate.ProcessFDs) string {
	if a.Limit == nil {
		return ""
	}
	text := "no soft limit"
	if a.Limit.Soft != nil {
		text = fmt.Sprintf("%.1f %% of %s", a.Limit.Percent, limitText(a.Limit.Soft))
	}
	text += ", hard " + limitText(a.Limit.Hard)
	if a.PerProcessMax != nil {
		text += ", fs.nr_open " + limitText(a.PerProcessMax)
	}
	return text
}

func kindsText(kinds []report.Counted) string {
	parts := make([]string, 0, len(kinds))
	for _, k := range kinds {
		parts = append(parts, fmt.Sprintf("%s %s", humanize.Comma(int64(k.Count)), k.Name))
	}
	return strings.Join(parts, ", ")
}

// fileHint says what a kind named file may be. By its path alone nothing more is
// known.
const fileHint = `a "file" may be a named FIFO or a directory: --file-types tells`

func hasFiles(kinds []report.Counted) bool {
	return slices.ContainsFunc(kinds, func(k report.Counted) bool { return k.Name == "file" })
}

func inotifyLines(a correlate.ProcessFDs) [][2]string {
	if a.Inotify == nil {
		return nil
	}
	lines := [][2]string{{"inotify", fmt.Sprintf("%s with %s", english.Plural(a.Inotify.Instances, "instance", ""), english.Plural(a.Inotify.Watches, "watch", "watches"))}}
	if u := a.InotifyUser; u != nil {
		lines = append(lines, [2]string{"its user", fmt.Sprintf("%s has %s instances, %s watches", u.User,
			ofLimit(u.Instances, u.MaxInstances), ofLimit(u.Watches, u.MaxWatches))})
	}
	return lines
}

func ofLimit(used int, limit *uint64) string {
	if limit == nil {
		return humanize.Comma(int64(used))
	}
	return fmt.Sprintf("%s of %s", humanize.Comma(int64(used)), limitText(limit))
}

func fdTargets(w io.Writer, a correlate.ProcessFDs, s Style) error {
	shown, rest := a.Targets, 0
	if s.Top > 0 {
		shown = shown[:min(s.Top, len(shown))]
	}
	for _, k := range a.Kinds {
		rest += k.Count
	}
	rows := make([][]string, 0, len(shown))
	for _, t := range shown {
		rows = append(rows, []string{humanize.Comma(int64(t.Count)), t.Kind, t.Pattern})
		rest -= t.Count
	}
	if err := section(w, []column{{title: "FDS", right: true}, {title: "KIND", least: 8}, {title: "TARGET", least: 16}}, rows, s); err != nil {
		return err
	}
	if rest <= 0 || len(rows) == 0 {
		return nil
	}
	return s.printWrapped(w, "", s.dim()(fmt.Sprintf("… and %s of other targets", english.Plural(rest, "descriptor", ""))))
}

func fdSockets(w io.Writer, sockets []correlate.SocketRow, s Style) error {
	shown := sockets
	if s.Top > 0 {
		shown = sockets[:min(s.Top, len(sockets))]
	}
	rows := make([][]string, 0, len(shown))
	for _, g := range shown {
		rows = append(rows, []string{humanize.Comma(int64(g.Count)), g.Protocol, g.State, g.Local, g.Remote, otherEnd(g)})
	}
	if err := section(w, []column{{title: "SOCKETS", right: true}, {title: "PROTOCOL"}, {title: "STATE", drop: 3},
		{title: "LOCAL", least: 12, drop: 1}, {title: "REMOTE", least: 16}, {title: "OTHER END", least: 14, drop: 2}}, rows, s); err != nil {
		return err
	}
	if rest := len(sockets) - len(shown); rest > 0 {
		return s.printWrapped(w, "", s.dim()(fmt.Sprintf("… and %s more ways (--top 0 shows all)", humanize.Comma(int64(rest)))))
	}
	return nil
}

func otherEnd(g correlate.SocketRow) string {
	var parts []string
	if g.Peer != nil {
		parts = append(parts, fmt.Sprintf("%d %s", g.Peer.PID, g.Peer.Comm))
	}
	if g.PeerOwner != nil {
		parts = append(parts, ownerCell(*g.PeerOwner))
	}
	return strings.Join(parts, " of ")
}

// section is a table behind an empty line; none where it has no rows.
func section(w io.Writer, columns []column, rows [][]string, s Style) error {
	if len(rows) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return printTable(w, columns, rows, s.tableWidth(), s.bold())
}
