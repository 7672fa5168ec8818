//go:build linux

package probe

import (
	"bytes"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// What samples speak of is kept once. These bound it.
const (
	maxRecordedCgroups    = 2048
	maxRecordedProcesses  = 2048
	maxRecordedContainers = 2048
	// maxRecordedPath bounds a cgroup's path in bytes: see maxCgroupPath. One cut short
	// is that of a cgroup above, which counts what is below.
	maxRecordedPath = 512
)

// recorded is all that samples speak of, by index.
type recorded struct {
	cgroups   []report.Cgroup
	raw       []string // the content of /proc/PID/cgroup behind each
	cgroupAt  map[string]int
	dirs      map[string]string // by raw: where its memory cgroup lies, "" nowhere
	summed    map[string]bool   // by raw: its memory is the sum over its processes
	processes []report.Process
	processAt map[uint64]int // by processKey
}

// processKey names a process: a pid, of 22 bits at most, is given again.
func processKey(pid int, start uint64) uint64 { return start<<22 ^ uint64(pid) }

func newRecorded() *recorded {
	return &recorded{cgroups: make([]report.Cgroup, 1), raw: make([]string, 1), cgroupAt: map[string]int{},
		dirs: map[string]string{}, summed: map[string]bool{}, processAt: map[uint64]int{}}
}

// cgroup is the index of a process's cgroups; fresh: they have not been seen before.
func (r *recorded) cgroup(b []byte) (at int, fresh bool) {
	at, known := r.cgroupAt[string(b)]
	if !known {
		at = len(r.cgroups)
		raw := string(b)
		r.cgroupAt[raw] = at
		r.cgroups = append(r.cgroups, cgroup(b))
		r.raw = append(r.raw, raw)
	}
	return at, !known
}

// shortLines cuts the paths of /proc/PID/cgroup, "4:memory:/a/b".
func shortLines(b []byte, most int) []byte {
	if len(b) <= most {
		return b
	}
	var out []byte
	for line := range bytes.Lines(b) {
		at := bytes.IndexByte(line, '/')
		if path := string(bytes.TrimSuffix(line[max(at, 0):], []byte("\n"))); at >= 0 && len(path) > most {
			out = append(append(append(out, line[:at]...), upTo(path, most)...), '\n')
			continue
		}
		out = append(out, line...)
	}
	return out
}

// compact drops what no sample speaks of any more, and where that is not enough
// has older samples speak of less. Process 1 stays: by it cgroups are read.
func (r *recorded) compact(g *ring) {
	if len(r.cgroups) <= maxRecordedCgroups && len(r.processes) <= maxRecordedProcesses {
		return
	}
	const enough = 3 // quarters
	owners := ownersPerSample
	for {
		cgroups, processes := r.spokenOf(g)
		if len(cgroups) <= maxRecordedCgroups/4*enough && len(processes) <= maxRecordedProcesses/4*enough {
			r.keep(g, cgroups, processes)
			return
		}
		if owners /= 2; owners < 8 { // then there are too many samples
			half := len(g.samples) / 2
			for _, e := range g.samples[:half] {
				g.bytes -= len(e)
			}
			g.samples, owners = g.samples[half:], ownersPerSample
			g.thinned++
			continue
		}
		g.rewrite(func(s *report.Sample) { shorten(s, owners, max(owners/25, 1)) })
		g.thinned++
	}
}

// spokenOf are the indices that samples name.
func (r *recorded) spokenOf(g *ring) (cgroups, processes map[int]int) {
	cgroups, processes = map[int]int{report.KernelCgroup: 0}, map[int]int{}
	for i, p := range r.processes {
		if p.PID == 1 {
			processes[i] = 0
		}
	}
	for _, e := range g.samples {
		if g.a.Decode(e) != nil {
			continue
		}
		for _, o := range g.a.Owners {
			cgroups[o.Cgroup] = 0
		}
		for _, p := range g.a.Processes {
			processes[p.Process] = 0
		}
	}
	for i := range processes {
		if c := r.processes[i].Cgroup; c >= 0 {
			cgroups[c] = 0
		}
	}
	return cgroups, processes
}

// keep renumbers what is kept, in its old order, so that samples stay sorted.
func (r *recorded) keep(g *ring, cgroups, processes map[int]int) {
	kept := newRecorded()
	kept.cgroups, kept.raw = kept.cgroups[:0], kept.raw[:0]
	for i, raw := range r.raw {
		if _, ok := cgroups[i]; !ok {
			continue
		}
		cgroups[i] = len(kept.cgroups)
		if i != report.KernelCgroup {
			kept.cgroupAt[raw], kept.dirs[raw] = cgroups[i], r.dirs[raw]
			if r.summed[raw] {
				kept.summed[raw] = true
			}
		}
		kept.cgroups, kept.raw = append(kept.cgroups, r.cgroups[i]), append(kept.raw, raw)
	}
	for i, p := range r.processes {
		if _, ok := processes[i]; ok {
			processes[i] = len(kept.processes)
			kept.processAt[processKey(p.PID, p.StartTicks)] = len(kept.processes)
			if p.Cgroup >= 0 {
				p.Cgroup = cgroups[p.Cgroup]
			}
			kept.processes = append(kept.processes, p)
		}
	}
	*r = *kept
	g.rewrite(func(s *report.Sample) {
		for i := range s.Owners {
			s.Owners[i].Cgroup = cgroups[s.Owners[i].Cgroup]
		}
		for i := range s.Processes {
			s.Processes[i].Process = processes[s.Processes[i].Process]
		}
	})
}

// rewrite changes every sample.
func (g *ring) rewrite(change func(*report.Sample)) {
	g.bytes = 0
	for i, e := range g.samples {
		if g.a.Decode(e) == nil {
			change(&g.a)
			g.samples[i] = g.a.Append(nil)
		}
		g.bytes += len(g.samples[i])
	}
}

// speaksOf says whether a container is in any recorded path.
func (r *recorded) speaksOf(container string) bool {
	for _, raw := range r.raw {
		if strings.Contains(raw, container) {
			return true
		}
	}
	return false
}
