package correlate

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	recordedAt = 1_700_000_000_000 // ms
	appPath    = "/kubepods/burstable/pod0c2f2b1e-6f0a-4a54-9c67-1c1f5d2a0b11/" + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	mebi       = uint64(1 << 20)
)

// recordedNode samples a pod, cron's unit and the kernel each 30 s.
func recordedNode(t *testing.T, samples []report.Sample, edit func(*report.NodeReport)) *report.NodeReport {
	t.Helper()
	var encoded [][]byte
	for i := range samples {
		encoded = append(encoded, samples[i].Append(nil))
	}
	packed, err := report.PackSamples(encoded)
	if err != nil {
		t.Fatal(err)
	}
	entry := func(path string) report.Cgroup {
		return report.Cgroup{Entries: []report.CgroupEntry{{Path: path}}}
	}
	r := &report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind,
		Node: report.Node{Hostname: "node-1", ClockTicks: 100},
		Processes: &report.Processes{
			Cgroups: []report.Cgroup{{}, entry(appPath), entry("/system.slice/cron.service"), entry("/")},
			List: []report.Process{{PID: 1, Comm: "systemd", StartTicks: 1, Cgroup: 3}, {PID: 50, Comm: "java", StartTicks: 100, Cgroup: 1},
				{PID: 50, Comm: "updatedb", StartTicks: 90_000, Cgroup: 2}}},
		Containers: &report.Containers{Pods: []report.PodRecord{{UID: "0c2f2b1e-6f0a-4a54-9c67-1c1f5d2a0b11", Namespace: "prod", Name: "shop-1"}}},
		Recording: &report.Recording{StartMillis: recordedAt, NowMillis: recordedAt + 600_000, UptimeMillis: 1_600_000, ForSeconds: 3600, EveryMillis: 30_000,
			MemTotal: 4096 * mebi, Samples: packed, FromProcesses: []int{3}},
	}
	if edit != nil {
		edit(r)
	}
	return r
}

// at is a sample by its number, of which the pod and cron have so many MiB.
func at(i int, app, cron uint64) report.Sample {
	s := report.Sample{At: recordedAt + int64(i)*30_000, Uptime: 1_000_000 + int64(i)*30_000, Count: 1,
		Owners: []report.SampleOwner{{Cgroup: 0, Tasks: 90}, {Cgroup: 1, Memory: app * mebi, FDs: 10, Tasks: 4}, {Cgroup: 2, Memory: cron * mebi, FDs: 1, Tasks: 1}}}
	for k := range s.Totals {
		s.Totals[k] = report.Unknown
	}
	s.Totals[report.TotalAvailable] = int64((3000 - app - cron) * mebi)
	return s
}

func TestHistoryNamesWhoMadeThePeak(t *testing.T) {
	samples := []report.Sample{at(0, 1000, 0), at(1, 1000, 10), at(2, 1001, 1500), at(3, 1000, 0)}
	samples[2].Processes = []report.SampleProcess{{Process: 1, RSS: 900 * mebi}, {Process: 2, RSS: 1400 * mebi}}
	n := Join(recordedNode(t, samples, nil), &inventory.Inventory{Node: "node-1"})
	h, err := n.History(MetricMemory, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := h.Moment
	if m.Sample != 2 || !h.Peak || *m.Used != (4096-499)*mebi || m.Before == nil || !m.Before.At.Equal(h.Samples[0].At) || m.Growth != 1501*int64(mebi) {
		t.Errorf("moment %+v", m)
	}
	first := m.Rows[0]
	if first.Owner.Unit != "cron.service" || first.Growth != 1500*int64(mebi) || first.Heaviest == nil || first.Heaviest.Comm != "updatedb" {
		t.Errorf("first is %+v", first)
	}
	// The pod is known by what was noted, and the API server knows it no more.
	if second := m.Rows[1].Owner; second.Namespace != "prod" || second.Pod != "shop-1" || second.PodState != PodGone || second.Container != "" {
		t.Errorf("second is %+v", second)
	}
	// The same pid was two processes; which started when, tells them apart.
	if p := m.Processes[0]; p.Comm != "updatedb" || p.Started == nil || p.Started.UnixMilli() != recordedAt-1_000_000+900_000 {
		t.Errorf("largest process %+v", p)
	}
	if h.Owners[0].Owner.Unit != "cron.service" || len(h.Owners) != 3 || len(h.Owners[0].Points) != 4 {
		t.Errorf("owners %+v", h.Owners)
	}
	if around, err := n.History(MetricTasks, new(h.Samples[3].At.Add(20*time.Second))); err != nil || around.Moment.Sample != 3 || around.Peak ||
		around.Moment.Rows[0].Owner.Type != OwnerKernel {
		t.Errorf("around: %+v %v", around.Moment, err)
	}
	if _, err := n.History(MetricMemory, new(h.End.Add(time.Hour))); !errors.Is(err, errNoMoment) {
		t.Errorf("an hour later: %v", err)
	}
}

// A merged sample holds the worst of several moments; of two equal ones, who made
// the peak only one moment tells.
func TestHistoryPrefersAMoment(t *testing.T) {
	merged := at(0, 2000, 0)
	merged.Count, merged.Span = 4, 90_000
	h, err := Join(recordedNode(t, []report.Sample{merged, at(4, 2000, 0), at(5, 0, 0)}, nil), nil).History(MetricMemory, nil)
	if err != nil || h.Moment.Sample != 1 || h.Merged != 1 || h.CoarsestSeconds != 90 {
		t.Errorf("got %+v, %v", h.Moment, err)
	}
}

func TestHistoryTellsGaps(t *testing.T) {
	slept, set := at(2, 0, 0), at(4, 0, 0)
	slept.At, slept.Uptime = slept.At+3_600_000, slept.Uptime+3_600_000
	set.Uptime += 3_600_000 // and the clock was set back an hour
	next := at(3, 0, 0)
	next.At, next.Uptime = next.At+3_600_000, next.Uptime+3_600_000
	h, err := Join(recordedNode(t, []report.Sample{at(0, 0, 0), at(1, 0, 0), slept, next, set}, nil), nil).History(MetricMemory, nil)
	if err != nil || len(h.Gaps) != 2 {
		t.Fatalf("got %+v, %v", h.Gaps, err)
	}
	if g := h.Gaps[0]; g.Seconds != 3630 || g.ClockSeconds != 0 {
		t.Errorf("asleep: %+v", g)
	}
	if g := h.Gaps[1]; g.ClockSeconds != -3600 || g.Seconds != 30 {
		t.Errorf("clock: %+v", g)
	}
}

// What a hostile node may say of itself.
func TestHistoryOfNonsense(t *testing.T) {
	s := at(0, 1, 1)
	s.At, s.Uptime, s.Span = 1<<60, 1<<60, 1<<60
	inf := math.Inf(1)
	for name, c := range map[string]struct {
		samples []report.Sample
		edit    func(*report.NodeReport)
		want    string
	}{
		"dates beyond all dates": {[]report.Sample{s, s}, func(r *report.NodeReport) {
			r.Recording.StartMillis, r.Recording.NowMillis, r.Recording.ForSeconds = math.MinInt64, math.MaxInt64, math.MaxInt64
			r.OOM = &report.OOM{Kills: []report.OOMKill{{At: &inf}, {At: new(math.NaN())}, {At: new(-1.0)}}}
			r.Processes.List[1].StartTicks, r.Processes.List[1].Cgroup = math.MaxUint64, 99
		}, ""},
		"no samples":       {nil, nil, "nothing has been recorded yet"},
		"no cgroups":       {[]report.Sample{at(0, 1, 1)}, func(r *report.NodeReport) { r.Processes.Cgroups = nil }, "sample 0"},
		"no recording":     {nil, func(r *report.NodeReport) { r.Recording = nil }, "holds no recording"},
		"no process table": {nil, func(r *report.NodeReport) { r.Processes = nil }, "holds no recording"},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := Join(recordedNode(t, c.samples, c.edit), nil).History(MetricFD, nil)
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) || c.want == "" && err != nil {
				t.Errorf("got %+v, %v", h, err)
			}
			if err == nil && h.End.Year() > 9999 {
				t.Errorf("ends in the year %d", h.End.Year())
			}
		})
	}
}
