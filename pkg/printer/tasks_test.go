package printer

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func taskRow(o correlate.Owner, tasks, processes int, comm string) correlate.TaskRow {
	return correlate.TaskRow{Owner: o, Tasks: tasks, Percent: float64(tasks) / 320, Processes: processes,
		Heaviest: correlate.TaskHeaviest{PID: 1000 + tasks, Comm: comm, Cmdline: "/usr/bin/" + comm + " --flag=value", Threads: max(1, tasks-processes)}}
}

func sickTasks() correlate.NodeTasks {
	hub := podOwner("hub-0", "StatefulSet/hub", correlate.PodKnown)
	gone := podOwner("ops-0", "", correlate.PodGone)
	agent := hub
	agent.Container = "agent"
	kubelet := correlate.Owner{Type: correlate.OwnerUnit, Unit: "kubelet.service"}
	java := taskRow(hub, 4096, 312, "java")
	java.Container, java.Blocked, java.Zombies = "agent", 12, 300
	java.Limit = &correlate.TaskLimitUse{Owner: hub, Current: 4096, Max: 4096, Percent: 100, Refused: 7, Own: true}
	node := taskRow(kubelet, 93, 1, "kubelet")
	node.Limit = &correlate.TaskLimitUse{Owner: kubelet, Current: 93, Max: 19_200, Percent: 0.5, Own: true}
	kernel := taskRow(correlate.Owner{Type: correlate.OwnerKernel}, 25_600, 0, "")
	kernel.Heaviest, kernel.Blocked = correlate.TaskHeaviest{}, 1
	volume := correlate.VolumePath{Volume: "d-bp1example", Plugin: "csi", PodUID: podUID}
	return correlate.NodeTasks{Node: "node-43", By: correlate.ByPod, Processes: 500, Threads: 6500, KernelThreads: 25_600,
		Usage: &correlate.TaskUsage{Total: 32_100, PIDMax: of(uint64(32_768)), Limit: "kernel.pid_max", Max: 32_768, Percent: 97.96},
		Rows:  []correlate.TaskRow{kernel, java, node},
		Blocked: []correlate.BlockedRow{
			{Owner: agent, PID: 22, TID: 23, Comm: "java", Cmdline: "java -jar hub.jar", Threads: 12, Stayed: 12, StayedSeconds: 2, Wchan: "rpc_wait_bit_killable", WaitsFor: correlate.WaitsNFS,
				Server: "nas.example.com", Volumes: []string{"pv-reports", `pv-\x1b[2J`}, SilentSeconds: of(720.0)},
			{Owner: correlate.Owner{Type: correlate.OwnerKernel}, PID: 50, Comm: "jbd2/vdfiw-8", Threads: 1, Stayed: 1, StayedSeconds: 2, LoggedSeconds: 122, Kernel: true, Wchan: "jbd2_journal_commit_transaction", WaitsFor: "the disk: the filesystem's journal (ext4)"},
			{Owner: kubelet, PID: 93, Comm: "kubelet", Threads: 2},
		},
		LookedSeconds: 2, BlockedLeft: 6000, ThreadsUnseen: 12,
		Zombies: []correlate.ZombieRow{
			{Owner: agent, PID: 22, Comm: "java", Count: 300, OldestSeconds: 90_000, Commands: []report.Counted{{Name: "sh", Count: 290}, {Name: "curl", Count: 10}}},
			{Owner: gone, Count: 1, Commands: []report.Counted{{Name: `evil\x1b[2J`, Count: 1}}},
		},
		Kernel: []correlate.KernelGroup{
			{Pattern: "jbd2/*", Threads: 12_769, Devices: 6385, Mounted: of(6385), Leaked: of(6380), Blocked: 1, Sample: 50, Owners: []correlate.DeviceCount{{Owner: gone, Devices: 6300}, {Owner: hub, Devices: 2}}},
			{Pattern: "ext4-rsv-conver", Threads: 6385},
			{Pattern: "ksoftirqd/*", Threads: 16},
		},
		Devices: []correlate.TaskDevice{
			{Name: "vdfiw", Number: "254:1", Threads: 2, Mounts: of(2), Volume: &volume, VolumeName: volume.Volume, Pod: &gone, State: correlate.VolumeLeaked, Point: "/var/lib/kubelet/pods/" + podUID + "/volumes/kubernetes.io~csi/d-bp1example/mount"},
			{Name: "nvme10n1p12", Number: "259:12", Guessed: true, Threads: 2, Mounts: of(0)},
			{Name: "loop7", Number: "7:7", Detached: "ext4", Threads: 2, Mounts: of(0)},
			{Name: "dm-0", Number: "253:0", DMName: "vg-data", Threads: 1, Gone: true},
		},
		Gaps: []report.Unreadable{{What: "pids.max", Cause: "permission denied", Count: 3}},
	}
}

func taskFindings() []diagnose.Finding {
	return []diagnose.Finding{{ID: diagnose.TasksNodeLimit, Severity: diagnose.Critical, Summary: "the node has 98.0 % of the threads that it may have",
		Evidence: []string{"32,100 threads exist, kernel.pid_max is 32,768; at the limit every fork fails (EAGAIN)", "kernel has 25,600 of them"}, CausedBy: []string{diagnose.TasksKernelThreads},
		Remedy: []diagnose.Step{{Do: "stop who has them, the top of the list"}, {Do: "to win time, on the node", Run: "sysctl -w kernel.pid_max=65536"}}}}
}

func tasksText(n correlate.NodeTasks, findings []diagnose.Finding, change func(*Style)) show {
	return func(t *testing.T, s Style) string {
		t.Helper()
		if change != nil {
			change(&s)
		}
		var b bytes.Buffer
		if err := Tasks(&b, n, findings, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
}

func TestTasks(t *testing.T) {
	healthy := sickTasks()
	healthy.Usage = &correlate.TaskUsage{Total: 400, Limit: "kernel.threads-max", Max: 9704, Percent: 4.1}
	healthy.Blocked, healthy.Zombies, healthy.Devices, healthy.Gaps, healthy.BlockedLeft, healthy.ThreadsUnseen = nil, nil, nil, nil, 0, 0
	healthy.Rows, healthy.Kernel = healthy.Rows[2:], healthy.Kernel[2:]
	filtered := sickTasks()
	filtered.Filter = &correlate.TasksFiltered{Namespace: "prod", Selector: "app=hub", Matched: 1, Of: 41, Tasks: 4096}
	filtered.Rows, filtered.Kernel, filtered.Devices = filtered.Rows[1:2], nil, nil
	nested := sickTasks() // a node in a container sees no kernel threads
	nested.KernelThreads, nested.Rows = 0, nested.Rows[1:]
	unread := sickTasks()
	unread.Usage = nil
	limitless := sickTasks()
	limitless.Usage = &correlate.TaskUsage{Total: 32_100}
	for name, show := range map[string]show{
		"tasks-sick":          tasksText(sickTasks(), taskFindings(), nil),
		"tasks-top":           tasksText(sickTasks(), nil, func(s *Style) { s.Top = 1 }),
		"tasks-healthy":       tasksText(healthy, nil, nil),
		"tasks-filtered":      tasksText(filtered, nil, nil),
		"tasks-pid-namespace": tasksText(nested, nil, func(s *Style) { s.Top = 1 }),
		"tasks-empty":         tasksText(correlate.NodeTasks{Node: "node-43"}, nil, nil),
		"tasks-unread":        tasksText(unread, nil, func(s *Style) { s.Top = 1 }),
		"tasks-without-limit": tasksText(limitless, nil, func(s *Style) { s.Top = 1 }),
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, show) })
	}
}

func TestTasksHeadIsAsAlarmedAsTheFinding(t *testing.T) {
	for severity, want := range map[diagnose.Severity]string{"": "\x1b[1m", diagnose.Warning: "\x1b[33;1m", diagnose.Critical: "\x1b[31;1m"} {
		findings := []diagnose.Finding{{ID: diagnose.TasksBlocked, Severity: diagnose.Critical}}
		if severity != "" {
			findings = append(findings, diagnose.Finding{ID: diagnose.TasksNodeLimit, Severity: severity})
		}
		if head := tasksHead(sickTasks(), findings, Style{Color: true}); !strings.Contains(head, "("+want) {
			t.Errorf("%q: %q, want %q", severity, head, want)
		}
	}
}

// Two looks and the kernel's log are all that is known of how long it has been.
func TestBlockedForClaimsNoMore(t *testing.T) {
	for want, b := range map[string]correlate.BlockedRow{
		"moments":          {Threads: 3},
		"≥ 2.0s":           {Stayed: 1, StayedSeconds: 2},
		"≥ 2.0s, log 2m2s": {Stayed: 1, StayedSeconds: 2, LoggedSeconds: 122},
		"≥ 2.0s, log 12m":  {Stayed: 1, StayedSeconds: 2, SilentSeconds: of(720.0)},
		"retries, log 12m": {Retrying: 1, SilentSeconds: of(720.0)},
		"retries":          {Retrying: 1},
	} {
		if got := blockedFor(b); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
