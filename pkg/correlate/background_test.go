package correlate

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// What systemd-escape -u says, --path for mounts.
func TestUnitTitle(t *testing.T) {
	for name, want := range map[string]string{
		"cron.service":              "",
		`backup\x2dnightly.service`: "backup-nightly.service",
		`system-foo\x2dbar.slice`:   "foo-bar, below system",
		"system-getty.slice":        "",
		`mnt-a\x2db.mount`:          "/mnt/a-b",
		"-.mount":                   "/",
		"dev-sda1.swap":             "/dev/sda1",
		"getty@tty1.service":        "getty@.service for tty1",
		`inst@a\x2db-c.service`:     "inst@.service for a-b/c",
		"ssh@0-10.0.0.1:22.service": "ssh@.service for 0-10.0.0.1:22",
		"x@.service":                "",
		"":                          "", "nodot": "", ".service": "",
		`a\x.service`: "", `a\xzz.service`: "",
	} {
		if got := unitTitle(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestVolumePaths(t *testing.T) {
	const uid = "e13c3afb-d0a2-425e-9296-50ae995d0603"
	for point, want := range map[string]VolumePath{
		"/var/lib/kubelet/pods/" + uid + "/volumes/kubernetes.io~csi/pv-1/mount":                  {Volume: "pv-1", Plugin: "kubernetes.io~csi", PodUID: uid},
		"/data/kubelet/pods/" + uid + "/volumes/kubernetes.io~aws-ebs/pv-1":                       {Volume: "pv-1", Plugin: "kubernetes.io~aws-ebs", PodUID: uid},
		"/var/lib/kubelet/pods/" + uid + "/volumeDevices/kubernetes.io~csi/pv-1":                  {Volume: "pv-1", Plugin: "kubernetes.io~csi", PodUID: uid, Block: true},
		"/var/lib/kubelet/pods/" + uid + "/volume-subpaths/pv-1/mysql/0":                          {Volume: "pv-1", PodUID: uid},
		"/var/lib/kubelet/plugins/kubernetes.io/csi/pv/d-bp1/globalmount":                         {Volume: "d-bp1", Plugin: "csi", Global: true},
		"/var/lib/kubelet/plugins/kubernetes.io/csi/ebs.csi.aws.com/0ab/globalmount":              {Plugin: "ebs.csi.aws.com", Global: true},
		"/var/lib/kubelet/plugins/kubernetes.io/aws-ebs/mounts/aws/us-east-1a/vol-1":              {Volume: "vol-1", Plugin: "aws-ebs", Global: true},
		"/var/lib/kubelet/plugins/kubernetes.io~local-volume/mounts/pv-1":                         {Volume: "pv-1", Plugin: "local-volume", Global: true},
		"/var/lib/kubelet/plugins/kubernetes.io~local-volume/volumeDevices/pv-1/" + uid:           {Volume: "pv-1", Plugin: "local-volume", PodUID: uid, Block: true},
		"/d/overlay2/9c/merged/host/var/lib/kubelet/plugins/kubernetes.io/csi/pv/d-1/globalmount": {Volume: "d-1", Plugin: "csi", Global: true},
	} {
		if got, ok := parseVolumePath(point); !ok || got != want {
			t.Errorf("%s: got %+v, %v", point, got, ok)
		}
	}
	for _, point := range []string{"/", "", "/pods/x/volumes/a/b", "/var/lib/kubelet/pods/" + uid + "/volumes", "/plugins/kubernetes.io/csi", "/plugins/kubernetes.io~local-volume", "/home/pods/" + uid + "/etc-hosts"} {
		if got, ok := parseVolumePath(point); ok {
			t.Errorf("%s: got %+v", point, got)
		}
	}
}

func TestCapabilityNames(t *testing.T) {
	for _, c := range []struct {
		hex  string
		last int
		want string
	}{
		{"0000000000000000", 40, ""}, {"000001ffffffffff", 40, "all"}, {"0000003fffffffff", 40, "many"}, {"0000001fffffffff", 36, "all"},
		{"0000000000002400", 40, "NET_BIND_SERVICE NET_RAW"}, {"8000000000000001", 40, "CHOWN 63"}, {"", 40, ""}, {"x", 40, ""}, {"ffffffffffffffff", 63, "many"},
	} {
		got := capabilityNames(c.hex, c.last)
		if text := strings.Join(got, " "); text != c.want && (c.want != "many" || len(got) < 38) {
			t.Errorf("%s: got %q, want %q", c.hex, text, c.want)
		}
	}
}

// timerNode is a node where t starts a.service, at 2026-11-21 20:00 UTC.
func timerNode(t report.Timer) *Node {
	t.Starts = "a.service"
	return Join(&report.NodeReport{
		Node:       report.Node{BootTime: 1_795_200_000, Now: 1_795_291_200, Uptime: 91_200, ClockTicks: 100},
		Processes:  &report.Processes{List: []report.Process{{PID: 7, StartTicks: 9_000_000}}, Cgroups: []report.Cgroup{{Entries: []report.CgroupEntry{{Path: "/system.slice/a.service"}}}}},
		Background: &report.Background{Timers: []report.Timer{t}},
	}, nil)
}

func timerOf(settings ...string) report.Timer {
	f := report.UnitFile{Path: "/etc/systemd/system/a.timer"}
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		f.Settings = append(f.Settings, report.Setting{Section: "Timer", Key: key, Value: value})
	}
	return report.Timer{Unit: report.Unit{Name: "a.timer", Files: []report.UnitFile{f}}}
}

func TestNextRuns(t *testing.T) {
	for _, c := range []struct {
		settings []string
		next, by string
	}{
		{[]string{"OnCalendar=daily"}, "2026-11-22 00:00:00", ""},
		{[]string{"OnCalendar=daily", "OnCalendar=*:0/15"}, "2026-11-21 20:15:00", ""},
		{[]string{"OnCalendar=*:0/15", "OnCalendar=", "OnCalendar=weekly"}, "2026-11-23 00:00:00", ""},
		{[]string{"OnBootSec=15min"}, "", "not before the next boot"},
		{[]string{"OnBootSec=2d"}, "2026-11-22 18:40:00", ""},
		// The unit's oldest process started 90,000 s after boot.
		{[]string{"OnUnitActiveSec=1h"}, "2026-11-21 20:40:00", ""},
		{[]string{"OnUnitActiveSec=1min"}, "", "due, and waiting"},
		{[]string{"OnUnitInactiveSec=1h"}, "", "1h0m0s after the run that is on has ended"},
		{[]string{"OnActiveSec=1h"}, "", "which no file tells"},
		{[]string{"OnUnitActiveSec=infinity"}, "", "never, by OnUnitActiveSec=infinity"},
		{[]string{"OnUnitInactiveSec=infinity"}, "", "never, by OnUnitInactiveSec=infinity"},
		{[]string{"OnBootSec=9300000000"}, "", "not a time span"},
		{[]string{"OnCalendar=2001-01-01"}, "", "never again"},
		{[]string{"OnCalendar=nonsense"}, "", "is no calendar event"},
		{[]string{"OnBootSec=x"}, "", "not a time span"},
		{nil, "", "have no OnCalendar="},
	} {
		info := timerNode(timerOf(c.settings...)).timers(startedUnit{name: "a.service"})[0]
		got := ""
		if info.NextRun != nil {
			got = info.NextRun.UTC().Format(time.DateTime)
		}
		if got != c.next || !strings.Contains(info.NextRunBy, c.by) || c.next != "" && info.NextRunBy != "if the timer started the run that is on, not before that has ended" {
			t.Errorf("%q: got %s, %q", c.settings, got, info.NextRunBy)
		}
	}
}

// The node's own rules count, whatever the client knows of that zone.
func TestTimesAreInTheNodesZone(t *testing.T) {
	n := timerNode(timerOf("OnCalendar=daily"))
	n.Report.Background.Zone = report.Zone{Name: "Nowhere", TZif: []byte("not a zone")}
	if n.Zone() != time.UTC {
		t.Errorf("got %s", n.Zone())
	}
	n.Report.Node.Now = 0
	if info := n.timers(startedUnit{name: "a.service"})[0]; info.NextRun != nil || info.NextRunBy == "" {
		t.Errorf("got %+v", info)
	}
}

func TestAmbiguousCron(t *testing.T) {
	line := func(line, pid int, by string) report.CronEntry { return report.CronEntry{Line: line, PID: pid, By: by} }
	for name, c := range map[string]struct {
		entries []report.CronEntry
		want    bool
	}{
		"none":              {nil, false},
		"line and script":   {[]report.CronEntry{line(6, 10, report.CronByArguments), line(0, 20, report.CronByScript)}, false},
		"nested":            {[]report.CronEntry{line(6, 10, report.CronByCommand), line(9, 20, report.CronByCommand)}, false},
		"two for one":       {[]report.CronEntry{line(6, 10, report.CronByCommand), line(9, 10, report.CronByCommand)}, true},
		"a mention is none": {[]report.CronEntry{line(6, 0, report.CronByMention)}, true},
	} {
		if got := ambiguous(c.entries); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func findNode() *Node {
	id := strings.Repeat("ab", 32)
	other := "abcd" + strings.Repeat("0", 60)
	pod := func(uid, id string) report.Cgroup {
		return report.Cgroup{Entries: []report.CgroupEntry{{Path: "/kubepods/pod" + uid + "/" + id}}}
	}
	const web, db = "e13c3afb-d0a2-425e-9296-50ae995d0603", "e13c3afb-d0a2-425e-9296-50ae995d0604"
	r := &report.NodeReport{Processes: &report.Processes{
		List:    []report.Process{{PID: 10, Comm: "a"}, {PID: 11, PPID: 10, Comm: "b", Cmdline: "b -x"}, {PID: 20, Comm: "c", Cgroup: 1}, {PID: 30, Comm: "sshd", Cgroup: 2}},
		Cgroups: []report.Cgroup{pod(web, id), pod(db, other), {Entries: []report.CgroupEntry{{Path: "/system.slice/ssh.service"}}}},
	}, Found: &report.Found{Find: report.Find{Port: 80}, Namespaces: 3,
		Sockets: []report.FoundSocket{{Protocol: "TCP", State: "ESTABLISHED", Local: "1.2.3.4:80", Remote: "5.6.7.8:9", Inode: 1}, {Protocol: "TCP", State: "LISTEN", Local: "[::]:80", Inode: 2, HostNetwork: new(true)}},
		Holders: []report.Holder{{PID: 20, Inode: 1, Kind: "socket", Count: 1}, {PID: 30, Inode: 2, Kind: "socket", Count: 2}}}}
	return Join(r, &inventory.Inventory{Node: "n", Pods: []inventory.Pod{
		{Namespace: "prod", Name: "web", UID: web, HostPorts: []inventory.HostPort{{HostPort: 81, Container: "app", Port: 8080, Protocol: "TCP"}}},
		{Namespace: "test", Name: "web", UID: db}, {Namespace: "prod", Name: "waits", UID: "x", Phase: "Pending"}}})
}

func TestFindProcesses(t *testing.T) {
	n := findNode()
	pods := func(s string) func() ([]ProcessRow, error) {
		return func() ([]ProcessRow, error) { return n.ProcessesOfPod(s) }
	}
	containers := func(s string) func() ([]ProcessRow, error) {
		return func() ([]ProcessRow, error) { return n.ProcessesOfContainer(s) }
	}
	holders := func(f report.Find, change func(*report.Found)) func() ([]ProcessRow, error) {
		return func() ([]ProcessRow, error) {
			n := findNode()
			change(n.Report.Found)
			return n.Holders(f)
		}
	}
	as := func(*report.Found) {}
	for name, c := range map[string]struct {
		find func() ([]ProcessRow, error)
		pids []int
		err  string
	}{
		"pod":                  {pods("prod/web"), []int{10, 11}, ""},
		"pod by uid":           {pods("e13c3afb-d0a2-425e-9296-50ae995d0604"), []int{20}, ""},
		"two pods of one name": {pods("web"), nil, "not one pod but prod/web, test/web"},
		"pod without process":  {pods("prod/waits"), nil, "phase Pending, and has no process there: kubectl describe pod -n prod waits"},
		"pod elsewhere":        {pods("prod/gone"), nil, "kubectl get pod -n prod gone -o wide"},
		"container":            {containers("containerd://abab"), []int{10, 11}, ""},
		"ambiguous":            {containers("ab"), nil, `"ab" is not one container but ababab`},
		"no container":         {containers("ffff"), nil, "crictl ps -a"},
		"port, listener first": {holders(report.Find{Port: 80}, as), []int{30, 20}, ""},
		"not looked for":       {holders(report.Find{Port: 99}, as), nil, "without looking for that"},
		"no holder":            {holders(report.Find{Port: 80}, func(f *report.Found) { f.Holders = nil }), nil, "the kernel itself does"},
		"nothing there":        {holders(report.Find{Port: 82}, func(f *report.Found) { *f = report.Found{Find: report.Find{Port: 82}, Namespaces: 3} }), nil, "no process on n has port 82, in 3 network namespaces; a Service's port"},
		"host port":            {holders(report.Find{Port: 81}, func(f *report.Found) { *f = report.Found{Find: report.Find{Port: 81}, Namespaces: 1} }), nil, "leads to port 8080 of container app in pod prod/web"},
		"search ended early":   {holders(report.Find{Port: 80}, func(f *report.Found) { *f = report.Found{Find: f.Find, EndedEarly: true} }), nil, "nothing found so far, and the search on n did not finish: ask again"},
		"inode":                {holders(report.Find{Inode: 5}, func(f *report.Found) { *f = report.Found{Find: report.Find{Inode: 5}} }), nil, "inode 5: it was closed"},
	} {
		rows, err := c.find()
		var pids []int
		for _, r := range rows {
			pids = append(pids, r.PID)
		}
		if len(pids) != len(c.pids) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: got %v, %v", name, pids, err)
			continue
		}
		for i := range pids {
			if pids[i] != c.pids[i] {
				t.Errorf("%s: got %v", name, pids)
			}
		}
	}
}

// That a search ran out of time is another thing than that nobody asked for it.
func TestSearchThatFailed(t *testing.T) {
	n := findNode()
	n.Report.Found = nil
	n.Report.Probe.Failed = []report.Unreadable{{What: report.CollectFound, Cause: "gave up after 30s"}}
	if _, err := n.Holders(report.Find{Port: 80}); err == nil || errors.Is(err, ErrNotAsked) || !strings.Contains(err.Error(), "the search on n did not finish: ask again") {
		t.Errorf("got %v", err)
	}
}

func FuzzNames(f *testing.F) {
	f.Add(`system-foo\x2dbar.slice`, "/var/lib/kubelet/pods/e13c3afb-d0a2-425e-9296-50ae995d0603/volumes/kubernetes.io~csi/pv/mount", "000001ffffffffff")
	f.Add("a@b.service", "/plugins/kubernetes.io/csi/pv/x/globalmount", "1")
	f.Fuzz(func(_ *testing.T, unit, point, hex string) {
		unitTitle(unit)
		sliceAround(unit)
		report.ExpandUnit(point, unit)
		parseVolumePath(point)
		capabilityNames(hex, len(unit))
	})
}

func TestWaits(t *testing.T) {
	for name, c := range map[string]struct {
		state, protocol, remote string
		want                    bool
	}{
		"listener":                        {"LISTEN", "TCP", "", true},
		"unix":                            {"LISTEN", "unix", "", true},
		"bound, and not listening yet":    {"CLOSE", "TCP", "", false},
		"connected":                       {"ESTABLISHED", "TCP", "10.0.0.1:80", false},
		"datagrams of anybody":            {"", "UDP", "", true},
		"datagrams of one":                {"ESTABLISHED", "UDP", "10.0.0.1:53", false},
		"datagrams of anybody, UDP's kin": {"", "UDP-Lite", "", true},
	} {
		if got := waits(c.state, c.protocol, c.remote); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// The unit's oldest process started 90,000 s after boot, at 1,795,290,000.
func TestWhoStartedTheRun(t *testing.T) {
	for name, c := range map[string]struct {
		stamp *int64
		want  string
		other bool
	}{
		"the timer":            {stamp(1_795_289_999), "the timer's stamp file", false},
		"somebody by hand":     {stamp(1_795_201_000), "something else started it", true},
		"before the stamp":     {stamp(1_795_290_900), "something else started it", true},
		"a timer of no stamps": {nil, "if the timer started it", false},
	} {
		t.Run(name, func(t *testing.T) {
			timer := timerOf("OnCalendar=daily", "Persistent=true")
			timer.Stamp = c.stamp
			by := timerNode(timer).timers(startedUnit{name: "a.service"})[0].LastRunBy
			if !strings.Contains(by, c.want) || strings.Contains(by, "something else") != c.other {
				t.Errorf("got %q", by)
			}
		})
	}
}

func stamp(seconds int64) *int64 { return &seconds }
