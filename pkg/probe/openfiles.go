//go:build linux

package probe

import (
	"context"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// fdSample is the number of descriptors per process at one moment.
type fdSample struct {
	at     time.Time
	uptime float64 // seconds after boot
	counts map[int]int
	// cgroups are the sums by the content of /proc/PID/cgroup: short-lived
	// processes come and go, and only the sum tells whether their owner grows.
	cgroups map[string]int
	// steps are the counts of the heaviest processes, from the first on.
	steps map[int][]int
}

// heavyProcesses is how many are counted at every step of the interval.
const heavyProcesses = 32

// sampleSteps is how often the node's totals are read during the interval: growth
// that shows in every step is no passing wave.
const sampleSteps = 4

// collectOpenFiles reads the node's totals, takes the first descriptor count
// and lets the sampling interval pass.
func collectOpenFiles(ctx context.Context, r run) (publish, error) {
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	bad := unreadable{}
	files := &report.OpenFiles{PerProcessMax: readNumber(proc, "sys/fs/nr_open", bad), Inotify: inotifyLimits(proc, bad)}
	var first *fdSample
	if r.req.FDs {
		first = sampleFDs(proc)
	}
	start := time.Now()
	failed := false
	var memory []report.MemorySample
	tree := r.memoryTree()
	defer tree.close()
	err = pass(ctx, r.req, func(step int) {
		if !failed {
			failed = !sampleFileNr(proc, files, start, bad)
		}
		if step > 0 && first != nil {
			first.step(proc)
		}
		if step > 0 && r.memoryFirst != nil {
			memory = append(memory, sampleTotals(proc, tree, r.memoryFirst.at))
		}
	})
	if err != nil {
		return nil, err
	}
	files.Unreadable = bad.list()
	return func(r *run) { r.report.OpenFiles, r.first, r.memorySamples = files, first, memory }, nil
}

func sampleFileNr(proc *hostfs.Proc, files *report.OpenFiles, start time.Time, bad unreadable) bool {
	b, err := proc.Read("sys/fs/file-nr")
	if err == nil {
		var used, limit uint64
		if used, limit, err = hostfs.ParseFileNr(b); err == nil {
			files.Max = &limit
			files.Samples = append(files.Samples, report.FileSample{AtMillis: time.Since(start).Milliseconds(), Allocated: used})
			return true
		}
	}
	bad.add("/proc/sys/fs/file-nr", err)
	return false
}

// sampleFDs counts every process's descriptors; one that cannot be read is
// absent, and named when the process table is read.
func sampleFDs(proc *hostfs.Proc) *fdSample {
	s := &fdSample{at: time.Now(), counts: map[int]int{}, cgroups: map[string]int{}, steps: map[int][]int{}}
	if b, err := proc.Read("uptime"); err == nil {
		s.uptime = hostfs.ParseUptime(b)
	}
	pids, err := proc.PIDs()
	if err != nil {
		return s
	}
	counter := hostfs.NewFDCounter(proc)
	for _, pid := range pids {
		n, err := counter.Count(pid)
		if err != nil {
			continue
		}
		s.counts[pid] = n
		if b, err := proc.ReadPID(pid, "cgroup"); err == nil {
			s.cgroups[string(b)] += n
		}
	}
	s.followHeaviest()
	return s
}

func (s *fdSample) followHeaviest() {
	pids := slices.Collect(maps.Keys(s.counts))
	sort.Slice(pids, func(i, j int) bool {
		a, b := pids[i], pids[j]
		return s.counts[a] > s.counts[b] || s.counts[a] == s.counts[b] && a < b
	})
	for _, pid := range pids[:min(heavyProcesses, len(pids))] {
		s.steps[pid] = []int{s.counts[pid]}
	}
}

// step counts the heaviest once more.
func (s *fdSample) step(proc *hostfs.Proc) {
	counter := hostfs.NewFDCounter(proc)
	for pid, counts := range s.steps {
		if n, err := counter.Count(pid); err == nil {
			s.steps[pid] = append(counts, n)
		}
	}
}

func readNumber(proc *hostfs.Proc, name string, bad unreadable) *uint64 {
	b, err := proc.Read(name)
	if err == nil {
		var n uint64
		if n, err = strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil {
			return &n
		}
	}
	bad.add("/proc/"+name, err)
	return nil
}
