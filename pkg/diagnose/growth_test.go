package diagnose

import (
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// aged lets a process have begun so many seconds ago.
func aged(p report.Process, seconds uint64) report.Process {
	p.StartTicks = (86400 - seconds) * 100
	return p
}

// A database that opens its tables for minutes is no leak; thousands of one
// thing are, however young the process is.
func TestGrowthInTheFirstMinutes(t *testing.T) {
	for name, c := range map[string]struct {
		age     uint64
		targets []report.Target
		want    int
	}{
		"2 min, of many sorts": {120, []report.Target{{Kind: "file", Pattern: "/data/a/…", Count: 499}}, 0},
		"2 min, half of one":   {120, []report.Target{{Kind: "TCP", Pattern: "CLOSE_WAIT to 10.0.0.1:443", Count: 500}}, 1},
		"2 min, not looked at": {120, nil, 0},
		"5 min, of many sorts": {300, []report.Target{{Kind: "file", Pattern: "/data/a/…", Count: 10}}, 1},
		"50 s, all of one":     {50, []report.Target{{Kind: "FIFO", Pattern: fifoPattern, Count: 1000}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := aged(process(22, "java", inPod, 900, 1000), c.age)
			p.FDs.Targets = c.targets
			if f := diagnosed(add(newNode(), p), hubInventory()); len(f) != c.want {
				t.Errorf("got %+v, want %d", f, c.want)
			}
		})
	}
}

// Pods that start cost the runtime some files each, for as long as they run.
func TestRuntimeGrowsWithTheContainersThatStart(t *testing.T) {
	for name, c := range map[string]struct {
		started, gained int
		want            int
	}{
		"nothing starts":          {0, 20, 1},
		"one starts, 50 files":    {1, 50, 0},
		"one starts, 51 files":    {1, 51, 1},
		"a rollout of ten, 400":   {10, 400, 0},
		"a rollout, and it leaks": {10, 4000, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := add(newNode(), process(9, "dockerd", inDocker, 2000, 2000+c.gained))
			for i := range c.started {
				id := string(rune('a'+i%6)) + containerID[1:62] + string(rune('0'+i/6)) + "f"
				r.Processes.Cgroups = append(r.Processes.Cgroups, report.Cgroup{Entries: []report.CgroupEntry{{Controllers: "memory", Path: "/kubepods/burstable/pod" + podUID + "/" + id}}})
				add(r, aged(process(100+i, "web", len(r.Processes.Cgroups)-1, 10, 10), 20))
			}
			if f := diagnosed(r, hubInventory()); len(f) != c.want {
				t.Errorf("got %+v, want %d", f, c.want)
			}
		})
	}
}
