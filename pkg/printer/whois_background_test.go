package printer

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func hostIdentity(unit string, change func(*correlate.Identity)) correlate.Identity {
	i := correlate.Identity{Asked: 3300, PID: 3300, Chain: []correlate.Link{{PID: 1, Comm: "systemd"}, {PID: 3300, Comm: "updatedb"}},
		Owner: correlate.Owner{Type: correlate.OwnerUnit, Unit: unit}, Cgroup: "/system.slice/" + unit, Comm: "updatedb", Cmdline: "/usr/sbin/updatedb.plocate", State: "running", Threads: 1}
	change(&i)
	return i
}

func kernelIdentity(comm string, devices ...correlate.Device) correlate.Identity {
	return correlate.Identity{Asked: 50, PID: 50, Chain: []correlate.Link{{PID: 2, Comm: "kthreadd"}, {PID: 50, Comm: comm}},
		Owner: correlate.Owner{Type: correlate.OwnerKernel}, Comm: comm, State: "sleeping", Threads: 1, Background: correlate.Background{Devices: devices}}
}

func TestWhoisBackground(t *testing.T) {
	berlin := time.FixedZone("Europe/Berlin", 3600)
	at := func(s string) *time.Time {
		when, err := time.ParseInLocation(time.DateTime, s, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return &when
	}
	db := podOwner("db-0", "StatefulSet/db", correlate.PodKnown)
	mounted := func(point string, v *correlate.VolumePath, pod *correlate.Owner) correlate.MountedAt {
		return correlate.MountedAt{DeviceMount: report.DeviceMount{Point: point, FSType: "ext4"}, Volume: v, Pod: pod}
	}
	for name, list := range map[string][]correlate.Identity{
		"whois-timer": {hostIdentity("plocate-updatedb.service", func(i *correlate.Identity) {
			i.Unit = &correlate.UnitInfo{Name: "plocate-updatedb.service", Description: "Update the plocate database", Files: []string{"/usr/lib/systemd/system/plocate-updatedb.service"}}
			i.Timers = []correlate.TimerInfo{
				{Name: "plocate-updatedb.timer", Enabled: true, Triggers: []string{"OnCalendar=daily"}, Persistent: true, DelaySeconds: 12 * 3600,
					LastRun: at("2026-11-21 03:12:11"), LastRunBy: "the timer's stamp file", NextRun: at("2026-11-22 00:00:00")},
				{Name: "again.timer", Triggers: []string{"OnUnitInactiveSec=1h"}, LastRunBy: "unknown: the timer keeps no stamp file, and no process of plocate-updatedb.service is left", NextRunBy: "1h0m0s after the run that is on has ended"},
			}
			i.Siblings, i.SiblingsTotal = []correlate.Sibling{{PID: 3299, Comm: "ionice", AgeSeconds: 61}, {PID: 3301, Comm: "(odd) name"}}, 12
		})},
		"whois-escaped-unit": {
			hostIdentity(`serial-getty@ttyS0.service`, func(i *correlate.Identity) {
				i.Unit = &correlate.UnitInfo{Title: "serial-getty@.service for ttyS0", Slice: "serial-getty, below system", Description: "Serial Getty on ttyS0", Masked: true, Name: "serial-getty@ttyS0.service", Source: "/etc/init.d/getty"}
			}),
			hostIdentity(`user@1000.service`, func(i *correlate.Identity) {
				i.Unit = &correlate.UnitInfo{Title: "user@.service for 1000", UserUnit: "syncthing.service", User: &correlate.UnitInfo{Name: "syncthing.service"}}
				i.Session = &correlate.SessionInfo{User: "alice", UID: "1000", Since: at("2026-11-21 08:00:00"), State: "active"}
			}),
			hostIdentity(`user@1000.service`, func(i *correlate.Identity) {
				i.Unit = &correlate.UnitInfo{UserUnit: "backup.service", User: &correlate.UnitInfo{Name: "backup.service", Description: "Back up the home",
					Files: []string{"/etc/systemd/user/backup.service"}}}
				i.Timers = []correlate.TimerInfo{{Name: "backup.timer", User: true, Triggers: []string{"OnCalendar=hourly"}, LastRunBy: "unknown", NextRun: at("2026-11-22 00:00:00")}}
			}),
		},
		"whois-cron": {hostIdentity("crond.service", func(i *correlate.Identity) {
			i.Cron = &correlate.CronInfo{Daemon: correlate.Link{PID: 5000, Comm: "anacron"}, Entries: []report.CronEntry{
				{File: "/etc/anacrontab", Line: 9, Schedule: "every day, 5 min delay", User: "root", Command: "nice run-parts /etc/cron.daily", By: report.CronByCommand, PID: 5010},
				{File: "/etc/cron.daily/mlocate", By: report.CronByScript, PID: 5020}}}
			i.Notes = []string{"its working directory lies in a directory of pod prod/db-0, but its cgroup says crond.service: the pod is not to blame"}
		})},
		"whois-cron-unsure": {
			hostIdentity("cron.service", func(i *correlate.Identity) {
				i.Cron = &correlate.CronInfo{Ambiguous: true, Daemon: correlate.Link{PID: 900, Comm: "cron"}, Entries: []report.CronEntry{
					{File: "/etc/crontab", Line: 3, Schedule: "17 3 * * *", User: "root", Command: "twice --now", By: report.CronByArguments},
					{File: "/etc/cron.d/again", Line: 2, Schedule: "17 4 * * 1-5", Zone: "Europe/Berlin", User: "root", Command: "x | twice", By: report.CronByMention}}}
			}),
			hostIdentity("cron.service", func(i *correlate.Identity) { i.Cron = &correlate.CronInfo{Daemon: correlate.Link{Comm: "cron"}} }),
			hostIdentity("atd.service", func(i *correlate.Identity) { i.Cron = &correlate.CronInfo{Daemon: correlate.Link{PID: 7, Comm: "atd"}} }),
		},
		"whois-session": {
			hostIdentity("session-3.scope", func(i *correlate.Identity) {
				i.Session = &correlate.SessionInfo{ID: "3", User: "alice", UID: "1000", TTY: "pts/0", RemoteHost: "10.0.0.9", Service: "sshd", State: "active", Since: at("2026-11-21 08:00:00")}
			}),
			hostIdentity("myscope.scope", func(i *correlate.Identity) { i.Login = &correlate.Login{UID: 1000, Name: "alice"} }),
		},
		"whois-kernel-thread": {
			kernelIdentity("jbd2/vdfiw-8", correlate.Device{Name: "vdfiw", Number: "252:2880", MountsTotal: 7, Mounts: []correlate.MountedAt{
				mounted("/var/lib/kubelet/plugins/kubernetes.io/csi/pv/d-bp1iau7367wkpf6xqdpv/globalmount", &correlate.VolumePath{Volume: "d-bp1iau7367wkpf6xqdpv", Plugin: "csi", Global: true}, nil),
				mounted("/var/lib/kubelet/pods/"+podUID+"/volumes/kubernetes.io~csi/d-bp1iau7367wkpf6xqdpv/mount", &correlate.VolumePath{Volume: "d-bp1iau7367wkpf6xqdpv", Plugin: "kubernetes.io~csi", PodUID: podUID}, &db),
				mounted("/a", nil, nil), mounted("/b", nil, nil), mounted("/c", nil, nil)}}),
			kernelIdentity("loop0", correlate.Device{Name: "loop0", Number: "7:0", BackingFile: "/var/lib/disk.img"}),
			kernelIdentity("jbd2/nvme10n1p1", correlate.Device{Name: "nvme10n1p1", Number: "259:1", Guessed: true, MountsTotal: 1, Mounts: []correlate.MountedAt{mounted("/", nil, nil)}},
				correlate.Device{Name: "dm-0", DMName: "vg-lv", Number: "259:2", Guessed: true}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, func(t *testing.T, s Style) string { return whoisText(t, list, s) })
		})
	}
}

func whoisText(t *testing.T, list []correlate.Identity, s Style) string {
	t.Helper()
	var b bytes.Buffer
	if err := Whois(&b, "node-43", list, nil, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWhoisWide(t *testing.T) {
	i := javaIdentity()
	i.Listening = []string{"TCP 0.0.0.0:8080", "UDP [::]:53"}
	i.UID = of(100000)
	i.Rights = &correlate.Rights{Effective: []string{"NET_BIND_SERVICE", "NET_RAW"}, Permitted: []string{"NET_BIND_SERVICE", "NET_RAW"}, Bounding: []string{"all"},
		Seccomp: "filter", NoNewPrivs: of(true), Label: "cri-containerd.apparmor.d (enforce)", OOMScore: of(1200), OOMScoreAdj: of(985),
		HostNamespaces: []string{"net", "pid"}, OwnNamespaces: []string{"cgroup", "ipc", "mnt", "user", "uts"}, UIDInside: of(int64(0)),
		UIDMap: []report.IDMap{{Inside: 0, Outside: 100000, Length: 65536}}, GIDMap: []report.IDMap{{Inside: 0, Outside: 100000, Length: 65536}},
		Limits: []report.Limit{{Name: "Max open files", Soft: of(uint64(1024)), Hard: of(uint64(524288)), Unit: "files"}, {Name: "Max cpu time", Unit: "seconds"}}}
	bare := javaIdentity()
	bare.Rights = &correlate.Rights{Effective: []string{}, HostNamespaces: []string{"mnt", "net"}}
	alone := javaIdentity()
	alone.Rights = &correlate.Rights{OwnNamespaces: []string{"mnt"}, Seccomp: "off", NoNewPrivs: of(false)}
	golden(t, "whois-wide", func(t *testing.T, s Style) string {
		s.Wide = true
		return whoisText(t, []correlate.Identity{i, bare, alone}, s)
	})
}

func TestProcesses(t *testing.T) {
	owner := podOwner("hub-0", "StatefulSet/hub", correlate.PodKnown)
	owner.Container, owner.ContainerID = "agent", containerID
	rows := []correlate.ProcessRow{
		{PID: 2711896, PPID: 2711841, AgeSeconds: 86400 * 3, State: "sleeping", Owner: owner, Comm: "copy_plugins.sh", Command: "/bin/sh /copy_plugins.sh --all --of --them"},
		{PID: 61, PPID: 1, State: "running", Owner: correlate.Owner{Type: correlate.OwnerUnit, Unit: "kubelet.service"}, Comm: "kubelet", Command: report.Escape("kubelet \x1b[31m"), Holds: "TCP6 [::]:10250 LISTEN"},
	}
	notes := []string{"TCP port 81 of the node leads to port 8080 of container app in pod prod/web (hostPort)"}
	show := func(t *testing.T, s Style) string {
		var b bytes.Buffer
		if err := Processes(&b, rows, notes, []report.Unreadable{{What: "/proc/PID/fd", Cause: "permission denied", Count: 2}}, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	golden(t, "processes", show)
	if wide := show(t, Style{Width: 80, Wide: true}); !strings.Contains(wide, "sleeping") || !strings.Contains(wide, "--all --of --them") {
		t.Errorf("wide cuts:\n%s", wide)
	}
}
