package printer

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/logs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func kubeletText(k correlate.NodeKubelet, findings []diagnose.Finding) show {
	return func(t *testing.T, s Style) string {
		t.Helper()
		s.Top = 10
		var b bytes.Buffer
		if err := Kubelet(&b, k, findings, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
}

// hotKubelet is that of incident 4.
func hotKubelet() correlate.NodeKubelet {
	at := time.Date(2026, 11, 22, 6, 59, 58, 0, time.UTC)
	from, first := at.Add(-10*time.Minute), at.Add(-9*time.Minute)
	known := logs.KnownLines()[0]
	return correlate.NodeKubelet{Node: "node-7",
		Daemons: []correlate.Daemon{
			{Name: "kubelet", PID: 2481311, Unit: "kubelet.service", CPUPercent: of(2022.0), RSSBytes: of(uint64(8600 << 20)), Threads: 912, FDs: of(3940), AgeSeconds: 90 * 86400,
				CPU: &correlate.Comparison{Own: 2022, Median: 27, Of: 11, Ratio: 74.9}, Memory: &correlate.Comparison{Own: 8600 << 20, Median: 700 << 20, Of: 11, Ratio: 12.3}},
			{Name: "dockerd", PID: 1208, CPUPercent: of(12.0), RSSBytes: of(uint64(180 << 20)), Threads: 60}},
		Neighbours: correlate.NeighbourUses{Asked: true, Of: 40, List: []inventory.KubeletSelf{
			{Node: "node-8", Version: "v1.35.4", CPUPercent: of(27.0), RSSBytes: of(uint64(700 << 20)), OpenFDs: of(uint64(40)), Runtime: &inventory.SystemContainer{CPUPercent: of(4.0), RSSBytes: of(uint64(90 << 20))}},
			{Node: "node-9", Error: `the right to get nodes/proxy is missing: nodes "node-9" is forbidden: User "eve\x1b[2J" cannot get resource "nodes/proxy"`}}},
		Profile: &correlate.KubeletProfile{Seconds: 10, CPUSeconds: 202, Samples: 4011, Activities: []correlate.ProfileActivity{
			{Name: correlate.ActivityUnmounting, Percent: 81, In: []correlate.ProfileFunction{{Name: "k8s.io/kubernetes/pkg/volume/util/operationexecutor.(*operationGenerator).GenerateUnmountDeviceFunc.func1", Percent: 81}}},
			{Name: "Go's garbage collector", Percent: 12}}, Functions: []correlate.ProfileFunction{{Name: "syscall.Syscall", Percent: 60}}},
		Logs: []logs.Log{
			{Name: report.LogKubelet, Where: "journal", Lines: 4012, Left: 31_000, Unreadable: 3, From: &from, To: &at, PerMinute: 401.2, Groups: []logs.Group{
				{Pattern: "Operation for … failed. Error: GetDeviceMountRefs check failed for volume … (UniqueName: …) on node … : the device mount path … is still mounted by other references […]", Level: logs.Error,
					Count: 4000, PerMinute: 400, First: &first, Last: &at, Known: &known,
					Example: `Operation for "{volumeName:kubernetes.io/csi/disk^d-bp1iau7367wkpf6xqdpv podName: nodeName:}" failed. Error: GetDeviceMountRefs check failed for volume "d-bp1iau7367wkpf6xqdpv"\x1b[2J`},
				{Pattern: "SyncLoop DELETE source=… pods=…", Level: logs.Info, Count: 12, PerMinute: 1.2, Last: &at, Example: "x"}}},
			{Name: report.LogKernel, Where: "kernel log", Lines: 0, Groups: []logs.Group{}}},
		Gaps: []report.Unreadable{{What: "data of the journal", Cause: "its objects do not fit together", Count: 2}}}
}

func TestKubelet(t *testing.T) {
	finding := []diagnose.Finding{{ID: diagnose.KubeletHot, Severity: diagnose.Warning, Summary: "kubelet uses 2022 % of a core (27 % on 11 other nodes)", CausedBy: []string{diagnose.MountsLeaked},
		Evidence: []string{"its profile: 81 % unmounting volumes"}, Remedy: []diagnose.Step{{Do: "see what hangs on the node", Run: "kubectl nodedoc runtime node-7"}}}}
	alone := hotKubelet()
	alone.Daemons, alone.Profile, alone.ProfileError, alone.Logs, alone.Gaps = nil, nil, "the kubelet does not profile itself", nil, nil
	alone.Neighbours = correlate.NeighbourUses{Asked: true, Error: "the right to list nodes is missing"}
	for name, show := range map[string]show{
		"kubelet-hot":   kubeletText(hotKubelet(), finding),
		"kubelet-alone": kubeletText(alone, nil),
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, show) })
	}
}

// TestWideKubelet lists neighbours and functions, and cuts nothing.
func TestWideKubelet(t *testing.T) {
	for wide, want := range map[bool]int{false: 0, true: 1} {
		var b bytes.Buffer
		if err := Kubelet(&b, hotKubelet(), nil, Style{Wide: wide, Width: 100}); err != nil {
			t.Fatal(err)
		}
		for _, only := range []string{"node-8", "syscall.Syscall", "is still mounted by other references […]"} {
			if got := strings.Count(b.String(), only); got != want {
				t.Errorf("wide %v: %q is there %d times", wide, only, got)
			}
		}
	}
}
