package correlate

import (
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Window sees the samples of a watch as one long look: what gains too little in
// each of them to be told from coming and going shows over many.
type Window struct {
	begun  float64 // seconds after boot, at the first count
	counts map[windowKey][]int
	memory memoryWindow
}

// windowKey tells a process from a later one with its pid.
type windowKey struct {
	pid   int
	start uint64
}

// windowPoints bounds the counts kept of a process. Every second one is dropped
// where there are more: the longer the look, the less a small wave matters.
const windowPoints = 8

// NewWindow is one that has seen nothing yet.
func NewWindow() *Window { return &Window{} }

// Add gives a report whose first counts of descriptors are those of the first
// sample. The report itself stays as it is.
func (w *Window) Add(r *report.NodeReport) *report.NodeReport {
	if r.Processes == nil {
		return r
	}
	if w.counts == nil {
		w.begun = r.Node.Uptime
	}
	seen := map[windowKey][]int{}
	wide, processes := *r, *r.Processes
	processes.List = slices.Clone(processes.List)
	for i := range processes.List {
		p := &processes.List[i]
		if p.FDs == nil || p.FDs.Before == nil {
			continue
		}
		key := windowKey{p.PID, p.StartTicks}
		points := w.counts[key]
		if points == nil {
			points = []int{*p.FDs.Before}
		}
		points = thin(append(slices.Clone(points), p.FDs.Count))
		seen[key] = points
		fds := *p.FDs
		fds.Before, fds.Steps = &points[0], points
		p.FDs = &fds
	}
	w.counts = seen
	processes.FDIntervalMillis += int64(1000 * (r.Node.Uptime - w.begun))
	wide.Processes = &processes
	w.memory.add(&wide)
	return &wide
}

// thin keeps the first and the last.
func thin[T int | uint64](points []T) []T {
	if len(points) <= windowPoints {
		return points
	}
	kept := points[:0]
	for i, n := range points {
		if i%2 == 0 || i == len(points)-1 {
			kept = append(kept, n)
		}
	}
	return kept
}
