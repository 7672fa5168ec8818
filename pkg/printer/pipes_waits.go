package printer

import (
	"cmp"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// pipeUserSection is there where more than one user is to be told apart.
func pipeUserSection(p correlate.NodePipes) tasksSection {
	section := tasksSection{most: 10, what: "users", columns: []column{{title: "PAGES", right: true}, {title: "PIPES", right: true}, {title: "OF LIMIT", right: true}, {title: "SMALL", right: true}, {title: "USER", least: 10}}}
	if len(p.Users) < 2 {
		return section
	}
	for _, u := range p.Users {
		name := u.Name
		if u.UID == 0 {
			name += " (root of all containers without a user namespace, too)"
		}
		section.rows = append(section.rows, []string{pagesCell(u.PipeCount), humanize.Comma(int64(u.Pipes)), percentCell(u.Percent), countCell(u.Small), name})
	}
	return section
}

func pipeWaitSection(p correlate.NodePipes, s Style) tasksSection {
	section := tasksSection{most: 20, what: "that wait in a pipe", columns: []column{{title: "WAITS", right: true}, {title: "FOR", drop: 1}, {title: "PROCESS", least: 14}, {title: "OWNER", least: 20}, {title: "CONTAINER", least: 9, drop: 4},
		{title: "PIPE", least: 12}, {title: "FILLED", drop: 3}, {title: "OTHER END", least: 14, drop: 2}}}
	for _, wait := range p.Waits {
		waits := "moments"
		if wait.StayedSeconds > 0 {
			waits = fmt.Sprintf("≥ %.1f s", wait.StayedSeconds)
		}
		what := "to " + cmp.Or(wait.Op, "read or write")
		pipe, filled, other := "", "", ""
		if wait.Pipe != nil {
			pipe, filled, other = wait.Pipe.Name, filledCell(wait.Pipe), otherPipeEnd(wait)
			if wait.FD != nil {
				pipe += fmt.Sprintf(" (fd %d)", *wait.FD)
			}
		}
		section.rows = append(section.rows, []string{waits, what, fmt.Sprintf("%d %s", wait.PID, cmp.Or(wait.Runtime, command(wait.Comm, wait.Cmdline, s))),
			ownerCell(wait.Owner), containerCell(wait.Owner), pipe, filled, other})
	}
	return section
}

func filledCell(p *correlate.PipeState) string {
	if p.Capacity == nil || p.Filled == nil {
		return "unknown"
	}
	text := fmt.Sprintf("%s of %s", correlate.Size(*p.Filled), correlate.Size(*p.Capacity))
	if p.Small {
		text += ", " + english.Plural(int(p.Pages), "page", "") + " only"
	}
	return text
}

// otherPipeEnd is who would have to read, or to write.
func otherPipeEnd(w correlate.PipeWait) string {
	found, more := "", 0
	for _, e := range w.Pipe.Ends {
		if e.PID == w.PID || w.Op == "write" && !e.Read || w.Op == "read" && !e.Write {
			continue
		}
		if found != "" {
			more++
			continue
		}
		found = fmt.Sprintf("%d %s", e.PID, e.Comm)
	}
	switch {
	case found == "" && w.Pipe.EndsLeft == 0:
		return "itself only"
	case more > 0:
		found += fmt.Sprintf(" and %d more", more)
	}
	return found
}
