package printer

import (
	"fmt"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// backgroundLines say who or what started a process.
func backgroundLines(i correlate.Identity, s Style) [][2]string {
	var lines [][2]string
	add := func(label, text string) { lines = append(lines, [2]string{label, text}) }
	if u := i.Unit; u != nil {
		add("named", u.Title)
		add("unit is", u.Description)
		if u.Slice != "" {
			add("slice", u.Slice)
		}
		if len(u.Files) > 0 {
			add("unit file", strings.Join(u.Files, ", "))
		}
		add("made from", u.Source)
		if u.UserUnit != "" {
			lines = append(lines, userUnitLines(u)...)
		}
		if u.Masked {
			add("masked", "it cannot be started again until systemctl unmask "+u.Name)
		}
	}
	for _, t := range i.Timers {
		lines = append(lines, timerLines(t, s)...)
	}
	lines = append(lines, cronLines(i.Cron, s)...)
	switch {
	case i.Session == nil:
	case i.Session.ID == "":
		add("manager of", sessionText(*i.Session))
	default:
		add("session", i.Session.ID+" of "+sessionText(*i.Session))
	}
	if l := i.Login; l != nil && i.Cron == nil && (i.Session == nil || i.Session.User != l.Name) {
		text := fmt.Sprintf("%s uid %d, by the audit subsystem: whoever it runs as now", l.Name, l.UID)
		add("logged in", strings.TrimSpace(text))
	}
	return lines
}

// userUnitLines: the node's files for all users are read, a user's own are not.
func userUnitLines(u *correlate.UnitInfo) [][2]string {
	text, file := u.UserUnit, ""
	switch {
	case u.User != nil && len(u.User.Files) > 0:
		if u.User.Description != "" {
			text += ": " + u.User.Description
		}
		file = strings.Join(u.User.Files, ", ") + "; one in the user's home would go before it, and is not read"
	case u.User != nil && u.User.Masked:
		file = "masked for all users"
	case !strings.HasSuffix(u.UserUnit, ".scope"): // a scope has none
		file = "none of the node's own; those in the user's home and /run/user are not read, nor timers there: as that user, systemctl --user cat tells"
	}
	return [][2]string{{"user unit", text}, {"its file", file}}
}

func timerLines(t correlate.TimerInfo, s Style) [][2]string {
	text := s.bold()(t.Name)
	if len(t.Triggers) > 0 {
		text += ": " + strings.Join(t.Triggers, ", ")
	}
	delay := ""
	if t.DelaySeconds > 0 {
		delay = ", up to " + humanSeconds(t.DelaySeconds) + " later"
	}
	text += delay
	if t.Persistent {
		text += ", persistent"
	}
	switch {
	case t.Enabled:
	case t.User:
		text += "; whether the user has enabled it is in the home, which is not read"
	default:
		text += "; not enabled, so it runs only where somebody started it"
	}
	last, next := t.LastRunBy, t.NextRunBy
	if t.LastRun != nil {
		last = zoned(*t.LastRun) + ", by " + t.LastRunBy
	}
	if t.NextRun != nil {
		next = zoned(*t.NextRun) + delay
		if t.NextRunBy != "" {
			next += "; " + t.NextRunBy
		}
	}
	lines := [][2]string{{"timer", text}, {"last run", last}, {"next run", next}}
	if s.Wide && len(t.Files) > 0 {
		lines = append(lines, [2]string{"timer file", strings.Join(t.Files, ", ")})
	}
	return lines
}

// zoned names the node's time zone beside the offset, where it has a name.
func zoned(t time.Time) string {
	text := t.Format(time.RFC3339)
	if name := t.Location().String(); name != "" && name != "UTC" && name != "Etc/UTC" && name != "Local" {
		text += " (" + name + ")"
	}
	return text
}

func cronLines(c *correlate.CronInfo, s Style) [][2]string {
	if c == nil {
		return nil
	}
	by := fmt.Sprintf("%s(%d)", c.Daemon.Comm, c.Daemon.PID)
	if c.Daemon.PID == 0 {
		by = c.Daemon.Comm + ", whose job has left its own shell behind"
	}
	if len(c.Entries) == 0 {
		if c.Daemon.Comm == "atd" {
			return [][2]string{{"at job", "started once by " + by + "; its text is in the spool of at, see atq and at -c"}}
		}
		return [][2]string{{"cron", "started by " + by + "; no line of the node's crontabs is exactly its command: it was changed since, or another program of that line started this one"}}
	}
	var lines [][2]string
	for _, e := range c.Entries {
		label, text := "cron", cronText(e, s)
		if e.Line == 0 {
			label = "script"
		} else if c.Ambiguous {
			text = "perhaps " + text
		}
		lines = append(lines, [2]string{label, text})
	}
	return lines
}

func cronText(e report.CronEntry, s Style) string {
	if e.Line == 0 {
		return s.bold()(e.File) + ", run by run-parts"
	}
	text := fmt.Sprintf("%s line %d: %s", s.bold()(e.File), e.Line, e.Schedule)
	if e.Zone != "" {
		text += " " + e.Zone
	}
	if e.User != "" {
		text += ", as " + e.User
	}
	if text += ": " + e.Command; e.By == report.CronByMention {
		text += " (it only mentions the program)"
	}
	return text
}

func sessionText(i correlate.SessionInfo) string {
	text := i.User
	if i.UID != "" {
		text = strings.TrimSpace(text + " uid " + i.UID)
	}
	if i.TTY != "" {
		text += " on " + i.TTY
	}
	if i.RemoteHost != "" {
		text += " from " + i.RemoteHost
	}
	if i.Service != "" {
		text += " by " + i.Service
	}
	if i.Since != nil {
		text += ", since " + zoned(*i.Since)
	}
	if i.State != "" {
		text += ", " + i.State
	}
	return text
}

// siblingsShown bounds what is shown of a cgroup; wide shows all that are known.
const siblingsShown = 8

func siblingLines(i correlate.Identity, s Style) [][2]string {
	shown := i.Siblings
	if !s.Wide {
		shown = shown[:min(len(shown), siblingsShown)]
	}
	var parts []string
	for _, sib := range shown {
		text := fmt.Sprintf("%s(%d)", chainName(sib.Comm), sib.PID)
		if sib.AgeSeconds > 0 {
			text += " " + humanSeconds(sib.AgeSeconds)
		}
		parts = append(parts, text)
	}
	if more := i.SiblingsTotal - len(shown); more > 0 && len(shown) > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return [][2]string{{"beside it", strings.Join(parts, ", ")}}
}
