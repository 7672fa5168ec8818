//go:build linux

package probe

import (
	"path"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	maxCronEntries = 8 // reported per process
	maxCronCommand = 512
	maxAncestors   = 64
)

// cron finds, for each asked process below a cron daemon, the line or script
// that started it. It is matched here and not by the reader, since what is
// compared may hold secrets, which stay on the node.
func (b *background) cron() {
	var files *cronFiles
	for _, p := range b.of {
		way := b.wayFromDaemon(p)
		if len(way) == 0 {
			continue
		}
		if files == nil {
			files = readCronFiles(b.root, b.bad, way[0].comm)
		}
		c := report.Cron{PID: p.PID, Daemon: way[0].pid, DaemonComm: report.Escape(way[0].comm)}
		user := p.Detail.UserName
		for _, e := range matchCron(way, files.jobs, user) {
			c.Entries = append(c.Entries, b.cronEntry(e))
		}
		b.out.Cron = append(b.out.Cron, c)
	}
}

func (b *background) cronEntry(m cronMatch) report.CronEntry {
	command := m.job.Command
	if !b.req.ShowSecrets {
		command = hostfs.RedactCommand(command)
	}
	return report.CronEntry{File: report.Escape(m.job.file), Line: m.job.Line, Schedule: report.Escape(m.job.Schedule),
		Zone: report.Escape(m.job.Zone), User: report.Escape(m.job.User), By: m.by, PID: m.pid,
		Command: report.Escape(command[:min(len(command), maxCronCommand)])}
}

// step is a process on the way from a daemon to the asked process.
type step struct {
	pid  int
	comm string
	args []string
}

// wayFromDaemon leads from the topmost cron daemon above p down to p. Where the
// daemon's job has left it behind (anacron and many a script do), the cgroup
// still tells: then the way begins with the unit's name and no process.
func (b *background) wayFromDaemon(p *report.Process) []step {
	var up []*report.Process
	daemon := -1
	for at := p; at != nil && len(up) < maxAncestors; at = b.byPID[at.PPID] {
		if up = append(up, at); at != p && isCronDaemon(at.Comm) && !contained(b.report.Processes, b.byPID[1], at) {
			daemon = len(up) - 1
		}
		if at.PPID == at.PID {
			break
		}
	}
	var way []step
	if daemon < 0 {
		unit := strings.TrimSuffix(b.cgroup(p).Unit(), ".service")
		if !isCronDaemon(unit) || isCronDaemon(p.Comm) {
			return nil
		}
		way = append(way, step{comm: unit})
		// What systemd itself started is the end: PID 1 and the like.
		if daemon = len(up); daemon > 1 && up[daemon-1].PID == 1 {
			daemon--
		}
	} else {
		way = append(way, step{pid: up[daemon].PID, comm: up[daemon].Comm})
	}
	for i := daemon - 1; i >= 0; i-- {
		s := step{pid: up[i].PID, comm: up[i].Comm}
		if line, err := b.proc.ReadPID(s.pid, "cmdline"); err == nil {
			s.args = hostfs.Args(line)
		} else if !hostfs.Gone(err) {
			b.bad.add("/proc/PID/cmdline", err)
		}
		way = append(way, s)
	}
	return way
}

// isCronDaemon: vixie's cron (Debian; its children are CRON), cronie's crond, …
func isCronDaemon(name string) bool {
	return slices.Contains([]string{"cron", "CRON", "crond", "anacron", "atd", "fcron"}, name)
}

// cronJob is a line with its file.
type cronJob struct {
	hostfs.CronLine
	file string
}

type cronFiles struct {
	root *hostfs.Root
	bad  unreadable
	// zones: the daemon minds CRON_TZ; Debian's cron has no such thing.
	zones bool
	jobs  []cronJob
	seen  map[string]bool // files, without links
}

const (
	maxCronFile = 256 << 10
	maxCronDir  = 1024 // names
	maxCronJobs = 10_000
)

// readCronFiles reads all crontabs of the node: Debian's, Red Hat's, SUSE's and
// busybox's places.
func readCronFiles(root *hostfs.Root, bad unreadable, daemon string) *cronFiles {
	c := &cronFiles{root: root, bad: bad, seen: map[string]bool{}}
	debian := daemon == "cron" || daemon == "CRON"
	if debian && len(c.names("/var/spool/cron/tabs")) > 0 { // SUSE calls cronie so
		debian, c.zones = false, true
	}
	c.zones = c.zones || daemon == "crond"
	c.add("/etc/crontab", "", true)
	takes := hostfs.CronieCronName
	if debian {
		takes = hostfs.LSBCronName
	}
	for _, name := range c.names("/etc/cron.d") {
		if takes(name) {
			c.add(path.Join("/etc/cron.d", name), "", true)
		}
	}
	for _, dir := range []string{"/var/spool/cron/crontabs", "/var/spool/cron", "/var/spool/cron/tabs", "/etc/crontabs"} {
		for _, user := range c.names(dir) {
			if !slices.Contains([]string{"crontabs", "tabs", "atjobs", "atspool", "lastrun"}, user) && hostfs.CronieCronName(user) {
				c.add(path.Join(dir, user), user, false)
			}
		}
	}
	c.addAnacron("/etc/anacrontab")
	return c
}

func (c *cronFiles) names(dir string) []string {
	resolved, err := c.root.Resolve(dir) // Alpine's leads to /etc/crontabs
	var names []string
	if err == nil {
		names, err = c.root.ReadDirNames(resolved, maxCronDir)
	}
	if err != nil && !hostfs.Gone(err) {
		c.bad.add(dir, err)
	}
	slices.Sort(names)
	return names
}

func (c *cronFiles) read(file string) []byte {
	b, resolved, err := c.root.ReadLinked(file, maxCronFile)
	if c.seen[resolved] {
		return nil
	}
	c.seen[resolved] = true
	if err != nil && !hostfs.Gone(err) {
		c.bad.add(file, err)
	}
	return b
}

func (c *cronFiles) add(file, user string, withUser bool) {
	for _, line := range hostfs.ParseCrontab(c.read(file), withUser) {
		if user != "" {
			line.User = user
		}
		c.keep(file, line)
	}
}

func (c *cronFiles) addAnacron(file string) {
	for _, line := range hostfs.ParseAnacrontab(c.read(file)) {
		line.User = "root"
		c.keep(file, line)
	}
}

func (c *cronFiles) keep(file string, line hostfs.CronLine) {
	if len(c.jobs) >= maxCronJobs {
		c.bad.add("crontabs", errTooMany)
		return
	}
	if !c.zones {
		line.Zone = ""
	}
	c.jobs = append(c.jobs, cronJob{line, file})
}
