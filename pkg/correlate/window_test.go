package correlate

import (
	"slices"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func sampleOf(uptime float64, processes ...report.Process) *report.NodeReport {
	return &report.NodeReport{Node: report.Node{Uptime: uptime},
		Processes: &report.Processes{FDIntervalMillis: 3000, List: processes}}
}

func holding(pid int, start uint64, before, count int) report.Process {
	return report.Process{PID: pid, StartTicks: start, FDs: &report.FDs{Before: &before, Count: count, Steps: []int{before, count}}}
}

func TestWindowCountsFromTheFirstSample(t *testing.T) {
	w := NewWindow()
	w.Add(sampleOf(1000, holding(7, 1, 600, 601), holding(8, 1, 50, 50)))
	last := sampleOf(1060, holding(7, 1, 618, 620), holding(8, 2, 10, 12), report.Process{PID: 9, FDs: &report.FDs{Count: 4}}, report.Process{PID: 2})
	got := w.Add(last)
	if got.Processes.FDIntervalMillis != 63_000 {
		t.Errorf("%d ms", got.Processes.FDIntervalMillis)
	}
	list := got.Processes.List
	if f := list[0].FDs; *f.Before != 600 || !slices.Equal(f.Steps, []int{600, 601, 620}) || f.Count != 620 {
		t.Errorf("got %+v", f)
	}
	if f := list[1].FDs; *f.Before != 10 { // another process by now
		t.Errorf("got %+v", f)
	}
	if list[2].FDs.Before != nil || list[3].FDs != nil {
		t.Errorf("got %+v", list)
	}
	if f := last.Processes.List[0].FDs; *f.Before != 618 || len(f.Steps) != 2 {
		t.Errorf("the sample itself is changed: %+v", f)
	}
}

func TestWindowStaysSmall(t *testing.T) {
	w := NewWindow()
	var got *report.NodeReport
	for i := range 500 {
		got = w.Add(sampleOf(float64(1000+3*i), holding(7, 1, 600+i, 601+i)))
	}
	f := got.Processes.List[0].FDs
	if len(f.Steps) > windowPoints || f.Steps[0] != 600 || f.Steps[len(f.Steps)-1] != 1100 || !slices.IsSorted(f.Steps) {
		t.Errorf("got %v", f.Steps)
	}
	if len(w.counts) != 1 {
		t.Errorf("%d processes", len(w.counts))
	}
}
