package printer

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const mib = uint64(1 << 20)

func showMemory(m correlate.NodeMemory, findings []diagnose.Finding, change func(*Style)) show {
	return func(t *testing.T, s Style) string {
		s.Top = 10
		if change != nil {
			change(&s)
		}
		if s.Wide && s.Width > 0 { // it cuts nothing, whatever the terminal
			return ""
		}
		var b bytes.Buffer
		if err := Memory(&b, m, findings, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
}

var night = time.Date(2026, 11, 22, 3, 12, 9, 0, time.UTC)

func updatedb() correlate.MemoryProcess {
	return correlate.MemoryProcess{Owner: correlate.Owner{Type: correlate.OwnerUnit, Unit: "mlocate-updatedb.service"}, PID: 1337531, Comm: "updatedb",
		Cmdline: "/usr/bin/updatedb", RSS: 18_240 * mib, PSS: of(18_239 * mib), PerSecond: of(52.4e6), Age: 552, ScoreAdj: of(0),
		Misleading: "its working directory is in a directory of pod prod/ceph-0 (/var/lib/kubelet/pods/e13c3afb-d0a2-425e-9296-50ae995d0603/volumes/kubernetes.io~csi/pv-7/mount/home), but its cgroup is mlocate-updatedb.service's: the memory is not the pod's",
		Background: &correlate.Background{Unit: &correlate.UnitInfo{Name: "mlocate-updatedb.service", Description: "Update a database for mlocate", Files: []string{"/usr/lib/systemd/system/mlocate-updatedb.service"}},
			Timers: []correlate.TimerInfo{{Name: "mlocate-updatedb.timer", Enabled: true, Triggers: []string{"OnCalendar=daily"}, LastRun: of(night.Add(-552 * time.Second)), LastRunBy: "the timer's stamp file",
				NextRun: of(night.Add(20 * time.Hour))}},
			Siblings: []correlate.Sibling{{PID: 1337530, Comm: "mlocate-run-upd", AgeSeconds: 552}}, SiblingsTotal: 1}}
}

// nightOfIncident is a node whose updatedb has taken 18 GiB while the kubelet still
// sees more than its hard threshold.
func nightOfIncident() correlate.NodeMemory {
	process := updatedb()
	hub := podOwner("hub-0", "StatefulSet/hub", correlate.PodKnown)
	victim := podOwner("ceph-0", "StatefulSet/ceph", correlate.PodReplaced)
	victim.Container = "osd"
	info := report.MemInfo{Total: of(31_998 * mib), Free: of(212 * mib), Available: of(402 * mib), Buffers: of(12 * mib), Cached: of(1_420 * mib), Shmem: of(310 * mib),
		ActiveFile: of(640 * mib), InactiveFile: of(470 * mib), AnonPages: of(28_410 * mib), Mlocked: of(5 * mib), SwapTotal: of(uint64(0)), SwapFree: of(uint64(0))}
	return correlate.NodeMemory{Node: "node-43", Time: &night, By: correlate.ByPod, Seconds: 3,
		Kernel: &correlate.KernelMemory{MemInfo: info, Used: (31_998 - 402) * mib, AvailablePerSecond: of(-51.0e6), Falls: true,
			Parts: []correlate.Term{{Name: "slab that cannot be freed", Bytes: int64(1_100 * mib), Source: "/proc/meminfo SUnreclaim"}, {Name: "page tables", Bytes: int64(410 * mib), Source: "/proc/meminfo PageTables"}}},
		Kubelet: &correlate.KubeletMemory{CgroupVersion: 1, Capacity: 31_998 * mib, Usage: 31_060 * mib, InactiveFile: 470 * mib, WorkingSet: 30_590 * mib, Available: 1_408 * mib, Summary: of(1_560 * mib), SummaryAge: 8},
		Differences: []correlate.MemoryDifference{{Term: correlate.Term{Name: "kernel memory", Bytes: -int64(1_538 * mib), Source: "/proc/meminfo"}, Why: "slab, page tables and stacks are in no cgroup's usage on v1, so the kubelet takes them for available"},
			{Term: correlate.Term{Name: "active page cache", Bytes: int64(532 * mib), Source: "memory.stat"}, Why: "the kernel can free most of it, the kubelet counts it as used"}},
		Eviction: &correlate.Eviction{Source: "configz", Pressure: of(true), PressureSince: of(night.Add(-2 * time.Minute)), TooLow: true, Proposed: 2_048 * mib, Thresholds: []correlate.EvictionThreshold{
			{Signal: "memory.available", Hard: true, Written: "500Mi", Bytes: 500 * mib, Margin: int64(908 * mib), SecondsLeft: of(18.6)},
			{Signal: "memory.available", Written: "12%", Bytes: 3_839 * mib, Grace: 90, Margin: -int64(2_431 * mib)}},
			Reserved: &correlate.Reserved{Capacity: 31_998 * mib, Allocatable: 31_498 * mib, Eviction: 500 * mib, Used: 20_100 * mib, PodsUse: 10_400 * mib, Requested: 22_000 * mib, Limits: 40_000 * mib}},
		Pressure: &report.Pressure{Some: report.PressureLine{Avg10: 41.2, Avg60: 22.08, Avg300: 5.5}, Full: report.PressureLine{Avg10: 12.5, Avg60: 6, Avg300: 1.1}},
		Rows: []correlate.MemoryRow{
			{Owner: process.Owner, WorkingSet: 18_260 * mib, Usage: 18_300 * mib, Anon: 18_240 * mib, File: 60 * mib, Percent: 57.1, PerSecond: of(52.4e6), RSS: 18_250 * mib, PSS: of(18_245 * mib), Processes: 2, Heaviest: &process, Host: true},
			{Owner: hub, WorkingSet: 3_020 * mib, Usage: 3_100 * mib, Anon: 2_700 * mib, File: 100 * mib, Shmem: 300 * mib, Percent: 9.4, Request: 2_048 * mib, Limit: 3_072 * mib, Container: "agent", Processes: 3, RSS: 2_900 * mib, OOMKills: new(4), Risk: "high",
				Fullest:  &correlate.MemoryLimitUse{Container: "agent", WorkingSet: 3_000 * mib, Held: 2_990 * mib, Limit: 3_072 * mib, Percent: 97.7},
				Heaviest: &correlate.MemoryProcess{PID: 3663411, Comm: "java", Cmdline: "java -Xmx2g -jar hub.jar", RSS: 2_700 * mib}, Volumes: []correlate.MemoryVolumeUse{{Name: "scratch", Used: of(300 * mib), Limit: 512 * mib}, {Name: "shm"}}},
			{Owner: correlate.Owner{Type: correlate.OwnerKernel}, WorkingSet: 1_538 * mib, Usage: 1_600 * mib, Kernel: 1_600 * mib, Percent: 4.8, Note: "charged to no cgroup"},
			{Owner: correlate.Owner{Type: correlate.OwnerCgroup, Cgroup: "kubepods"}, WorkingSet: 700 * mib, Shmem: 700 * mib, Percent: 2.2, Note: "left by pods that are gone: tmpfs, page cache"},
			{Owner: correlate.Owner{Type: correlate.OwnerUnit, Unit: "kubelet.service"}, WorkingSet: 240 * mib, Percent: 0.8, PerSecond: of(20.0), Processes: 1, Heaviest: &correlate.MemoryProcess{PID: 901, Comm: "kubelet", RSS: 260 * mib}, Host: true}},
		Processes: []correlate.MemoryProcess{process, {Owner: hub, PID: 3663411, Comm: "java", Cmdline: "java -Xmx2g -jar hub.jar", RSS: 2_700 * mib, PerSecond: of(0.0), Age: 86_400 * 3, ScoreAdj: of(958)}},
		Accounted: 23_758 * mib, Rest: []correlate.Term{{Name: "free", Bytes: int64(212 * mib)}, {Name: "not explained", Bytes: -int64(3 * mib)}},
		OOMKills: []correlate.OOMVictim{{Owner: victim, Comm: "ceph-osd", Kills: 3, Last: of(night.Add(-40 * time.Second)), Scope: "node", API: true, Kill: report.OOMKill{PID: 12_345, AnonRSS: of(1_300 * mib), FileRSS: of(4 * mib)}},
			{Owner: hub, Comm: "java", Kills: 1, Scope: "container", APIOnly: true}},
		Evictions: []correlate.EvictedPod{{Owner: podOwner("web-5d9", "Deployment/web", correlate.PodKnown), At: of(night.Add(-time.Minute)), Message: "The node was low on resource: memory. Threshold quantity: 500Mi, available: 480Mi."}}}
}

func nightFindings() []diagnose.Finding {
	subject := correlate.Owner{Type: correlate.OwnerUnit, Unit: "mlocate-updatedb.service"}
	return []diagnose.Finding{{ID: "memory-host-process", Severity: diagnose.Critical, Subject: &subject,
		Summary:  "mlocate-updatedb.service has 17.8 GiB of memory, 57 % of the node's, and is no pod: process 1337531 (updatedb)",
		Evidence: []string{"process 1337531 (updatedb) has 17.8 GiB resident, started 9m12s ago, +50.0 MiB/s", updatedb().Misleading, "the timer mlocate-updatedb.timer starts it (OnCalendar=daily)"},
		Remedy:   []diagnose.Step{{Do: "see what it is, and who runs it", Run: "kubectl nodedoc whois-pid node-43 1337531"}, {Do: "to end it now, on the node", Run: "systemctl stop mlocate-updatedb.service"}}}}
}

func healthyMemory() correlate.NodeMemory {
	m := nightOfIncident()
	m.Kernel.Available, m.Kernel.Used, m.Kernel.AvailablePerSecond, m.Kernel.Falls = of(20_000*mib), 11_998*mib, of(-3000.0), false
	m.Rows, m.Processes, m.OOMKills, m.Evictions, m.Differences, m.Kubelet, m.Eviction = m.Rows[4:], m.Processes[1:], nil, nil, nil, nil, nil
	m.Pressure = &report.Pressure{}
	return m
}

// hostileMemory has names that are hard to lay out, and text that a node chose.
func hostileMemory() correlate.NodeMemory {
	m := healthyMemory()
	long := podOwner(strings.Repeat("very-long-name-", 16)+"x", "Deployment/"+strings.Repeat("long", 15), correlate.PodUnasked)
	long.Container = strings.Repeat("c", 63)
	evil := updatedb()
	evil.Comm, evil.Cmdline, evil.Owner = `evil\x1b[2J\u202e`, strings.Repeat("工作进程 ", 40)+"x", correlate.Owner{Type: correlate.OwnerCgroup, Cgroup: "/" + strings.Repeat("数据/", 40)}
	evil.Background.Timers[0].Name = strings.Repeat("t", 200) + ".timer"
	evil.Misleading = "its working directory is " + strings.Repeat("/工作", 60)
	m.Rows = []correlate.MemoryRow{{Owner: long, WorkingSet: 1<<63 + 5, Percent: 100, PerSecond: of(1e30), Container: long.Container, Processes: 2, Heaviest: &evil, OOMKills: new(1 << 30),
		Fullest: &correlate.MemoryLimitUse{Limit: 1, Percent: 1e9}}, {Owner: evil.Owner, WorkingSet: 5, Note: "no process: page cache, tmpfs"}, {Owner: correlate.Owner{Type: correlate.OwnerUnknown}, PerSecond: of(-1e30)}}
	m.Processes = []correlate.MemoryProcess{evil, {Owner: long, PID: 1, Comm: strings.Repeat("d", 64)}}
	m.OOMKills = []correlate.OOMVictim{{Owner: long, Comm: evil.Comm, Kills: 1 << 30, Scope: "cgroup"}}
	m.Evictions = []correlate.EvictedPod{{Owner: long, Message: strings.Repeat("工作 ", 100)}}
	m.Gaps = []report.Unreadable{{What: "memory.stat", Cause: "permission denied", Count: 3}}
	return m
}

func TestMemory(t *testing.T) {
	filtered := nightOfIncident()
	filtered.Rows, filtered.Filter = filtered.Rows[1:2], &correlate.MemoryFiltered{Namespace: "prod", Matched: 1, Of: 30, Bytes: 3_020 * mib}
	byUser := healthyMemory()
	byUser.By, byUser.Rows[0].Owner = correlate.ByUser, correlate.Owner{Type: correlate.OwnerUser, User: "root"}
	byProcess := nightOfIncident()
	byProcess.By, byProcess.Rows = correlate.ByProcess, byProcess.Rows[:1]
	byProcess.Rows[0].PID = 1337531
	old := healthyMemory() // no MemAvailable, no two looks
	old.Kernel.MemInfo = report.MemInfo{Total: of(31_998 * mib)}
	old.Kernel.AvailablePerSecond, old.Seconds, old.Pressure = nil, 0, nil
	for name, show := range map[string]show{
		"sick":       showMemory(nightOfIncident(), nightFindings(), nil),
		"wide":       showMemory(nightOfIncident(), nightFindings(), func(s *Style) { s.Wide = true }),
		"top":        showMemory(nightOfIncident(), nil, func(s *Style) { s.Top = 1 }),
		"healthy":    showMemory(healthyMemory(), nil, nil),
		"hostile":    showMemory(hostileMemory(), nil, nil),
		"filtered":   showMemory(filtered, nil, nil),
		"by-user":    showMemory(byUser, nil, nil),
		"by-process": showMemory(byProcess, nil, nil),
		"old-kernel": showMemory(old, nil, nil),
		"unread":     showMemory(correlate.NodeMemory{Node: "node-43", Gaps: []report.Unreadable{{What: "memory", Cause: "gave up after 30s"}}}, nil, nil),
	} {
		t.Run(name, func(t *testing.T) { golden(t, "memory-"+name, show) })
	}
}
