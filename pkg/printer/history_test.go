package printer

import (
	"bytes"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

var nightBegan = time.Date(2026, 3, 1, 22, 0, 0, 0, time.UTC)

// recordedNight is a recording of 12 hours in which cron's updatedb makes a peak.
func recordedNight() *correlate.NodeHistory {
	const gib, count, peak = uint64(1 << 30), 360, 130
	hub, gone := podOwner("hub-0", "StatefulSet/hub", correlate.PodKnown), podOwner("ops-0", "", correlate.PodGone)
	cron := correlate.Owner{Type: correlate.OwnerUnit, Unit: "cron.service"}
	evil := correlate.Owner{Type: correlate.OwnerCgroup, Cgroup: `/evil\x1b[31m/` + "全角全角全角全角全角全角全角全角"}
	h := &correlate.NodeHistory{Node: "node-43", Start: nightBegan, End: nightBegan.Add(12 * time.Hour), EverySeconds: 30, Metric: correlate.MetricMemory, Peak: true,
		OOMCount: of(int64(3)), Recorder: correlate.HistoryCost{Version: "v1", CPUSeconds: 81.3, CPUPercent: 0.19, ResidentBytes: 14 << 20}}
	series := make([]correlate.HistorySeries, 4)
	series[0].Owner, series[1].Owner, series[2].Owner, series[3].Owner = cron, hub, gone, evil
	for i := range count {
		s := correlate.HistorySample{At: nightBegan.Add(time.Duration(i) * 2 * time.Minute), Used: of(8 * gib), Available: of(24 * gib), Files: of(uint64(9000 + i)), Tasks: of(uint64(1200))}
		add := func(k int, v correlate.HistoryValue) {
			series[k].Points = append(series[k].Points, correlate.HistoryPoint{Sample: i, HistoryValue: v})
		}
		if i > peak-10 && i <= peak { // it grows for 20 minutes
			grown := uint64(i-peak+10) * 18 * gib / 10
			add(0, correlate.HistoryValue{Memory: grown, FDs: 20, Tasks: 2})
			s.Used, s.Available = of(*s.Used+grown), of(*s.Available-grown)
		}
		add(1, correlate.HistoryValue{Memory: 6 * gib, FDs: 4201, Tasks: 300})
		if i < 100 {
			add(2, correlate.HistoryValue{Memory: uint64(i) << 23, FDs: 5, Tasks: 5})
		}
		if i%7 == 0 {
			add(3, correlate.HistoryValue{Memory: 3 << 20, FDs: 1, Tasks: 1})
		}
		h.Samples = append(h.Samples, s)
	}
	h.Owners = series
	m := h.Samples[peak]
	m.WorkingSet, m.Kernel, m.ProcessCount, m.Mounts, m.Load, m.Pressure = of(29*gib), of(gib), of(uint64(412)), of(uint64(96)), of(17.25), of(31.5)
	m.Left = correlate.HistoryValue{Memory: 5 << 20, FDs: 3, Tasks: 1}
	started := nightBegan.Add(4 * time.Hour)
	processes := []correlate.HistoryProcess{
		{Owner: cron, PID: 1337531, PPID: 1, Comm: "updatedb", Cmdline: "/usr/bin/updatedb.mlocate", Started: &started, RSS: 18 * gib, FDs: 9, Threads: 1},
		{Owner: hub, Container: "agent", PID: 22, Comm: "java", Cmdline: "java -jar hub.jar --a-rather-long-argument=that-does-not-fit-into-any-narrow-terminal --and=another", Started: &started, RSS: 5 * gib, FDs: 4000, Threads: 280},
		{Owner: evil, PID: 9, Comm: `x\x1b[2J`, RSS: 3 << 20, FDs: 1, Threads: 1},
		{Owner: hub, Container: "agent", PID: 23, Comm: "sh"},
	}
	h.Moment = correlate.HistoryMoment{Sample: peak, HistorySample: m, Before: &h.Samples[peak-10], Growth: int64(18 * gib), Limit: 32 * gib, Processes: processes,
		Rows: []correlate.HistoryRow{
			{Owner: cron, HistoryValue: correlate.HistoryValue{Memory: 18 * gib, FDs: 20, Tasks: 2}, Growth: int64(18 * gib), Heaviest: &processes[0]},
			{Owner: evil, HistoryValue: correlate.HistoryValue{Memory: 3 << 20, FDs: 1, Tasks: 1}, Growth: 1 << 20, Heaviest: &processes[2]},
			{Owner: hub, HistoryValue: correlate.HistoryValue{Memory: 6 * gib, FDs: 4201, Tasks: 300}, Growth: -7 << 20, Heaviest: &processes[1]},
			{Owner: correlate.Owner{Type: correlate.OwnerKernel}, HistoryValue: correlate.HistoryValue{Tasks: 180}},
		}}
	h.Samples[peak] = m
	return h
}

func showHistory(h *correlate.NodeHistory, edit func(*Style)) show {
	return func(t *testing.T, s Style) string {
		t.Helper()
		s.Top = 10
		if edit != nil {
			edit(&s)
		}
		var b bytes.Buffer
		if err := History(&b, h, s); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
}

func TestHistory(t *testing.T) {
	golden(t, "history-night", showHistory(recordedNight(), nil))
	golden(t, "history-top", showHistory(recordedNight(), func(s *Style) { s.Top = 1 }))

	fds := recordedNight()
	fds.Metric, fds.Moment.Limit, fds.Moment.Growth = correlate.MetricFD, 100_000, 0
	fds.Moment.Before = nil
	golden(t, "history-fd", showHistory(fds, nil))

	tasks := recordedNight()
	tasks.Metric, tasks.Moment.Limit, tasks.Moment.Growth, tasks.Peak = correlate.MetricTasks, 0, 500, false
	golden(t, "history-tasks-around", showHistory(tasks, nil))

	worn := recordedNight()
	worn.Until = of(nightBegan.Add(24 * time.Hour))
	worn.Merged, worn.CoarsestSeconds, worn.Missed, worn.Why = 120, 480, 3, `gave up after 20s \x1b`
	worn.Moment.Seconds = 480
	worn.Samples[3].Jump = true
	for i := range 7 {
		from := nightBegan.Add(time.Duration(i) * time.Hour)
		worn.Gaps = append(worn.Gaps, correlate.HistoryGap{From: from, To: from.Add(50 * time.Minute), Seconds: 3000})
	}
	worn.Gaps[1].ClockSeconds = -3600
	worn.OOMKills = []correlate.HistoryKill{
		{At: nightBegan.Add(5 * time.Hour), Owner: podOwner("ops-0", "", correlate.PodGone), Kill: report.OOMKill{PID: 77, Comm: `java\x1b`, AnonRSS: of(uint64(1 << 30)), FileRSS: of(uint64(4096)), Constraint: report.OOMCgroup}},
		{At: nightBegan.Add(6 * time.Hour), Owner: correlate.Owner{Type: correlate.OwnerUnknown}, Kill: report.OOMKill{PID: 78, Comm: "sh"}},
	}
	golden(t, "history-worn", showHistory(worn, nil))

	// One sample, of a kernel that says nothing.
	bare := &correlate.NodeHistory{Node: "n", Start: nightBegan, End: nightBegan, EverySeconds: 1, Metric: correlate.MetricMemory, Peak: true, Samples: []correlate.HistorySample{{At: nightBegan}}}
	bare.Moment.At = nightBegan
	golden(t, "history-bare", showHistory(bare, nil))
}

func TestSparkline(t *testing.T) {
	if got := sparkline([]float64{-1, 0, 1, 4, 7.9, 8, 9}, 8); got != "·▁▂▅███" {
		t.Errorf("got %q", got)
	}
	if got := sparkline([]float64{0, 5}, 0); got != "▁▁" {
		t.Errorf("got %q", got)
	}
}
