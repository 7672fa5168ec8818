package correlate

import (
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// memoryWindow is what a Window keeps of memory.
type memoryWindow struct {
	begun     float64 // seconds after boot, at the first look
	seen      bool
	processes map[windowKey][]uint64
	cgroups   map[string]cgroupBefore
	first     report.MemorySample
}

// cgroupBefore is a cgroup at the first look at which it was there.
type cgroupBefore struct{ usage, anon, shmem *uint64 }

// add gives a report the first look's sizes. Its lists of processes are its own
// already.
func (w *memoryWindow) add(r *report.NodeReport) {
	if r.Memory == nil || len(r.Memory.Samples) == 0 {
		return
	}
	if !w.seen {
		w.seen, w.begun, w.first = true, r.Node.Uptime, r.Memory.Samples[0]
	}
	memory := *r.Memory
	r.Memory = &memory
	memory.Samples = slices.Clone(memory.Samples)
	later := int64(1000 * (r.Node.Uptime - w.begun))
	for i := range memory.Samples {
		memory.Samples[i].AtMillis += later
	}
	if later > 0 {
		memory.Samples = slices.Insert(memory.Samples, 0, w.first)
	}
	w.addProcesses(r.Processes.List)
	memory.Cgroups = slices.Clone(memory.Cgroups)
	cgroups := map[string]cgroupBefore{}
	for i := range memory.Cgroups {
		c := &memory.Cgroups[i]
		before, known := w.cgroups[c.Path]
		if !known { // one that came later had nothing at the first look
			if before = (cgroupBefore{c.UsageBefore, c.AnonBefore, c.ShmemBefore}); w.cgroups != nil {
				before = cgroupBefore{new(uint64), new(uint64), new(uint64)}
			}
		}
		cgroups[c.Path] = before
		c.UsageBefore, c.AnonBefore, c.ShmemBefore = before.usage, before.anon, before.shmem
	}
	w.cgroups = cgroups
}

func (w *memoryWindow) addProcesses(list []report.Process) {
	seen := map[windowKey][]uint64{}
	for i := range list {
		p := &list[i]
		if p.Memory == nil || p.Memory.RSSBefore == nil {
			continue
		}
		key := windowKey{p.PID, p.StartTicks}
		points := w.processes[key]
		if points == nil {
			points = []uint64{*p.Memory.RSSBefore}
		}
		points = thin(append(slices.Clone(points), unsigned(p.RSSBytes)))
		seen[key] = points
		memory := *p.Memory
		memory.RSSBefore, memory.RSSSteps = &points[0], points
		p.Memory = &memory
	}
	w.processes = seen
}
