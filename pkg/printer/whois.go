package printer

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/mattn/go-runewidth"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Whois prints who processes are, a block each.
func Whois(w io.Writer, node string, list []correlate.Identity, gaps []report.Unreadable, s Style) error {
	for i, id := range list {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := whoisOne(w, node, id, s); err != nil {
			return err
		}
	}
	return unreadable(w, "", gaps, s)
}

func whoisOne(w io.Writer, node string, i correlate.Identity, s Style) error {
	if err := s.printWrapped(w, "", chain(i)); err != nil {
		return err
	}
	lines := append(ownerLines(i, s), backgroundLines(i, s)...)
	lines = append(lines, deviceLines(i.Devices, s)...)
	lines = append(lines, processLines(i)...)
	lines = append(lines, siblingLines(i, s)...)
	if s.Wide {
		lines = append(lines, rightsLines(i)...)
	}
	lines = append([][2]string{{"node", node}}, lines...)
	for _, l := range lines {
		if l[1] == "" {
			continue
		}
		if err := s.printWrapped(w, fmt.Sprintf("  %-10s ", l[0]), l[1]); err != nil {
			return err
		}
	}
	for _, n := range i.Notes {
		if err := s.printWrapped(w, "  note       ", n); err != nil {
			return err
		}
	}
	return unreadable(w, "  ", i.Unreadable, s)
}

// chain draws the way down from PID 1 as pstree -sp does; a thread stands in
// braces at its end.
func chain(i correlate.Identity) string {
	var parts []string
	for _, l := range i.Chain {
		parts = append(parts, fmt.Sprintf("%s(%d)", chainName(l.Comm), l.PID))
	}
	if i.Thread != nil {
		parts = append(parts, fmt.Sprintf("{%s}(%d)", chainName(i.Thread.Comm), i.Asked))
	}
	return strings.Join(parts, " ─ ")
}

// chainName quotes a name that could be read as a piece of the drawing.
func chainName(comm string) string {
	if strings.ContainsAny(comm, "─(){} ") || comm == "" {
		return fmt.Sprintf("%q", comm)
	}
	return comm
}

func ownerLines(i correlate.Identity, s Style) [][2]string {
	o := i.Owner
	lines := [][2]string{}
	switch o.Type {
	case correlate.OwnerPod:
		container := containerCell(o)
		if o.ContainerID != "" && o.Container != "" || o.Sandbox {
			container += " " + s.dim()(correlate.ShortID(o.ContainerID))
		}
		lines = append(lines, [2]string{"pod", s.bold()(strings.TrimPrefix(ownerCell(o), "pod "))}, [2]string{"container", container}, [2]string{"workload", o.Workload})
	case correlate.OwnerContainer:
		lines = append(lines, [2]string{"container", s.bold()(strings.TrimPrefix(o.Name(), "container ")) + ", of no pod"})
	case correlate.OwnerUnit:
		lines = append(lines, [2]string{"unit", s.bold()(o.Unit) + ", of the host"})
	case correlate.OwnerCgroup:
		lines = append(lines, [2]string{"host", s.bold()(o.Name())})
	case correlate.OwnerKernel:
		lines = append(lines, [2]string{"kernel", s.bold()("a kernel thread")})
	default:
		lines = append(lines, [2]string{"owner", s.bold()("unknown: its cgroup could not be read")})
	}
	if i.Shim != nil {
		lines = append(lines, [2]string{"shim of", i.Shim.Name()})
	}
	return append(lines, [2]string{"cgroup", i.Cgroup})
}

// commandShown bounds a command line in cells: -o json has all that was read.
const commandShown = 400

func processLines(i correlate.Identity) [][2]string {
	started := ""
	if i.Started != nil {
		started = fmt.Sprintf("%s, %s ago", i.Started.Format(time.RFC3339), humanSeconds(i.AgeSeconds))
	}
	user := i.User
	if i.UID != nil && user != fmt.Sprint(*i.UID) {
		user = strings.TrimSpace(fmt.Sprintf("%s uid %d", i.User, *i.UID))
	}
	if r := i.Rights; r != nil && r.UIDInside != nil {
		user += fmt.Sprintf(", uid %d inside its user namespace", *r.UIDInside)
	}
	fds := ""
	if i.FDs != nil {
		fds = humanize.Comma(int64(*i.FDs))
		if t := i.FDTop; t.Count > 0 {
			fds += fmt.Sprintf(", mostly %s", mostlyCell(correlate.FDRow{Mostly: &t}))
		}
	}
	inside := ""
	if i.PIDInContainer > 0 {
		inside = fmt.Sprint(i.PIDInContainer)
	}
	memory := ""
	if i.RSSBytes > 0 {
		memory = correlate.Size(uint64(i.RSSBytes)) + " resident"
	}
	thread := ""
	if i.Thread != nil {
		thread = fmt.Sprintf("%d %s, %s", i.Asked, i.Thread.Comm, i.Thread.State)
	}
	return [][2]string{
		{"thread", thread}, {"command", runewidth.Truncate(i.Cmdline, commandShown, "…")}, {"state", i.State}, {"user", user}, {"started", started},
		{"memory", memory}, {"threads", humanize.Comma(int64(i.Threads))}, {"fds", fds}, {"pid inside", inside},
		{"exe", i.Exe}, {"cwd", i.Cwd},
	}
}

// unreadable says what is missing from the answer, and why.
func unreadable(w io.Writer, indent string, list []report.Unreadable, s Style) error {
	for _, u := range list {
		if err := s.printWrapped(w, indent+"unreadable ", fmt.Sprintf("%s: %s%s", u.What, u.Cause, times(u.Count))); err != nil {
			return err
		}
	}
	return nil
}

// times is " (12 times)"; "" for once.
func times(n int) string {
	if n <= 1 {
		return ""
	}
	return fmt.Sprintf(" (%s times)", humanize.Comma(int64(n)))
}
