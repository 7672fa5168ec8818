package diagnose

import (
	"cmp"
	"fmt"
	"time"

	"github.com/dustin/go-humanize/english"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// IDs of the rules about pipes.
const (
	PipesUserLimit      = "pipes-user-limit"
	PipesRuntimeBlocked = "pipes-runtime-blocked"
)

func pipesWarning() Threshold {
	return warningAt(PipesUserLimit, "of fs.pipe-user-pages-soft in use")
}

// Usually a runtime's program is done in milliseconds: one that writes for so long
// waits for nobody who will come.
func pipesSettled() Threshold {
	return span(PipesRuntimeBlocked, "age", 5*time.Second, "since a runtime's program was started: a finding, if it waits in a write")
}

// overLimit is where the kernel cuts a new pipe down, in percent of the soft limit.
const overLimit = 100.0

func pipesUserLimitRule() Rule {
	return Rule{
		ID: PipesUserLimit, find: pipesUserLimit,
		Title:      "a user has nearly all pipe buffers that one user may have",
		Thresholds: []Threshold{pipesWarning()},
		Page: Page{
			Means: fmt.Sprintf("One user may have fs.pipe-user-pages-soft pages in pipes, and root of all containers without a user namespace is one user. Above that a new pipe has 2 pages instead of %d: what writes more at once than the other end has read waits. runc %s hangs so for ever when it starts a container with a seccomp profile, and the kubelet's PLEG with it.", correlate.UsualPipePages, runcHanging),
			Computed: []string{
				fmt.Sprintf("Pages of all pipes of a user against fs.pipe-user-pages-soft: {warning} or more are a finding, from %s on it is critical. Pipes are told apart by their inode; one counts for the user of the process that was met first with it.", Percent.Text(overLimit)),
				fmt.Sprintf("The capacity is asked for by F_GETPIPE_SZ through a copy of the descriptor (pidfd_getfd, Linux 5.6) where a user is past half of the limit; else a pipe counts as %d pages, and the finding says \"up to\".", correlate.UsualPipePages),
			},
			Source: []string{"pipe(7): /proc/sys/fs/pipe-user-pages-soft; fcntl(2): F_GETPIPE_SZ; fs/pipe.c: alloc_pipe_info", "opencontainers/runc#2871, in " + runcCured + ": the seccomp filter is read from its pipe while it is written"},
			Do: []string{
				"See who makes so many pipes, and stop it: they are named with the finding.",
				"To win time raise fs.pipe-user-pages-soft: it helps pipes that are made from then on.",
			},
			Fooled: []string{
				"The kernel charges who made the pipe and tells nobody: a pipe that was handed to another user counts for the wrong one.",
				"Who has CAP_SYS_RESOURCE or CAP_SYS_ADMIN is above the limit: a privileged program's pipes stay large.",
				"A program may make its pipes larger or smaller (F_SETPIPE_SZ): where the capacity could not be asked for, the sum is an estimate.",
			},
		},
	}
}

func pipesRuntimeBlockedRule() Rule {
	return Rule{
		ID: PipesRuntimeBlocked, find: pipesRuntimeBlocked,
		Title:      "a program that starts containers hangs in a full pipe",
		Thresholds: []Threshold{pipesSettled()},
		Page: Page{
			Means: "runc, crun or a shim writes into a pipe that is full and that nobody reads. The runtime waits for it, and the kubelet for the runtime: its pod lifecycle event generator (PLEG) stands still and the node becomes NotReady. It is always critical.",
			Computed: []string{
				"A thread of runc, crun or a shim that waits in write on a pipe at two looks, did not run in between, and whose process was started {age} ago or earlier. Which call and which pipe is told by wchan and by the arguments of the system call.",
				"Where the pipe has two pages or fewer, the user's limit (" + PipesUserLimit + ") is named as the cause.",
			},
			Source: []string{"/proc/PID/task/TID/wchan, syscall, status (context switches); pipe(7)"},
			Do: []string{
				"Relief: read what it could not write, on the node as root: timeout 5 cat /proc/PID/fd/FD. It goes on, and nothing else is changed.",
				"Cure: runc " + runcCured + " or later.",
			},
			Fooled: []string{
				"A runtime's log driver that is slow makes a shim wait for a moment at a time: it runs in between, and is no finding.",
				"Where the kernel tells neither wchan nor the system call, the wait is not seen.",
			},
		},
	}
}

// pipesUserLimit: above pipe-user-pages-soft, a new pipe of the user has two pages
// instead of 16, pipe(7). What writes more at once than the other end reads waits:
// runc 1.0.0-rc93 for ever.
func pipesUserLimit(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	if n.Report.Pipes == nil {
		return nil
	}
	p := n.Pipes(correlate.PipeOptions{})
	var findings []Finding
	for _, u := range p.Users {
		if u.Percent < limits.In(pipesWarning()) || len(findings) == ownersNamedMax {
			continue
		}
		findings = append(findings, userLimitFinding(n, p, u))
	}
	return findings
}

func userLimitFinding(n *correlate.Node, p correlate.NodePipes, u correlate.PipeUser) Finding {
	f := Finding{Severity: Warning, Subject: &correlate.Owner{Type: correlate.OwnerUser, User: u.Name}}
	f.Summary = fmt.Sprintf("user %s has %s%.0f %% of the pipe buffers that one user may have: above that, new pipes are cut down to 2 pages", u.Name, upTo(u.PipeCount), u.Percent)
	if u.Percent >= overLimit {
		f.Severity = Critical
		f.Summary = fmt.Sprintf("user %s has %s%.0f %% of the pipe buffers that one user may have: its new pipes have 2 pages (%s) instead of 16", u.Name, upTo(u.PipeCount), u.Percent, correlate.Size(2*p.PageBytes))
	}
	f.Evidence = []string{fmt.Sprintf("%s pages in %s, fs.pipe-user-pages-soft is %s", comma(u.Pages), english.Plural(u.Pipes, "pipe", ""), comma(*p.UserPagesSoft))}
	if u.Estimated {
		f.Evidence = append(f.Evidence, "estimated: where the capacity could not be asked for, a pipe counts as 16 pages")
	}
	if u.UID == 0 {
		f.Evidence = append(f.Evidence, "root of all containers without a user namespace is this user: they share the limit; who has CAP_SYS_RESOURCE or CAP_SYS_ADMIN is above it")
	}
	if m := u.Mapped; m != nil {
		f.Evidence = append(f.Evidence, fmt.Sprintf("it is user %d of a user namespace that has the host's %d to %d (hostUsers: false): who is not in it has another limit", m.Inside+u.UID-m.First, m.First, m.First+m.Count-1))
	}
	if u.Small > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s have 2 pages or fewer already", english.Plural(u.Small, "pipe", "")))
	}
	for _, row := range u.Rows {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s holds %s pages in %s", Title(row.Owner), comma(row.Pages), english.Plural(row.Pipes, "pipe", "")))
	}
	if len(u.Rows) > 0 {
		f.Remedy = append(f.Remedy, Step{Do: "see who makes so many, and stop it", Run: whoisCommand(n, u.Rows[0].Heaviest.PID)})
	}
	f.Remedy = append(f.Remedy, Step{Do: "to win time, on the node; it helps pipes that are made from then on", Run: fmt.Sprintf("sysctl -w fs.pipe-user-pages-soft=%d", 2*max(*p.UserPagesSoft, u.Pages))})
	return f
}

func upTo(c correlate.PipeCount) string {
	if c.Estimated {
		return "up to "
	}
	return ""
}

// pipesRuntimeBlocked: a program that starts containers waits in a write, and the
// runtime for it, and the kubelet for the runtime: its pod lifecycle event
// generator (PLEG) stands still and the node becomes NotReady.
func pipesRuntimeBlocked(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.Pipes == nil {
		return nil
	}
	var findings []Finding
	pipes := n.Pipes(correlate.PipeOptions{})
	for _, w := range pipes.Waits {
		if w.Runtime == "" || w.Op != "write" || w.StayedSeconds == 0 || w.AgeSeconds < limits.In(pipesSettled()) || len(findings) == ownersNamedMax {
			continue
		}
		findings = append(findings, runtimeBlockedFinding(n, w, pipes.Programs, earlier))
	}
	return findings
}

func runtimeBlockedFinding(n *correlate.Node, w correlate.PipeWait, programs []report.RuntimeProgram, earlier []Finding) Finding {
	owner := w.Owner
	f := Finding{Severity: Critical, Subject: &owner,
		Summary: fmt.Sprintf("%s (process %d) of %s hangs: it writes into a full pipe that nobody reads", w.Runtime, w.PID, Title(owner))}
	waits := fmt.Sprintf("process %d (%s) waits in %s for at least %.1f s, and was started %s ago", w.PID, w.Comm, cmp.Or(w.Wchan, "a "+w.Op), w.StayedSeconds, duration.HumanDuration(time.Duration(w.AgeSeconds*float64(time.Second))))
	if w.FD != nil {
		waits += fmt.Sprintf(", on its descriptor %d", *w.FD)
	}
	f.Evidence = append(f.Evidence, waits, "the runtime waits for it, and the kubelet for the runtime: PLEG is not healthy, the node NotReady")
	f.Evidence = append(f.Evidence, runcEvidence(programs)...)
	if w.Pipe == nil || w.FD == nil {
		f.Remedy = []Step{{Do: "see what it is", Run: whoisCommand(n, w.PID)}}
		return f
	}
	f.Evidence = append(f.Evidence, pipeEvidence(*w.Pipe)...)
	if w.Pipe.Small {
		f.CausedBy = ids(earlier, PipesUserLimit)
	}
	const seconds = 5
	f.Remedy = []Step{
		{Do: fmt.Sprintf("relief, on the node as root: read what it could not write; it goes on, and nothing else is changed (ends after %d s)", seconds),
			Run: fmt.Sprintf("timeout %d cat /proc/%d/fd/%d >/dev/null", seconds, w.PID, *w.FD)},
		runcCure(programs),
	}
	return f
}

func pipeEvidence(p correlate.PipeState) []string {
	var lines []string
	switch {
	case p.Capacity == nil || p.Filled == nil:
		lines = append(lines, p.Name+": its capacity could not be asked for")
	case p.Small:
		lines = append(lines, fmt.Sprintf("%s has %s of %s bytes: %s instead of 16, as its user had too many", p.Name, comma(*p.Filled), comma(*p.Capacity), english.Plural(int(p.Pages), "page", "")))
	default:
		lines = append(lines, fmt.Sprintf("%s has %s of %s bytes", p.Name, comma(*p.Filled), comma(*p.Capacity)))
	}
	for i, e := range p.Ends {
		if i == holdersNamedMax {
			lines = append(lines, fmt.Sprintf("and %d more descriptors of it", len(p.Ends)-i+p.EndsLeft))
			break
		}
		lines = append(lines, fmt.Sprintf("held by process %d (%s) of %s as descriptor %d%s", e.PID, e.Comm, Title(e.Owner), e.FD, endMode(e)))
	}
	return lines
}

func endMode(e correlate.PipeEnd) string {
	switch {
	case e.Read && e.Write:
		return ", to read and write"
	case e.Read:
		return ", to read"
	case e.Write:
		return ", to write"
	}
	return ""
}
