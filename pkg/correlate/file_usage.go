package correlate

import (
	"math"
)

// FileUsage is fs.file-nr against fs.file-max. systemd sets the limit to
// LONG_MAX, which is none: see Unlimited.
type FileUsage struct {
	Used    uint64  `json:"used"`
	Max     uint64  `json:"max"`
	Percent float64 `json:"percent"`
	// PerSecond is the growth over Seconds; Steady: in no step of it did the
	// number fall, and it rose in most.
	PerSecond float64 `json:"perSecond"`
	Seconds   float64 `json:"seconds"`
	Steady    bool    `json:"steady"`
	// FullInSeconds at that rate; nil where it does not grow.
	FullInSeconds *float64 `json:"fullInSeconds,omitempty"`
	// InNoTable is what no process's descriptors explain; nil where these were
	// not counted.
	InNoTable *InNoTable `json:"inNoTable,omitempty"`
}

// InNoTable are open files that no process's descriptor table holds: mapped
// ones whose descriptor is closed, those in flight over unix sockets, those
// registered with io_uring, and the kernel's own for loop devices, swap, nfsd.
type InNoTable struct {
	// AtLeast is file-nr less all descriptors: many of these may share a file.
	AtLeast uint64 `json:"atLeast"`
	// Percent of the node's open files.
	Percent float64 `json:"percent"`
	// Partial: this process table is not the whole kernel's, as in a node that
	// is a container itself, and says nothing about the rest.
	Partial bool `json:"partial,omitempty"`
}

// inNoTable compares the kernel's count with all descriptors that were seen.
// Every kernel has threads of its own: where none are seen, the processes are
// those of a pid namespace.
func (n *Node) inNoTable(u *FileUsage, descriptors int) *InNoTable {
	if u == nil || n.Report.Processes == nil || n.Report.Processes.FDMethod == "" || descriptors < 0 {
		return nil
	}
	left := u.Used - min(u.Used, uint64(descriptors))
	return &InNoTable{AtLeast: left, Percent: percent(float64(left), float64(u.Used)), Partial: n.Report.Processes.KernelThreads == 0}
}

// Unlimited says whether the limit is beyond what memory could hold: a file
// takes some 200 bytes of the kernel's.
func (u FileUsage) Unlimited() bool { return u.Max >= 1<<48 }

// Forecast is when the node will be full, where a short sample can tell: it
// rose steadily over a second or more and the node is half full, or over some
// and it has less than an hour left. Healthy nodes, too, open files for some seconds in a row.
func (u FileUsage) Forecast() (seconds float64, ok bool) {
	seconds, ok = u.Trend()
	return seconds, ok && (u.Percent >= 50 || seconds < 3600 && u.Seconds >= 2.5)
}

// TrendSeconds is how long a rise has to last, so that anything follows from it.
const TrendSeconds = 1

// Trend is when the node will be full, if it goes on as it did while it was looked at:
// ok where it rose steadily.
func (u FileUsage) Trend() (seconds float64, ok bool) {
	if u.FullInSeconds == nil || !u.Steady || u.Seconds < TrendSeconds || u.Unlimited() {
		return 0, false
	}
	return *u.FullInSeconds, true
}

func (n *Node) fileUsage() *FileUsage {
	f := n.Report.OpenFiles
	if f == nil || f.Max == nil || len(f.Samples) == 0 {
		return nil
	}
	first, last := f.Samples[0], f.Samples[len(f.Samples)-1]
	u := &FileUsage{Used: min(last.Allocated, math.MaxInt64), Max: min(*f.Max, math.MaxInt64), Percent: percent(float64(last.Allocated), float64(*f.Max)),
		Seconds: float64(last.AtMillis-first.AtMillis) / 1000}
	if u.Seconds <= 0 {
		return u
	}
	u.PerSecond = (float64(last.Allocated) - float64(first.Allocated)) / u.Seconds
	counts := make([]int, len(f.Samples))
	for i, sample := range f.Samples {
		counts[i] = int(min(sample.Allocated, math.MaxInt64))
	}
	u.Steady = rises(counts)
	if u.PerSecond > 0 && u.Max > u.Used {
		left := float64(u.Max-u.Used) / u.PerSecond
		u.FullInSeconds = &left
	}
	return u
}

// rises tells growth from a passing wave: no step falls, and more than half of
// them rise.
func rises(counts []int) bool {
	up := 0
	for i := 1; i < len(counts); i++ {
		switch {
		case counts[i] < counts[i-1]:
			return false
		case counts[i] > counts[i-1]:
			up++
		}
	}
	return 2*up > len(counts)-1
}
