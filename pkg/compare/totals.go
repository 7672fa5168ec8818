package compare

import (
	"math"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Delta is a number in both reports. Before or After is absent where it was not there
// (of an owner) or could not be read (of a total): then nothing else is.
type Delta struct {
	Before *uint64 `json:"before,omitempty"`
	After  *uint64 `json:"after,omitempty"`
	// Unit is "bytes", or "" for counts.
	Unit   string `json:"unit,omitempty"`
	Change int64  `json:"change"`
	// Percent of Before; nil where that was none.
	Percent *float64 `json:"percent,omitempty"`
	// PerHour is over the time between; nil where that is not known, or the node has
	// been started anew.
	PerHour *float64 `json:"perHour,omitempty"`
}

// Total is one figure of a node.
type Total struct {
	Name string `json:"name"`
	Delta
}

// deltaOf is over so many seconds; 0: no rate.
func deltaOf(before, after *uint64, unit string, seconds float64) Delta {
	d := Delta{Before: before, After: after, Unit: unit}
	if before == nil || after == nil {
		return d
	}
	d.Change = difference(*before, *after)
	if *before > 0 {
		d.Percent = new(100 * float64(d.Change) / float64(*before))
	}
	if seconds > 0 {
		d.PerHour = new(float64(d.Change) / seconds * 3600)
	}
	return d
}

// difference stays within what the two are: both come out of a file.
func difference(before, after uint64) int64 {
	if after >= before {
		return int64(min(after-before, math.MaxInt64))
	}
	return -int64(min(before-after, math.MaxInt64))
}

// totals of the sections that both have.
func totals(before, after *correlate.Node, s sections, seconds float64) []Total {
	out := []Total{}
	for _, t := range []struct {
		section section
		name    string
		unit    string
		of      func(*correlate.Node) *uint64
	}{
		{openFiles, "open files", "", func(n *correlate.Node) *uint64 {
			samples := n.Report.OpenFiles.Samples
			return &samples[len(samples)-1].Allocated
		}},
		{descriptors, "descriptors", "", func(n *correlate.Node) *uint64 { return counted(n.RankFDs(correlate.ByPod).Descriptors) }},
		{memory, "memory used", "bytes", memoryUsed},
		{tasks, "threads", "", func(n *correlate.Node) *uint64 { return n.Report.Tasks.Total }},
		{tasks, "processes", "", func(n *correlate.Node) *uint64 { return counted(n.Tasks(correlate.TaskOptions{}).Processes) }},
		{mounts, "mounts", "", func(n *correlate.Node) *uint64 { return counted(n.Mounts().HostMounts) }},
		{namespaces, "mounts in all namespaces", "", func(n *correlate.Node) *uint64 { return counted(n.Mounts().AllMounts) }},
		{mounts, "mounted devices", "", func(n *correlate.Node) *uint64 { return counted(n.Mounts().Devices) }},
		{pipes, "pages of pipes", "", pipePages},
		{runtimes, "containers and sandboxes", "", func(n *correlate.Node) *uint64 { return counted(len(n.Runtime().Containers)) }},
	} {
		if s.both[t.section] {
			out = append(out, Total{Name: t.name, Delta: deltaOf(t.of(before), t.of(after), t.unit, seconds)})
		}
	}
	return out
}

func counted(n int) *uint64 { return new(uint64(max(n, 0))) }

// memoryUsed is what is not available by the kernel's count; nil: it does not say.
func memoryUsed(n *correlate.Node) *uint64 {
	k := n.Memory(correlate.MemoryOptions{}).Kernel
	if k == nil || k.Total == nil {
		return nil
	}
	return &k.Used
}

func pipePages(n *correlate.Node) *uint64 {
	sum := uint64(0)
	for _, u := range n.Pipes(correlate.PipeOptions{}).Users {
		sum += u.Pages
	}
	return &sum
}
