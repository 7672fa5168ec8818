package printer

import (
	"fmt"
	"io"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// Tasks prints who has a node's processes and threads.
func Tasks(w io.Writer, t correlate.NodeTasks, findings []diagnose.Finding, s Style) error {
	if err := s.printWrapped(w, "", tasksHead(t, findings, s)); err != nil {
		return err
	}
	if f := t.Filter; f != nil {
		if err := s.printFilter(w, f, f.Matched, f.Of, f.Tasks, "thread"); err != nil {
			return err
		}
	}
	if err := tasksRanking(w, t, s); err != nil {
		return err
	}
	for _, section := range []tasksSection{blockedSection(t, s), zombieSection(t, s), kernelSection(t), deviceSection(t)} {
		if err := section.print(w, s); err != nil {
			return err
		}
	}
	if err := tasksRest(w, t, s); err != nil {
		return err
	}
	return Findings(w, findings, s)
}

// tasksHead is the line that says how far the node is from its limit.
func tasksHead(t correlate.NodeTasks, findings []diagnose.Finding, s Style) string {
	name := s.bold()(t.Node)
	of := fmt.Sprintf("%s in %s, %s the kernel's", humanize.Comma(int64(t.Threads)), english.Plural(t.Processes, "process", "processes"), humanize.Comma(int64(t.KernelThreads)))
	u := t.Usage
	if seen := uint64(t.Threads); t.KernelThreads == 0 && u != nil && u.Total > seen {
		of = fmt.Sprintf("%s in %s, %s outside of its pid namespace", humanize.Comma(int64(t.Threads)), english.Plural(t.Processes, "process", "processes"), commaU(u.Total-seen))
	}
	switch {
	case u == nil:
		return fmt.Sprintf("%s: %s; the node's total could not be read", name, of)
	case u.Limit == "":
		return fmt.Sprintf("%s: %s threads: %s; their limit could not be read", name, commaU(u.Total), of)
	}
	paint := s.bold()
	for _, f := range findings {
		if f.ID == diagnose.TasksNodeLimit {
			paint = severityPaint(f.Severity, s)
		}
	}
	return fmt.Sprintf("%s: %s of %s threads (%s of %s): %s", name, commaU(u.Total), commaU(u.Max), paint(fmt.Sprintf("%.1f %%", u.Percent)), u.Limit, of)
}

func commaU(n uint64) string { return humanize.Comma(int64(min(n, 1<<62))) }

func tasksRanking(w io.Writer, t correlate.NodeTasks, s Style) error {
	shown := t.Rows
	if s.Top > 0 {
		shown = shown[:min(s.Top, len(shown))]
	}
	owner := "OWNER"
	if t.By == correlate.ByUser {
		owner = "USER"
	}
	columns := []column{{title: "THREADS", right: true}, {title: "SHARE", right: true, drop: 1}, {title: "PROCESSES", right: true, drop: 3},
		{title: owner, least: ownerLeast(t.By)}, {title: "CONTAINER", least: 9, drop: 2}, {title: "WORKLOAD", least: 10, drop: 4},
		{title: "HEAVIEST", least: 14, drop: 6}, {title: "LIMIT", drop: 7}, {title: "D", right: true}, {title: "ZOMBIES", right: true}}
	rows := make([][]string, 0, len(shown))
	for _, row := range shown {
		rows = append(rows, taskCells(row, s))
	}
	if len(rows) > 0 {
		if err := printTable(w, columns, rows, s.tableWidth(), s.bold()); err != nil {
			return err
		}
	}
	rest, sum := t.Rows[len(shown):], 0
	for _, row := range rest {
		sum += row.Tasks
	}
	if len(rest) == 0 {
		return nil
	}
	return s.printWrapped(w, "", s.dim()(fmt.Sprintf("… and %s more with %s threads (--top 0 shows all)", humanize.Comma(int64(len(rest))), humanize.Comma(int64(sum)))))
}

// tasksRest says what the answer leaves out.
func tasksRest(w io.Writer, t correlate.NodeTasks, s Style) error {
	for _, left := range []struct {
		count int
		what  string
	}{{t.BlockedLeft, "more threads in uninterruptible sleep (D), too many to list"}, {t.ThreadsUnseen, "threads, whether any of them is in uninterruptible sleep"}} {
		if left.count > 0 {
			if err := s.printWrapped(w, "not looked at  ", fmt.Sprintf("%s %s", humanize.Comma(int64(left.count)), left.what)); err != nil {
				return err
			}
		}
	}
	return unreadable(w, "", t.Gaps, s)
}
