//go:build linux

package probe

import (
	"path"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// cronMatch is a job that fits a process on the way.
type cronMatch struct {
	job cronJob
	by  string
	pid int
}

// matchCron goes down the way from the daemon:
//
//	crond ─ crond ─ sh -c "CMD" ─ …            the shell has the line's command
//	cron ─ cron ─ CMD                          the shell became the command
//	… ─ run-parts /etc/cron.daily ─ /etc/cron.daily/mlocate ─ …   a script in a directory
//
// Only where none of these fits, lines that mention a program on the way do.
func matchCron(way []step, jobs []cronJob, user string) []cronMatch {
	var found []cronMatch
	below, shell := way[1:], false
	for i, s := range below {
		// Below a shell with a command of its own runs whatever that says.
		if !shell || isShellCommand(s.args) {
			found = append(found, ofUser(byCommand(s, jobs), user)...)
		}
		shell = shell || isShellCommand(s.args)
		if dir := runPartsDir(s.args); dir != "" {
			found = append(found, scriptIn(dir, below[i:])...)
		}
	}
	line := slices.ContainsFunc(found, func(m cronMatch) bool { return m.job.Line > 0 })
	// SUSE's run-crons goes through the directories without saying so.
	if !slices.ContainsFunc(found, func(m cronMatch) bool { return m.by == report.CronByScript }) {
		found = append(found, scriptIn("", below)...)
	}
	if !line {
		found = append(mentions(below, found, jobs), found...)
	}
	return found[:min(len(found), maxCronEntries)]
}

// ofUser keeps the user's own lines where several users have the same.
func ofUser(list []cronMatch, user string) []cronMatch {
	var own []cronMatch
	for _, m := range list {
		if m.job.User == user {
			own = append(own, m)
		}
	}
	if len(own) > 0 {
		return own
	}
	return list
}

// byCommand finds the lines whose command a process has.
func byCommand(s step, jobs []cronJob) []cronMatch {
	var found []cronMatch
	shell := isShellCommand(s.args)
	for _, j := range jobs {
		switch {
		case shell && j.Whole != "" && strings.TrimSpace(s.args[2]) == j.Whole:
			j.Command = j.Whole
			found = append(found, cronMatch{j, report.CronByCommand, s.pid})
		case shell && strings.TrimSpace(s.args[2]) == j.Command:
			found = append(found, cronMatch{j, report.CronByCommand, s.pid})
		case !shell && sameArguments(s.args, strings.Fields(j.Command)):
			found = append(found, cronMatch{j, report.CronByArguments, s.pid})
		}
	}
	return found
}

func isShellCommand(args []string) bool {
	return len(args) >= 3 && args[1] == "-c" && isShell(path.Base(args[0]))
}

// sameArguments: a shell that was given one simple command becomes it. nice and
// the like go on as what they start, and a script stands behind its interpreter:
// so ends are compared, the program by its last name.
func sameArguments(args, words []string) bool {
	for i, w := range words {
		words[i] = strings.Trim(w, `"'`)
	}
	for skip := range min(2, len(args)) {
		got := args[skip:]
		if len(got) > len(words) || skip > 0 && len(got) < 2 && !strings.HasPrefix(got[0], "/") {
			continue
		}
		want := words[len(words)-len(got):]
		if path.Base(got[0]) == path.Base(want[0]) && slices.Equal(got[1:], want[1:]) && (len(got) > 1 || len(words) == 1 || path.IsAbs(want[0])) {
			return true
		}
	}
	return false
}

// runPartsDir is the directory that run-parts works through, "" for no run-parts.
func runPartsDir(args []string) string {
	for _, a := range args[:min(2, len(args))] {
		if last := args[len(args)-1]; path.Base(a) == "run-parts" && path.IsAbs(last) {
			return path.Clean(last)
		}
	}
	return ""
}

// scriptIn finds the first process on the way that is a file of dir, or with ""
// of one of the usual directories.
func scriptIn(dir string, way []step) []cronMatch {
	for _, s := range way {
		for _, a := range s.args[:min(3, len(s.args))] {
			in := path.Dir(path.Clean(a))
			if path.IsAbs(a) && (in == dir || dir == "" && strings.HasPrefix(in, "/etc/cron.") && in != "/etc/cron.d") {
				return []cronMatch{{cronJob{file: path.Clean(a)}, report.CronByScript, s.pid}}
			}
		}
	}
	return nil
}

// mentions are the lines whose command names a script's directory or a program
// on the way.
func mentions(way []step, scripts []cronMatch, jobs []cronJob) []cronMatch {
	var names []string
	for _, m := range scripts {
		names = append(names, path.Dir(m.job.file))
	}
	if len(names) == 0 {
		for _, s := range way {
			names = append(names, programs(s.args)...)
		}
	}
	var found []cronMatch
	for _, j := range jobs {
		words := strings.FieldsFunc(j.Command, func(r rune) bool { return strings.ContainsRune(" \t;|&(){}\"'", r) })
		if slices.ContainsFunc(names, func(name string) bool { return slices.Contains(words, name) }) {
			found = append(found, cronMatch{j, report.CronByMention, 0})
		}
	}
	return found
}

func isShell(name string) bool {
	return slices.Contains([]string{"sh", "bash", "dash", "ash", "ksh", "zsh", "env", "python", "python3", "perl"}, name)
}

// programs are the words by which a crontab may name a process.
func programs(args []string) []string {
	var names []string
	for i, a := range args[:min(2, len(args))] {
		base := path.Base(a)
		if (i == 0 || path.IsAbs(a)) && !isShell(base) && !isCronDaemon(base) {
			names = append(names, a)
		}
	}
	return names
}
