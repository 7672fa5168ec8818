package printer

import (
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/mattn/go-runewidth"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func taskCells(row correlate.TaskRow, s Style) []string {
	heaviest := ""
	if h := row.Heaviest; h.PID > 0 {
		heaviest = fmt.Sprintf("%d %s", h.PID, command(h.Comm, h.Cmdline, s))
		if row.PID == 0 && row.Processes > 1 {
			heaviest += fmt.Sprintf(" (%s)", humanize.Comma(int64(h.Threads)))
		}
	}
	container := containerCell(row.Owner)
	if container == "" {
		container = row.Container
	}
	return []string{humanize.Comma(int64(row.Tasks)), fmt.Sprintf("%.1f%%", row.Percent), countCell(row.Processes), ownerCell(row.Owner), container,
		rowWorkload(row.Owner), heaviest, taskLimitCell(row.Limit), countCell(row.Blocked), countCell(row.Zombies)}
}

func taskLimitCell(l *correlate.TaskLimitUse) string {
	if l == nil {
		return ""
	}
	if l.Percent < 1 {
		return "<1% of " + commaU(l.Max)
	}
	return fmt.Sprintf("%.0f%% of %s", l.Percent, commaU(l.Max))
}

// countCell leaves out what is none.
func countCell(n int) string {
	if n == 0 {
		return ""
	}
	return humanize.Comma(int64(n))
}

// command is the name, or where there is room the whole command line.
func command(comm, cmdline string, s Style) string {
	const most = 60 // cells
	if s.Wide && cmdline != "" {
		return runewidth.Truncate(cmdline, most, "…")
	}
	return comm
}

// tasksSection is a table below the ranking, with what it leaves out.
type tasksSection struct {
	columns []column
	rows    [][]string
	// most rows are shown, unless all are.
	most int
	what string
}

func (t tasksSection) print(w io.Writer, s Style) error {
	if len(t.rows) == 0 {
		return nil
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	return t.printBelow(w, s)
}

// shown is how many of its rows are.
func (t tasksSection) shown(s Style) int {
	if s.Top > 0 && !s.Wide {
		return min(t.most, s.Top, len(t.rows))
	}
	return len(t.rows)
}

// printBelow prints it below a line of its own.
func (t tasksSection) printBelow(w io.Writer, s Style) error {
	if len(t.rows) == 0 {
		return nil
	}
	shown := t.rows[:t.shown(s)]
	if p, ok := w.(*parts); ok {
		p.caption = captionOf(t.columns, t.what)
	}
	if err := printTable(w, t.columns, shown, s.tableWidth(), s.bold()); err != nil {
		return err
	}
	if left := len(t.rows) - len(shown); left > 0 {
		return s.printWrapped(w, "", s.dim()(fmt.Sprintf("… and %s more %s (--top 0 shows all)", humanize.Comma(int64(left)), t.what)))
	}
	return nil
}

func blockedSection(t correlate.NodeTasks, s Style) tasksSection {
	out := tasksSection{most: 20, what: "processes with such threads", columns: []column{{title: "BLOCKED", right: true}, {title: "FOR"}, {title: "OWNER", least: 18},
		{title: "CONTAINER", least: 9, drop: 1}, {title: "PROCESS", least: 12}, {title: "WAITS FOR", least: 14}, {title: "IN", least: 12, drop: 2}}}
	for _, b := range t.Blocked {
		out.rows = append(out.rows, []string{humanize.Comma(int64(b.Threads)), blockedFor(b), ownerCell(b.Owner), containerCell(b.Owner),
			fmt.Sprintf("%d %s", b.PID, command(b.Comm, b.Cmdline, s)), waitsForCell(b), b.Wchan})
	}
	return out
}

// waitsForCell: "the NFS server nas: pv-1 or pv-2".
func waitsForCell(b correlate.BlockedRow) string {
	text := b.WaitsFor
	if b.Server != "" {
		text += " " + b.Server
	}
	if len(b.Volumes) > 0 {
		text += ": " + strings.Join(b.Volumes, " or ")
	}
	return text
}

// blockedFor claims no more than two looks and the kernel's log can tell.
func blockedFor(b correlate.BlockedRow) string {
	text := fmt.Sprintf("≥ %.1fs", b.StayedSeconds)
	if b.Stayed == 0 {
		if text = "moments"; b.Retrying > 0 {
			text = "retries"
		}
	}
	switch {
	case b.Stayed > 0 && b.LoggedSeconds > 0:
		text += ", log " + humanSeconds(float64(b.LoggedSeconds))
	case b.Waiting() > 0 && b.SilentSeconds != nil:
		text += ", log " + humanSeconds(*b.SilentSeconds)
	}
	return text
}

func zombieSection(t correlate.NodeTasks, s Style) tasksSection {
	out := tasksSection{most: 10, what: "parents of zombies", columns: []column{{title: "ZOMBIES", right: true}, {title: "OWNER", least: 18}, {title: "CONTAINER", least: 9, drop: 1},
		{title: "NOT REAPED BY", least: 14}, {title: "OLDEST STARTED", drop: 2}, {title: "WERE", least: 12}}}
	for _, z := range t.Zombies {
		parent, oldest := "", ""
		if z.PID > 0 {
			parent = strings.TrimSpace(fmt.Sprintf("%d %s", z.PID, command(z.Comm, z.Cmdline, s)))
		}
		if z.OldestSeconds > 0 {
			oldest = humanSeconds(z.OldestSeconds) + " ago"
		}
		were := make([]string, 0, len(z.Commands))
		for _, c := range z.Commands {
			were = append(were, fmt.Sprintf("%s %s", humanize.Comma(int64(c.Count)), c.Name))
		}
		out.rows = append(out.rows, []string{humanize.Comma(int64(z.Count)), ownerCell(z.Owner), containerCell(z.Owner), parent, oldest, strings.Join(were, ", ")})
	}
	return out
}

func kernelSection(t correlate.NodeTasks) tasksSection {
	out := tasksSection{most: 8, what: "sorts of kernel threads", columns: []column{{title: "THREADS", right: true}, {title: "KERNEL THREADS", least: 14}, {title: "DEVICES", right: true},
		{title: "MOUNTED", right: true}, {title: "LEAKED", right: true}, {title: "D", right: true}, {title: "MOSTLY FOR", least: 16}}}
	for _, g := range t.Kernel {
		owners := make([]string, 0, len(g.Owners))
		for _, o := range g.Owners {
			owners = append(owners, fmt.Sprintf("%s %s", humanize.Comma(int64(o.Devices)), ownerCell(o.Owner)))
		}
		out.rows = append(out.rows, []string{humanize.Comma(int64(g.Threads)), g.Pattern, countCell(g.Devices), pointerCell(g.Mounted), pointerCell(g.Leaked),
			countCell(g.Blocked), strings.Join(owners, ", ")})
	}
	return out
}

func pointerCell(n *int) string {
	if n == nil {
		return ""
	}
	return humanize.Comma(int64(*n))
}

func deviceSection(t correlate.NodeTasks) tasksSection {
	out := tasksSection{most: 8, what: "devices with threads", columns: []column{{title: "THREADS", right: true}, {title: "DEVICE", least: 16}, {title: "MOUNTS", right: true, drop: 2},
		{title: "VOLUME", least: 12}, {title: "POD", least: 16}, {title: "STATE"}, {title: "AT", least: 24, drop: 1}}}
	for _, d := range t.Devices {
		pod := ""
		if d.Pod != nil {
			pod = ownerCell(*d.Pod)
		}
		out.rows = append(out.rows, []string{humanize.Comma(int64(d.Threads)), deviceName(d), pointerCell(d.Mounts), d.VolumeName, pod, string(d.State), devicePoint(d)})
	}
	return out
}

// devicePoint is where it is mounted. A filesystem that is kept without that is no
// mere device without a mount in the host's namespace.
func devicePoint(d correlate.TaskDevice) string {
	if d.Detached != "" {
		return d.Detached + " in use, mounted nowhere"
	}
	return d.Point
}

func deviceName(d correlate.TaskDevice) string {
	name := d.Name
	if d.DMName != "" {
		name += " (" + d.DMName + ")"
	}
	switch {
	case d.Gone:
		name += ", gone"
	case d.Guessed:
		name += "?"
	}
	return name
}
