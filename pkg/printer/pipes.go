package printer

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// Pipes prints who holds a node's pipes, and who waits in one.
func Pipes(w io.Writer, p correlate.NodePipes, findings []diagnose.Finding, s Style) error {
	if err := s.printWrapped(w, "", pipesHead(p, findings, s)); err != nil {
		return err
	}
	if f := p.Filter; f != nil {
		if err := s.printFilter(w, f, f.Matched, f.Of, f.Pipes, "pipe"); err != nil {
			return err
		}
	}
	if err := pipesRanking(w, p, s); err != nil {
		return err
	}
	for _, section := range []tasksSection{pipeUserSection(p), pipeWaitSection(p, s)} {
		if err := section.print(w, s); err != nil {
			return err
		}
	}
	if p.WaitsLeft+p.Unread > 0 {
		text := fmt.Sprintf("%s more that wait in a pipe, and the pipes of %s", humanize.Comma(int64(p.WaitsLeft)), english.Plural(p.Unread, "process", "processes"))
		if err := s.printWrapped(w, "not looked at  ", text); err != nil {
			return err
		}
	}
	if err := unreadable(w, "", p.Gaps, s); err != nil {
		return err
	}
	return Findings(w, findings, s)
}

// pipesHead says how near the fullest user is to the limit.
func pipesHead(p correlate.NodePipes, findings []diagnose.Finding, s Style) string {
	name := s.bold()(p.Node)
	pipes := 0
	for _, u := range p.Users {
		pipes += u.Pipes
	}
	all := fmt.Sprintf("%s of %s", english.Plural(pipes, "pipe", ""), english.Plural(len(p.Users), "user", ""))
	switch {
	case p.UserPagesSoft == nil:
		return fmt.Sprintf("%s: %s; this kernel does not limit a user's pipes", name, all)
	case *p.UserPagesSoft == 0:
		return fmt.Sprintf("%s: %s; a user's pipes are not limited (fs.pipe-user-pages-soft is 0)", name, all)
	case len(p.Users) == 0:
		return fmt.Sprintf("%s: no pipes; a user may have %s pages", name, commaU(*p.UserPagesSoft))
	}
	paint := s.bold()
	for _, f := range findings {
		if f.ID == diagnose.PipesUserLimit {
			paint = severityPaint(f.Severity, s)
			break
		}
	}
	u := p.Users[0]
	who := u.Name
	if u.Mapped != nil {
		who += fmt.Sprintf(" (%d in a user namespace)", u.Mapped.Inside+u.UID-u.Mapped.First)
	}
	return fmt.Sprintf("%s: %s; user %s has %s of %s pages (%s of fs.pipe-user-pages-soft)", name, all, who, pagesCell(u.PipeCount), commaU(*p.UserPagesSoft), paint(percentCell(u.Percent)))
}

func pipesRanking(w io.Writer, p correlate.NodePipes, s Style) error {
	shown := p.Rows
	if s.Top > 0 {
		shown = shown[:min(s.Top, len(shown))]
	}
	columns := []column{{title: "PAGES", right: true}, {title: "PIPES", right: true}, {title: "OF LIMIT", right: true, drop: 2}, {title: "SMALL", right: true},
		{title: "OWNER", least: 24}, {title: "CONTAINER", least: 9, drop: 3}, {title: "WORKLOAD", least: 10, drop: 5}, {title: "USER", drop: 4}, {title: "HEAVIEST", least: 14, drop: 6}}
	rows := make([][]string, 0, len(shown))
	for _, row := range shown {
		heaviest := ""
		if h := row.Heaviest; h.PID > 0 {
			heaviest = fmt.Sprintf("%d %s (%s)", h.PID, command(h.Comm, h.Cmdline, s), humanize.Comma(int64(h.Pipes)))
		}
		rows = append(rows, []string{pagesCell(row.PipeCount), humanize.Comma(int64(row.Pipes)), percentCell(row.Percent), countCell(row.Small),
			ownerCell(row.Owner), cmp.Or(containerCell(row.Owner), row.Container), rowWorkload(row.Owner), strings.Join(row.Users, ","), heaviest})
	}
	if len(rows) > 0 {
		if err := printTable(w, columns, rows, s.tableWidth(), s.bold()); err != nil {
			return err
		}
	}
	rest, sum := p.Rows[len(shown):], 0
	for _, row := range rest {
		sum += row.Pipes
	}
	if len(rest) == 0 {
		return nil
	}
	return s.printWrapped(w, "", s.dim()(fmt.Sprintf("… and %s more with %s pipes (--top 0 shows all)", humanize.Comma(int64(len(rest))), humanize.Comma(int64(sum)))))
}

// pagesCell marks an estimate.
func pagesCell(c correlate.PipeCount) string {
	if c.Estimated {
		return "~" + commaU(c.Pages)
	}
	return commaU(c.Pages)
}

func percentCell(percent float64) string {
	switch {
	case percent == 0:
		return ""
	case percent < 0.1:
		return "<0.1%"
	}
	return fmt.Sprintf("%.1f%%", percent)
}
