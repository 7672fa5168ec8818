package hostfs

import (
	"bytes"
	"strings"
)

// CronLine is a job of a crontab(5).
type CronLine struct {
	Line     int    // from 1
	Schedule string // "25 6 * * *", "@daily"; of anacron "1 day, 5 min delay"
	User     string // of a system's crontab only
	Command  string // as the shell gets it
	// Whole is the command as busybox's crond gives it to the shell, which knows
	// nothing of '%'; "" where it is the same.
	Whole string
	// Zone is CRON_TZ (cronie) where it was set above the line.
	Zone string
}

// ParseCrontab reads a crontab:
//
//	SHELL=/bin/sh            a setting
//	-25 6 * * 1-5 root cmd % standard input   minute hour day month weekday [user] command
//	@daily  root cmd         @reboot, @hourly, …
//
// The user's column is in /etc/crontab and /etc/cron.d only. '%' ends the
// command, what follows is its input, '\%' is one. '-' before the minute is
// cronie's "do not log", '~' in a field its "any of this range".
func ParseCrontab(b []byte, withUser bool) []CronLine {
	var jobs []CronLine
	zone, number := "", 0
	for raw := range bytes.Lines(b) {
		number++
		line := strings.TrimSpace(string(raw))
		if line == "" || line[0] == '#' {
			continue
		}
		if !startsSchedule(line[0]) {
			if key, value, _ := strings.Cut(line, "="); strings.TrimSpace(key) == "CRON_TZ" {
				zone = strings.Trim(strings.TrimSpace(value), `"'`)
			}
			continue
		}
		if job, ok := parseCronJob(strings.TrimPrefix(line, "-"), withUser); ok {
			job.Line, job.Zone = number, zone
			jobs = append(jobs, job)
		}
	}
	return jobs
}

// startsSchedule tells a job from a setting: a name begins with a letter, '_' or
// a quote.
func startsSchedule(c byte) bool { return c >= '0' && c <= '9' || strings.IndexByte("*@-~", c) >= 0 }

func parseCronJob(line string, withUser bool) (CronLine, bool) {
	fields := 5
	if strings.HasPrefix(line, "@") {
		fields = 1
	}
	var job CronLine
	schedule, rest := cutFields(line, fields)
	job.Schedule = strings.Join(schedule, " ")
	if withUser {
		var user []string
		if user, rest = cutFields(rest, 1); len(user) > 0 {
			job.User = user[0]
		}
	}
	job.Command = cronCommand(rest)
	if job.Command != rest {
		job.Whole = rest
	}
	return job, job.Command != ""
}

// cutFields takes n words off a line.
func cutFields(line string, n int) (words []string, rest string) {
	for rest = line; n > 0; n-- {
		rest = strings.TrimLeft(rest, " \t")
		end := strings.IndexAny(rest, " \t")
		if end < 0 {
			end = len(rest)
		}
		if end > 0 {
			words = append(words, rest[:end])
		}
		rest = rest[end:]
	}
	return words, strings.TrimLeft(rest, " \t")
}

func cronCommand(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && s[i+1] == '%' {
			continue
		}
		if s[i] == '%' && (i == 0 || s[i-1] != '\\') {
			break
		}
		b.WriteByte(s[i])
	}
	return strings.TrimSpace(b.String())
}

// ParseAnacrontab reads anacrontab(5):
//
//	START_HOURS_RANGE=3-22
//	1         5      cron.daily  nice run-parts /etc/cron.daily    days, delay in minutes, name, command
//	@monthly  45     cron.monthly …
func ParseAnacrontab(b []byte) []CronLine {
	var jobs []CronLine
	number := 0
	for raw := range bytes.Lines(b) {
		number++
		line := strings.TrimSpace(string(raw))
		if line == "" || !startsSchedule(line[0]) {
			continue
		}
		words, command := cutFields(line, 3)
		if len(words) < 3 || command == "" {
			continue
		}
		period := "every " + words[0] + " days"
		switch {
		case words[0][0] == '@':
			period = words[0]
		case words[0] == "1":
			period = "every day"
		}
		jobs = append(jobs, CronLine{Line: number, Schedule: period + ", " + words[1] + " min delay", Command: command})
	}
	return jobs
}

// LSBCronName says whether Debian's cron and run-parts take a file of this name
// in /etc/cron.d or /etc/cron.daily: letters, digits, '_' and '-' only.
func LSBCronName(name string) bool {
	for _, c := range []byte(name) {
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return name != ""
}

// CronieCronName is LSBCronName for cronie, on Red Hat's: it leaves out what
// editors and rpm leave behind.
func CronieCronName(name string) bool {
	for _, suffix := range []string{"~", ".rpmsave", ".rpmorig", ".rpmnew", ".cfsaved", ".swp", ",v"} {
		if strings.HasSuffix(name, suffix) {
			return false
		}
	}
	return name != "" && name[0] != '.' && name[0] != '#'
}
