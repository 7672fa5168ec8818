//go:build linux

package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// background collects what whois-pid asks for, and compares it with its golden
// file.
func collectAsked(t *testing.T, name string, pids ...int) *correlate.Node {
	t.Helper()
	fs := plantFile(t, name)
	return askFS(t, fs, name, pids...)
}

func askFS(t *testing.T, fs hostfs.FS, name string, pids ...int) *correlate.Node {
	t.Helper()
	req := report.NewRequest(report.CollectProcesses, report.CollectBackground)
	req.PIDs = pids
	r := collect(t, fs, req)
	normalise(r)
	checkGolden(t, name, r)
	r.Node.Now = r.Node.BootTime + int64(r.Node.Uptime)
	return correlate.Join(r, nil)
}

func TestCronStartedIt(t *testing.T) {
	n := collectAsked(t, "v1-cron-rhel7", 900, 1337531, 7100, 7200, 7300, 7400, 8001)
	for pid, want := range map[int]string{
		900:     "",
		1337531: "anacron 5000: /etc/anacrontab:6 every day, 5 min delay root arguments, /etc/cron.daily/mlocate:0 script",
		7100:    "crond 900: /var/spool/cron/backup:1 0 2 * * * backup command",
		7200:    "crond 900, ambiguous: /etc/crontab:3 17 3 * * * root arguments, /etc/cron.d/again:2 17 4 * * 1-5 Europe/Berlin root arguments",
		7300:    "crond 900: ",
		7400:    "atd 7390: ",
		8001:    "", // a pod's own crond
	} {
		id, ok := n.Whois(pid)
		if got := cronText(id.Cron); !ok || got != want {
			t.Errorf("process %d:\n got %s\nwant %s", pid, got, want)
		}
	}
	id, _ := n.Whois(7100)
	if command := id.Cron.Entries[0].Command; strings.Contains(command, "hunter2") || !strings.Contains(command, "date +%F") {
		t.Errorf("got %q", command)
	}
}

func cronText(c *correlate.CronInfo) string {
	if c == nil {
		return ""
	}
	head := fmt.Sprintf("%s %d", c.Daemon.Comm, c.Daemon.PID)
	if c.Ambiguous {
		head += ", ambiguous"
	}
	var entries []string
	for _, e := range c.Entries {
		entries = append(entries, strings.Join(strings.Fields(fmt.Sprintf("%s:%d %s %s %s %s", e.File, e.Line, e.Schedule, e.Zone, e.User, e.By)), " "))
	}
	return head + ": " + strings.Join(entries, ", ")
}

func TestTimersSessionsAndDevices(t *testing.T) {
	fs := plantFile(t, "v2-timer-session")
	stamp := filepath.Join(fs.Root, "var/lib/systemd/timers/stamp-plocate-updatedb.timer")
	at := time.Unix(1_700_000_011, 0)
	if err := os.Chtimes(stamp, at, at); err != nil {
		t.Fatal(err)
	}
	n := askFS(t, fs, "v2-timer-session", 50, 51, 52, 53, 54, 55, 56, 3001, 3002, 3003, 3004, 3005, 3300, 4000)
	who := func(pid int) correlate.Identity {
		id, ok := n.Whois(pid)
		if !ok {
			t.Fatalf("no process %d", pid)
		}
		return id
	}
	timers := who(3300).Timers
	if len(timers) != 2 {
		t.Fatalf("got %+v", timers)
	}
	if got := timers[1]; got.Name != "plocate-updatedb.timer" || !got.Enabled || !got.Persistent || got.DelaySeconds != 12*3600 ||
		!slices.Equal(got.Triggers, []string{"OnCalendar=*-*-* 03:30", "OnCalendar=Sun *-*-* 12:00"}) ||
		!got.LastRun.Equal(at) || got.NextRun == nil || got.NextRun.UTC().Format(time.DateTime) != "2023-11-16 03:30:00" {
		t.Errorf("got %+v", got)
	}
	// Booted 1700000000 = 2023-11-14 22:13:20; 26 h later is the sooner.
	if got := timers[0]; got.Name != "after-boot@plocate-updatedb.timer" || got.NextRun == nil || got.NextRun.UTC().Format(time.DateTime) != "2023-11-16 00:13:20" || !strings.Contains(got.LastRunBy, "oldest process") {
		t.Errorf("got %+v, next %s", got, got.NextRun)
	}
	if got := who(3300).Siblings; len(got) != 1 || got[0].Comm != "ionice" {
		t.Errorf("siblings %+v", got)
	}
	for pid, want := range map[int]string{
		3001: "session-3.scope|Session 3 of User alice|/run/systemd/transient/session-3.scope|",
		3002: "masked.service||masked|",
		3003: "alias.service|The real one|/usr/lib/systemd/system/real.service|",
		3004: "initscript.service|LSB: an old one|/run/systemd/generator.late/initscript.service|/etc/init.d/initscript",
		3005: "getty@tty1.service|Getty on tty1|/usr/lib/systemd/system/getty@.service|",
	} {
		u := who(pid).Unit
		files := strings.Join(u.Files, ",")
		if u.Masked {
			files += "masked"
		}
		if got := u.Name + "|" + u.Description + "|" + files + "|" + u.Source; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	checkLogin(t, who(3001), who(3002), who(3003))
	checkDevices(t, who)
	if id := who(4000); id.Rights == nil || id.Rights.UIDInside == nil || *id.Rights.UIDInside != 0 || *id.UID != 100000 {
		t.Errorf("got %+v", id.Rights)
	}
}

// A user's unit is told by the node's files for all users, and never by the
// system's unit of that name. What is in a home is not read.
func TestUsersUnits(t *testing.T) {
	n := askFS(t, plantFile(t, "v2-timer-session"), "v2-users-units", 3400, 3402)
	backup, _ := n.Whois(3400)
	u := backup.Unit
	if u == nil || u.Name != "user@1000.service" || u.UserUnit != "backup.service" || u.User == nil || u.User.Description != "Back up the home" ||
		!slices.Equal(u.User.Files, []string{"/etc/systemd/user/backup.service"}) {
		t.Fatalf("got %+v", u)
	}
	var timers []string
	for _, timer := range backup.Timers {
		timers = append(timers, fmt.Sprint(timer.Name, timer.Triggers, timer.User, timer.Enabled, timer.LastRun.Unix()))
	}
	// Its own user's process, and not the other's that is older.
	started := int64(1_700_000_000 + 87_000)
	if want := []string{fmt.Sprint("again@x.timer[OnCalendar=weekly] true false ", started), fmt.Sprint("backup.timer[OnCalendar=hourly] true true ", started)}; !slices.Equal(timers, want) {
		t.Errorf("got %q, want %q", timers, want)
	}
	own, _ := n.Whois(3402)
	if u := own.Unit; u == nil || u.UserUnit != "sync.service" || u.User.Description != "" || len(u.User.Files)+len(own.Timers) > 0 {
		t.Errorf("got %+v, timers %+v", u, own.Timers)
	}
}

func checkLogin(t *testing.T, inSession, afterwards, nobody correlate.Identity) {
	t.Helper()
	s := inSession.Session
	if s == nil || s.ID != "3" || s.User != "alice" || s.TTY != "pts/0" || s.RemoteHost != "10.0.0.9" || s.Service != "sshd" || s.Leader != 3000 || s.Since == nil {
		t.Errorf("got %+v", s)
	}
	if l := afterwards.Login; l == nil || l.Name != "alice" || afterwards.Session == nil || afterwards.Session.ID != "3" {
		t.Errorf("sudo is alice's: got %+v, %+v", l, afterwards.Session)
	}
	if nobody.Login != nil || nobody.Session != nil {
		t.Errorf("got %+v, %+v", nobody.Login, nobody.Session)
	}
	r := inSession.Rights
	if !slices.Equal(r.Effective, []string{"NET_RAW"}) || !slices.Equal(r.Bounding, []string{"all"}) || len(r.Permitted) != 0 || r.Seccomp != "filter" || *r.NoNewPrivs ||
		*r.OOMScoreAdj != -500 || r.Label != "unconfined" || !slices.Equal(r.HostNamespaces, []string{"net"}) || !slices.Equal(r.OwnNamespaces, []string{"mnt"}) || len(r.Limits) != 2 || r.UIDInside != nil {
		t.Errorf("got %+v", r)
	}
}

func checkDevices(t *testing.T, who func(int) correlate.Identity) {
	t.Helper()
	for pid, want := range map[int]string{
		50: "vdfiw 252:2880 3 mounts, volume d-bp1, pod " + uidOf("db"),
		51: "vdfiw 252:2880 3 mounts, volume d-bp1, pod " + uidOf("db"),
		52: "nvme10n1p1 259:1 1 mounts guessed; nvme10n1p12 259:2 1 mounts guessed",
		53: "vdgone 252:99 1 mounts",
		54: "",
		55: `loop0 7:0 1 mounts file /var/lib/images/\x5cx1b[31mdisk.img`,
		56: "dm-0 253:0 1 mounts vg-lv",
	} {
		var parts []string
		for _, d := range who(pid).Devices {
			text := fmt.Sprintf("%s %s %d mounts", d.Name, d.Number, d.MountsTotal)
			if d.DMName != "" {
				text += " " + d.DMName
			}
			if d.BackingFile != "" {
				text += " file " + d.BackingFile
			}
			if d.Guessed {
				text += " guessed"
			}
			for _, m := range d.Mounts {
				if m.Pod != nil && !strings.Contains(text, "pod") {
					text += ", volume " + m.Volume.Volume + ", pod " + m.Pod.PodUID
				}
			}
			parts = append(parts, text)
		}
		if got := strings.Join(parts, "; "); got != want {
			t.Errorf("thread %d:\n got %s\nwant %s", pid, got, want)
		}
	}
	if notes := strings.Join(who(54).Notes, " "); !strings.Contains(notes, "6 devices are mounted") {
		t.Errorf("got %q", notes)
	}
}

// A timer's name is that of a file: what a terminal acts upon may stand in it.
func TestNamesOfTimersAreEscaped(t *testing.T) {
	const tree = `
-- proc/uptime --
100.00 1.00
-- proc/1 (process) --
comm init
parent 0
cgroup /init.scope
args init
-- proc/10 (process) --
comm web
cgroup /system.slice/web.service
args web
`
	timer := "\n-- root/etc/systemd/system/ESC[31m@web.timer --\n[Timer]\nOnCalendar=daily\nUnit=%i.service\n"
	fs := plant(t, tree+strings.ReplaceAll(timer, "ESC", "\x1b"))
	req := report.NewRequest(report.CollectProcesses, report.CollectBackground)
	req.PIDs = []int{10}
	timers := collect(t, fs, req).Background.Timers
	if len(timers) != 1 || timers[0].Name != `\x1b[31m@web.timer` || timers[0].Starts != "web.service" {
		t.Errorf("got %+v", timers)
	}
}

// FuzzMatchCron: whatever a process calls itself and whatever stands in a
// crontab, there is an answer, and a bounded one.
func FuzzMatchCron(f *testing.F) {
	f.Add("25 6 * * * root run-parts /etc/cron.daily\n@daily root x", "/bin/bash\x00/usr/bin/run-parts\x00/etc/cron.daily", "/bin/sh\x00-c\x00x")
	f.Add("* * * * * root /bin/x \"a b\" % in", "", "x\x00-c\x00")
	f.Fuzz(func(t *testing.T, crontab, parent, child string) {
		var jobs []cronJob
		for _, l := range hostfs.ParseCrontab([]byte(crontab), true) {
			jobs = append(jobs, cronJob{l, "/etc/crontab"})
		}
		way := []step{{comm: "cron"}, {pid: 2, args: hostfs.Args([]byte(parent))}, {pid: 3, args: hostfs.Args([]byte(child))}}
		if got := matchCron(way, jobs, "root"); len(got) > maxCronEntries {
			t.Errorf("%d entries", len(got))
		}
	})
}

// A cron in LXC has crontabs of its own, not the node's; where the node is that
// container, it is the node's.
func TestContainedInLXC(t *testing.T) {
	for _, c := range []struct {
		first, path string
		want        bool
	}{
		{"/init.scope", "/lxc.payload.web/system.slice/cron.service", true},
		{"/init.scope", "/lxc/101/ns/system.slice/cron.service", true},
		{"/init.scope", "/machine.slice/systemd-nspawn@web.service/payload/system.slice/cron.service", true},
		{"/init.scope", "/system.slice/cron.service", false},
		{"/init.scope", "/lxc.monitor.web", false},
		{"/lxc.payload.node-1/init.scope", "/lxc.payload.node-1/system.slice/cron.service", false},
		{"/lxc.payload.node-1/init.scope", "/", false},
		{"/lxc.payload.node-1/init.scope", "/lxc.payload.web/system.slice/cron.service", true},
	} {
		all := &report.Processes{Cgroups: []report.Cgroup{{Entries: []report.CgroupEntry{{Path: c.first}}}, {Entries: []report.CgroupEntry{{Path: c.path}}}}}
		if got := contained(all, &report.Process{Cgroup: 0}, &report.Process{Cgroup: 1}); got != c.want {
			t.Errorf("%s below %s: got %v", c.path, c.first, got)
		}
	}
}
