package correlate

import (
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Metric is what a history is ranked by.
type Metric string

// Metrics of a history.
const (
	MetricMemory Metric = "memory"
	MetricFD     Metric = "fd"
	MetricTasks  Metric = "tasks"
)

// Metrics lists them.
func Metrics() []string { return []string{string(MetricMemory), string(MetricFD), string(MetricTasks)} }

// NodeHistory is what a recorder has seen of a node. Times are by the node's clock.
type NodeHistory struct {
	Node  string    `json:"node"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"` // of the last sample
	// Until is when the recorder ends by itself; nil: it has ended.
	Until *time.Time `json:"until,omitempty"`
	// EverySeconds lies between two samples as asked for.
	EverySeconds float64 `json:"everySeconds"`
	// Zone is that which times are told in, for a person.
	Zone *time.Location `json:"-"`
	// Merged samples hold the worst of several moments, CoarsestSeconds apart at most.
	Merged          int     `json:"merged,omitempty"`
	CoarsestSeconds float64 `json:"coarsestSeconds,omitempty"`
	// Gaps are times without a sample.
	Gaps []HistoryGap `json:"gaps"`
	// Missed samples did not come about; Why says why the last one did not.
	Missed int    `json:"missed,omitempty"`
	Why    string `json:"why,omitempty"`

	Metric Metric `json:"metric"`
	// Moment is the peak, or the one that was asked for.
	Moment HistoryMoment `json:"moment"`
	Peak   bool          `json:"peak"`

	Samples []HistorySample `json:"samples"`
	Owners  []HistorySeries `json:"owners"`
	// OOMKills while it recorded, the oldest first.
	OOMKills []HistoryKill `json:"oomKills"`
	// OOMCount is how many the kernel has counted; nil: it does not (before 4.13).
	OOMCount *int64 `json:"oomCount,omitempty"`

	Recorder HistoryCost `json:"recorder"`
}

// HistoryCost is what recording has taken of the node.
type HistoryCost struct {
	Version       string  `json:"version"`
	CPUSeconds    float64 `json:"cpuSeconds"`
	CPUPercent    float64 `json:"cpuPercent"` // of one core
	ResidentBytes uint64  `json:"residentBytes"`
}

// HistoryGap is a time without a sample.
type HistoryGap struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Seconds float64   `json:"seconds"`
	// ClockSeconds is how far the node's clock was set in between, if it was.
	ClockSeconds float64 `json:"clockSeconds,omitempty"`
}

// HistorySample is the node at one moment; nil: it does not say. Bytes, but for
// counts.
type HistorySample struct {
	At time.Time `json:"at"`
	// Seconds until its last moment, of a merged one.
	Seconds float64 `json:"seconds,omitempty"`
	// Jump: it was taken out of turn, since a total had jumped.
	Jump bool `json:"jump,omitempty"`
	// Used is MemTotal less Available; of kernels before 3.14 less what is free.
	Used       *uint64 `json:"used,omitempty"`
	Available  *uint64 `json:"available,omitempty"`
	Free       *uint64 `json:"free,omitempty"`
	WorkingSet *uint64 `json:"workingSet,omitempty"`
	Kernel     *uint64 `json:"kernel,omitempty"`
	Swap       *uint64 `json:"swap,omitempty"`
	Files      *uint64 `json:"files,omitempty"`
	Tasks      *uint64 `json:"tasks,omitempty"`
	// ProcessCount is of thread groups, the kernel's own included.
	ProcessCount *uint64  `json:"processCount,omitempty"`
	Unread       *uint64  `json:"unread,omitempty"`
	Mounts       *uint64  `json:"mounts,omitempty"`
	Load         *float64 `json:"load,omitempty"`
	Pressure     *float64 `json:"pressure,omitempty"` // memory, some avg10, percent
	OOMKills     *uint64  `json:"oomKills,omitempty"` // since boot
	// Left is what owners had that were too many to keep.
	Left HistoryValue `json:"left,omitzero"`
}

// HistoryValue is what somebody has.
type HistoryValue struct {
	Memory uint64 `json:"memory"`
	FDs    uint64 `json:"fds"`
	Tasks  uint64 `json:"tasks"`
}

func (v *HistoryValue) add(o report.SampleOwner) {
	v.Memory, v.FDs, v.Tasks = v.Memory+o.Memory, v.FDs+o.FDs, v.Tasks+o.Tasks
}

// Of is the value by a metric.
func (v HistoryValue) Of(m Metric) uint64 {
	switch m {
	case MetricFD:
		return v.FDs
	case MetricTasks:
		return v.Tasks
	}
	return v.Memory
}

// HistorySeries is one owner over time: a point for each sample in which it had
// anything.
type HistorySeries struct {
	Owner  Owner          `json:"owner"`
	Points []HistoryPoint `json:"points"`
	// FromProcesses: its memory is the sum of its processes' resident sizes.
	FromProcesses bool `json:"fromProcesses,omitempty"`
}

// HistoryPoint is one owner in one sample.
type HistoryPoint struct {
	Sample int `json:"sample"` // index into Samples
	HistoryValue
}

// HistoryKill is one OOM kill.
type HistoryKill struct {
	At    time.Time      `json:"at"`
	Owner Owner          `json:"owner"`
	Kill  report.OOMKill `json:"kill"`
}
