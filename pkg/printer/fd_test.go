package printer

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const podUID = "93e182b4-1f00-4c6e-9d51-0242ac120002"

var containerID = "82414f376d1f" + strings.Repeat("0a1b", 13)

func of[T any](v T) *T { return &v }

func podOwner(name, workload string, state correlate.PodState) correlate.Owner {
	return correlate.Owner{Type: correlate.OwnerPod, Namespace: "prod", Pod: name, PodUID: podUID, PodState: state, Workload: workload}
}

func fdRow(o correlate.Owner, descriptors int, perSecond float64, comm string) correlate.FDRow {
	return correlate.FDRow{Owner: o, Descriptors: descriptors, Percent: float64(descriptors) / 100, PerSecond: &perSecond, Processes: 1,
		Heaviest: correlate.Heaviest{PID: 1000 + descriptors, Comm: comm, Cmdline: "/usr/bin/" + comm + " --flag=value", Descriptors: descriptors}}
}

func sickRanking() correlate.FDRanking {
	java := fdRow(podOwner("hub-0", "StatefulSet/hub", correlate.PodKnown), 4213, 2.01, "java")
	java.Container = "agent"
	java.Mostly = &report.Target{Kind: "FIFO", Pattern: "/run/docker/containerd/…-std*", Count: 4180}
	dockerd := fdRow(correlate.Owner{Type: correlate.OwnerUnit, Unit: "docker.service"}, 2774, 0.66, "dockerd")
	dockerd.Mostly = &report.Target{Kind: "socket", Pattern: "socket:[…]", Count: 1099}
	return correlate.FDRanking{Node: "node-43", By: correlate.ByPod, Descriptors: 10000, Seconds: 3,
		Files: &correlate.FileUsage{Used: 92224, Max: 100000, Percent: 92.224, PerSecond: 4.1, Seconds: 3, Steady: true, FullInSeconds: of(1896.0)},
		Rows:  []correlate.FDRow{java, dockerd, fdRow(correlate.Owner{Type: correlate.OwnerUnit, Unit: "kubelet.service"}, 1690, -0.33, "kubelet")}}
}

func sickFindings() []diagnose.Finding {
	subject := podOwner("hub-0", "StatefulSet/hub", correlate.PodKnown)
	return []diagnose.Finding{
		{ID: "fd-node-limit", Severity: diagnose.Critical, Summary: "the node uses 95.2 % of its open files, full in 31m at this rate",
			Evidence: []string{"fs.file-nr is 95,224 of fs.file-max 100,000, +4.1/s over 3.0 s"}, CausedBy: []string{"fd-exec-fifos", "fd-growth"},
			Remedy: []diagnose.Step{{Do: "stop who holds them, the top of the list: at the limit every open, accept and exec on the node fails"},
				{Do: "to win time, on the node", Run: "sysctl -w fs.file-max=200000"}}},
		{ID: "fd-exec-fifos", Severity: diagnose.Warning, Subject: &subject, Summary: "2,090 exec sessions of prod/hub-0, container agent (StatefulSet/hub) are open at once",
			Evidence: []string{"process 3663411 (java) of prod/hub-0, container agent (StatefulSet/hub) holds 4,180 of their named pipes: /run/docker/containerd/…-stdout"},
			Remedy:   []diagnose.Step{{Do: "to free them now", Run: "kubectl -n prod delete pod hub-0"}}},
	}
}

// oddRanking has every kind of owner, and names that are hard to lay out.
func oddRanking() correlate.FDRanking {
	sandbox := podOwner("web-5d9", "Deployment/web", correlate.PodKnown)
	sandbox.Container, sandbox.ContainerID, sandbox.Sandbox = "POD", containerID, true
	static := podOwner("etcd-n1", "static pod", correlate.PodKnown)
	static.Static, static.Container = true, "etcd"
	nameless := correlate.Owner{Type: correlate.OwnerPod, PodUID: podUID, PodState: correlate.PodGone, ContainerID: containerID}
	long := podOwner(strings.Repeat("very-long-name-", 16)+"x", "Deployment/"+strings.Repeat("long", 15), correlate.PodUnasked)
	long.Container = strings.Repeat("c", 63)
	wide := fdRow(podOwner("wide-0", "StatefulSet/wide", correlate.PodKnown), 800, 12.5, "工作进程")
	wide.Heaviest.Cmdline = strings.Repeat("工作进程 ", 40) + "x"
	wide.Mostly = &report.Target{Kind: "file", Pattern: "/数据/" + strings.Repeat("目录/", 30), Count: 700}
	unmeasured := fdRow(correlate.Owner{Type: correlate.OwnerUnknown}, 300, 0, `evil\x1b[2J\u202e`)
	unmeasured.PerSecond = nil
	return correlate.FDRanking{Node: "node-43", Descriptors: 10000, Seconds: 3, Unread: 1, Rows: []correlate.FDRow{
		fdRow(podOwner("gone-0", "", correlate.PodGone), 1000, 0.04, "a"),
		fdRow(podOwner("replaced-0", "", correlate.PodReplaced), 900, -0.04, "b"),
		wide,
		fdRow(sandbox, 700, 9.96, "pause"),
		fdRow(static, 600, 1234567, "etcd"),
		fdRow(nameless, 500, 0, "c"),
		fdRow(long, 400, 0, strings.Repeat("d", 64)),
		unmeasured,
		fdRow(correlate.Owner{Type: correlate.OwnerContainer, ContainerID: containerID}, 200, 0, "redis"),
		fdRow(correlate.Owner{Type: correlate.OwnerCgroup, Cgroup: "/", Command: "dockerd"}, 100, 0, "dockerd"),
		fdRow(correlate.Owner{Type: correlate.OwnerCgroup, Cgroup: "kubepods"}, 50, 0, "e"),
		fdRow(correlate.Owner{Type: correlate.OwnerKernel}, 1, 0, "kthreadd"),
	}}
}

// fullRanking has what only the newer probes tell.
func fullRanking() correlate.FDRanking {
	r := sickRanking()
	r.Rows[0].Kinds = []report.Counted{{Name: "FIFO", Count: 4180}, {Name: "TCP", Count: 15}, {Name: "file", Count: 9}, {Name: "eventfd", Count: 3}, {Name: "epoll", Count: 2}, {Name: "pipe", Count: 2}, {Name: "device", Count: 1}}
	r.Rows[0].Fullest = &correlate.LimitUse{PID: 22, Comm: "java", Descriptors: 4201, Soft: of(uint64(4096)), Percent: 102.6}
	r.Rows[1].Mostly = &report.Target{Kind: "TCP", Pattern: "CLOSE_WAIT to 10.0.0.1:443", Count: 1099}
	r.Rows[1].Fullest = &correlate.LimitUse{PID: 9, Comm: "dockerd", Descriptors: 2774}
	r.Rows[2].Mostly = &report.Target{Kind: "inotify", Pattern: "anon_inode:inotify", Count: 40}
	r.Files.InNoTable = &correlate.InNoTable{AtLeast: 82_224, Percent: 89.2}
	r.Unread = 2
	return r
}

func kindRanking() correlate.FDRanking {
	r := sickRanking()
	pod := podOwner("hub-0", "StatefulSet/hub", correlate.PodKnown)
	r.By, r.Rows = correlate.ByKind, nil
	for i, kind := range []string{"FIFO", "TCP", "deleted file", ""} {
		row := fdRow(correlate.Owner{Type: correlate.OwnerKind, Kind: kind}, 4000-1000*i, 0, "java")
		row.PerSecond, row.HeldMostBy = nil, &pod
		if kind == "TCP" {
			row.Mostly = &report.Target{Kind: "TCP", Pattern: "CLOSE_WAIT to 10.0.0.1:443", Count: 1099}
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

func userRanking() correlate.FDRanking {
	r := sickRanking()
	r.By, r.Rows = correlate.ByUser, nil
	docker := correlate.Owner{Type: correlate.OwnerUnit, Unit: "docker.service"}
	for _, u := range []struct {
		uid  int
		name string
	}{{0, "root"}, {70, "postgres"}, {999, "999"}} {
		row := fdRow(correlate.Owner{Type: correlate.OwnerUser, User: u.name}, 4000-u.uid, 1.5, "java")
		row.UID, row.HeldMostBy = &u.uid, &docker
		r.Rows = append(r.Rows, row)
	}
	r.Rows = append(r.Rows, fdRow(correlate.Owner{Type: correlate.OwnerUnknown}, 5, 0, "x"))
	return r
}

func filteredRanking() correlate.FDRanking {
	r := sickRanking()
	r.Rows = r.Rows[:1]
	r.Filter = &correlate.Filtered{Namespace: "prod", Selector: "app=hub", Matched: 1, Of: 41, Descriptors: 4213}
	r.Files.InNoTable = &correlate.InNoTable{AtLeast: 999, Percent: 89.2} // too few to speak of
	return r
}

func fdText(r correlate.FDRanking, findings []diagnose.Finding, change func(*Style)) show {
	return func(t *testing.T, s Style) string {
		t.Helper()
		if change != nil {
			change(&s)
		}
		var b bytes.Buffer
		if err := FD(&b, r, findings, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
}

func TestFD(t *testing.T) {
	empty := correlate.FDRanking{Node: "node-43", Rows: []correlate.FDRow{}}
	healthy := sickRanking()
	healthy.Files = &correlate.FileUsage{Used: 8064, Max: 1<<63 - 1, Percent: 1e-13, PerSecond: 0.3, Seconds: 3, Steady: true, FullInSeconds: of(1e18)}
	falling := sickRanking()
	falling.Files = &correlate.FileUsage{Used: 81000, Max: 100000, Percent: 81, PerSecond: -1234.5, Seconds: 30}
	once := sickRanking()
	once.Files = &correlate.FileUsage{Used: 81000, Max: 100000, Percent: 81}
	longNode := sickRanking()
	longNode.Node = strings.Repeat("ip-10-0-0-1.", 6) + "internal"
	for name, show := range map[string]show{
		"fd-full":         fdText(fullRanking(), nil, nil),
		"fd-by-kind":      fdText(kindRanking(), nil, nil),
		"fd-by-user":      fdText(userRanking(), nil, nil),
		"fd-filtered":     fdText(filteredRanking(), nil, nil),
		"fd-none-matches": fdText(correlate.FDRanking{Node: "node-43", Rows: []correlate.FDRow{}, Filter: &correlate.Filtered{Namespace: "nope", Of: 41}}, nil, nil),
		"fd-sick":         fdText(sickRanking(), sickFindings(), nil),
		"fd-top":          fdText(sickRanking(), nil, func(s *Style) { s.Top = 1 }),
		"fd-odd":          fdText(oddRanking(), nil, nil),
		"fd-empty":        fdText(empty, nil, nil),
		"fd-healthy":      fdText(healthy, nil, nil),
		"fd-falling":      fdText(falling, nil, nil),
		"fd-counted-once": fdText(once, nil, nil),
		"fd-long-node":    fdText(longNode, nil, nil),
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, show)
		})
	}
}

func TestWideCutsNoOwner(t *testing.T) {
	r := oddRanking()
	text := fdText(r, nil, nil)(t, Style{Width: 80, Wide: true})
	for _, row := range r.Rows {
		if !strings.Contains(text, row.Owner.Name()) {
			t.Errorf("%s is cut", row.Owner.Name())
		}
	}
}

func TestWideShowsLimitsAndKinds(t *testing.T) {
	wide := fdText(fullRanking(), nil, nil)(t, Style{Width: 80, Wide: true})
	usual := fdText(fullRanking(), nil, nil)(t, Style{Width: 300})
	for _, want := range []string{"LIMIT", "103% of 4,096", "none", "KINDS", "4,180 FIFO, 15 TCP, 9 file, 3 eventfd, 2 epoll, 2 pipe, …"} {
		if !strings.Contains(wide, want) || strings.Contains(usual, want) {
			t.Errorf("%q is in wide only, in\n%s\n%s", want, wide, usual)
		}
	}
}

func TestHeadIsAsAlarmedAsTheFinding(t *testing.T) {
	for severity, want := range map[diagnose.Severity]string{"": "\x1b[1m", diagnose.Warning: "\x1b[33;1m", diagnose.Critical: "\x1b[31;1m"} {
		findings := []diagnose.Finding{{ID: diagnose.FDGrowth, Severity: diagnose.Critical}}
		if severity != "" {
			findings = append(findings, diagnose.Finding{ID: diagnose.FDNodeLimit, Severity: severity})
		}
		if head := fdHead(sickRanking(), findings, Style{Color: true}); !strings.Contains(head, "("+want) {
			t.Errorf("%q: %q, want %q", severity, head, want)
		}
	}
}

func TestHeadWithoutALimit(t *testing.T) {
	r := sickRanking()
	r.Files.Max = 1<<63 - 1 // systemd's default
	if head := fdHead(r, nil, Style{}); !strings.Contains(head, "no limit") || strings.Contains(head, "%") {
		t.Errorf("got %q", head)
	}
}

func TestRate(t *testing.T) {
	for want, v := range map[string]float64{"0/s": 0.049, "+0.1/s": 0.05, "-0.1/s": -0.06, "+9.9/s": 9.94, "+10/s": 10, "-642/s": -642.3} {
		if got := rate(&v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
	if got := rate(nil); got != "" {
		t.Errorf("unknown: got %q", got)
	}
}

// A socket's pattern is shown whatever addresses and names are in it; only where
// the kind says it all it is not.
func TestMostlyCell(t *testing.T) {
	for want, m := range map[string]report.Target{
		"61 TCP ESTABLISHED to [::1]:443":        {Kind: "TCP", Pattern: "ESTABLISHED to [::1]:443", Count: 61},
		"61 TCP LISTEN on [::]:80":               {Kind: "TCP", Pattern: "LISTEN on [::]:80", Count: 61},
		"2 UDP on many addresses":                {Kind: "UDP", Pattern: "on many addresses", Count: 2},
		"40 unix CONNECTED to @odd:[1] of redis": {Kind: "unix", Pattern: "CONNECTED to @odd:[1] of redis", Count: 40},
		"3 netlink route":                        {Kind: "netlink", Pattern: "route", Count: 3},
		"1,099 socket":                           {Kind: "socket", Pattern: "socket:[…]", Count: 1099},
		"6 pipe":                                 {Kind: "pipe", Pattern: "pipe:[…]", Count: 6},
		"4 pidfd":                                {Kind: "pidfd", Pattern: "pidfd:[…]", Count: 4},
		"5 namespace net:[…]":                    {Kind: "namespace", Pattern: "net:[…]", Count: 5},
		"7 epoll":                                {Kind: "epoll", Pattern: "anon_inode:[eventpoll]", Count: 7},
		"8 file /a:[1]":                          {Kind: "file", Pattern: "/a:[1]", Count: 8},
	} {
		if got := mostlyCell(correlate.FDRow{Mostly: &m}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
