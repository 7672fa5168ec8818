package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// busyKubelet is a node whose kubelet uses so much, and those of neighbours.
func busyKubelet(cpu float64, rss int64, neighbours ...float64) (*report.NodeReport, *inventory.Inventory) {
	r := &report.NodeReport{Kubelet: &report.Kubelet{PID: 40, Daemons: []report.DaemonProcess{{PID: 40, Comm: "kubelet", CPUPercent: &cpu, SampleMillis: 3000, RSSBytes: rss, Threads: 90}}}}
	inv := &inventory.Inventory{Node: "node-7", Kubelets: &inventory.Kubelets{}}
	for i, percent := range neighbours {
		inv.Kubelets.Neighbours = append(inv.Kubelets.Neighbours, inventory.KubeletSelf{Node: fmt.Sprint(i), CPUPercent: &percent, RSSBytes: new(uint64(700 << 20))})
	}
	return r, inv
}

func kubeletFindings(r *report.NodeReport, inv *inventory.Inventory) []Finding {
	return slices.DeleteFunc(Diagnose(correlate.Join(r, inv), Thresholds{}), func(f Finding) bool { return !strings.HasPrefix(f.ID, "kubelet-") })
}

func TestKubeletHot(t *testing.T) {
	for name, c := range map[string]struct {
		cpu        float64
		rss        int64
		neighbours []float64
		want       string
	}{
		"incident 4":                       {2022, 8600 << 20, []float64{27, 20, 30}, "kubelet uses 2022 % of a core (27 % on 3 other nodes) and 8.4 GiB of memory (700 MiB on 3 other nodes)"},
		"busy, as all are":                 {400, 900 << 20, []float64{300, 200, 400}, ""},
		"ten times as much of little":      {30, 900 << 20, []float64{3}, ""},
		"alone":                            {500, 900 << 20, nil, "kubelet uses 500 % of a core"},
		"alone and only busy":              {300, 3 << 30, nil, ""},
		"memory alone":                     {10, 9 << 30, nil, "kubelet uses 9 GiB of memory"},
		"neighbours that use next to none": {160, 900 << 20, []float64{0}, "kubelet uses 160 % of a core (0 % on 1 other node)"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, f := range kubeletFindings(busyKubelet(c.cpu, c.rss, c.neighbours...)) {
				got += f.Summary
			}
			if got != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

// logged is a log of a kind of line, so many in ten minutes.
func logged(name string, lines map[string]int) *report.Logs {
	until := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	l := &report.Logs{Since: until.Add(-10 * time.Minute).UnixMicro(), Until: until.UnixMicro(), Sources: []report.LogSource{{Name: name, Where: "journal"}}}
	for text, n := range lines {
		for i := range n {
			l.Sources[0].Lines = append(l.Sources[0].Lines, report.LogLine{At: until.Add(-time.Duration(i) * 600 * time.Second / time.Duration(n)).UnixMicro(), Text: fmt.Sprintf(text, i)})
		}
	}
	return l
}

const (
	mountRefs = `E1122 06:59:00.1 1 nestedpendingoperations.go:348] Operation for "{volumeName:d-%d}" failed. Error: GetDeviceMountRefs check failed for volume "d-1" : still mounted by other references [/a /b]`
	ordinary  = `I1122 06:59:00.1 1 kubelet.go:1] "SyncLoop (PLEG): event for pod" pod="prod/web-%d"`
)

func TestKubeletLog(t *testing.T) {
	for name, c := range map[string]struct {
		logs *report.Logs
		want []string
	}{
		"incident 4":             {logged(report.LogKubelet, map[string]int{mountRefs: 8000}), []string{KubeletLogFlood, KubeletLog}},
		"some of it":             {logged(report.LogKubelet, map[string]int{mountRefs: 40, ordinary: 500}), []string{KubeletLog}},
		"four times":             {logged(report.LogKubelet, map[string]int{mountRefs: 4}), nil},
		"healthy, and talkative": {logged(report.LogKubelet, map[string]int{ordinary: 9000}), nil},
		"the kernel's":           {logged(report.LogKernel, map[string]int{"EXT4-fs error (device vd%d)": 100}), nil},
		"the runtime's":          {logged(report.LogRuntime, map[string]int{`time="2026-11-22T06:59:00Z" level=error msg="failed to setup network for sandbox \"%d\""`: 30}), []string{KubeletLog}},
		"nothing":                {&report.Logs{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range kubeletFindings(&report.NodeReport{Logs: c.logs}, nil) {
				got = append(got, f.ID)
				if len(f.Evidence) == 0 || len(f.Remedy) == 0 || f.Summary == "" {
					t.Errorf("%+v", f)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// Leaked mounts are why the kubelet is hot, if its log or profile says so.
func TestHotKubeletBecauseOfMounts(t *testing.T) {
	earlier := []Finding{{ID: MountsLeaked}, {ID: RuntimeStuck}}
	for name, c := range map[string]struct {
		logs *report.Logs
		want []string
	}{
		"its log says so": {logged(report.LogKubelet, map[string]int{mountRefs: 40}), []string{MountsLeaked}},
		"nothing does":    {logged(report.LogKubelet, map[string]int{ordinary: 40}), nil},
	} {
		r, inv := busyKubelet(2022, 1<<30, 27)
		r.Logs = c.logs
		f := kubeletHot(correlate.Join(r, inv), Thresholds{}, earlier)
		if len(f) != 1 || !slices.Equal(f[0].CausedBy, c.want) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func kubeletEffects() map[string]effect {
	busy, busyInventory := busyKubelet(400, 900<<20, 27)
	large, largeInventory := busyKubelet(10, 5<<30, 27)
	logs := &report.NodeReport{Logs: logged(report.LogKubelet, map[string]int{mountRefs: 8000})}
	return map[string]effect{
		KubeletHot + ".cpu":       {"500%", busy, busyInventory, isWarning, ""},
		KubeletHot + ".memory":    {"6GiB", large, largeInventory, isWarning, ""},
		KubeletHot + ".ratio":     {"15", busy, busyInventory, isWarning, ""},
		KubeletLogFlood + ".rate": {"20/s", logs, nil, isWarning, ""},
		KubeletLog + ".lines":     {"9000", logs, nil, isWarning, ""},
	}
}
