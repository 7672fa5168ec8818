package diagnose

import (
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// filled makes a pod's files in memory have been less before, and the node fall by as
// much in so many milliseconds.
func filled(files, gained, mapped, limit, available uint64, millis int64) func(*report.NodeReport) {
	return func(r *report.NodeReport) {
		inTmpfs(podCgroup, files, mapped)(r)
		for i := range r.Memory.Cgroups {
			c := &r.Memory.Cgroups[i]
			if c.Path == podCgroup {
				if c.ShmemBefore = new(files - gained); limit > 0 {
					c.Limit = &limit
				}
			}
		}
		*r.Memory.Info.Available = available
		r.Memory.Samples = []report.MemorySample{{Available: new(available + gained)}, {AtMillis: millis, Available: &available}}
	}
}

// slabs are the kernel's own memory at each step of the look.
func slabs(available uint64, millis int64, steps ...uint64) func(*report.NodeReport) {
	return func(r *report.NodeReport) {
		*r.Memory.Info.Available = available
		r.Memory.Samples = nil
		for i, kernel := range steps {
			r.Memory.Samples = append(r.Memory.Samples, report.MemorySample{AtMillis: millis * int64(i) / int64(len(steps)-1), Kernel: &kernel, Available: new(available + steps[len(steps)-1] - kernel)})
		}
	}
}

func TestGrowthThatIsNoProcesss(t *testing.T) {
	grows := []string{"memory-growth warning"}
	for name, c := range map[string]struct {
		change func(*report.NodeReport)
		want   []string
	}{
		"files in memory, a long look":         {filled(2*gib, 64*mib, 0, 0, 20*gib, 60_000), grows},
		"towards the pod's limit":              {filled(1800*mib, 32*mib, 0, 2*gib, 20*gib, 3000), grows},
		"a short look, with room":              {filled(2*gib, 64*mib, 0, 0, 20*gib, 3000), nil},
		"too slow to matter today":             {filled(2*gib, 17*mib, 0, 0, 24*gib, 90_000), nil},
		"a database that warms up":             {filled(2*gib, 64*mib, 2*gib, 0, 20*gib, 60_000), nil},
		"files that come and go":               {filled(200*mib, 64*mib, 0, 0, 20*gib, 60_000), nil},
		"the kernel's own, steadily":           {slabs(20*gib, 60_000, 300*mib, 340*mib, 380*mib), grows},
		"the kernel's own, to and fro":         {slabs(20*gib, 60_000, 300*mib, 390*mib, 380*mib), nil},
		"the kernel's own, a short look":       {slabs(20*gib, 3000, 300*mib, 340*mib, 380*mib), nil},
		"the kernel's own, and little is left": {slabs(6*gib, 3000, 300*mib, 340*mib, 380*mib), grows},
		"the kernel's own, hardly":             {slabs(20*gib, 60_000, 300*mib, 301*mib, 302*mib), nil},
		"the node has more than before, anyhow": {func(r *report.NodeReport) {
			slabs(20*gib, 60_000, 300*mib, 340*mib, 380*mib)(r)
			r.Memory.Samples[0].Available = new(20 * gib)
		}, nil},
		"page cache": {func(r *report.NodeReport) {
			c := memCgroup(podCgroup, 100*mib, 9*gib)
			c.UsageBefore = new(100 * mib)
			r.Memory.Cgroups = append(r.Memory.Cgroups, c)
			r.Memory.Samples[0].Available = new(33 * gib)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := said(diagnosed(memoryNode(c.change), hubInventory())); !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestGrowthThatIsNoProcesssSaysWhat(t *testing.T) {
	for want, change := range map[string]func(*report.NodeReport){
		"files in memory (tmpfs) of prod/hub-0 (StatefulSet/hub) grow by 10.7 MiB per second: its limit of 2 GiB is used up in 23s at this rate": filled(1800*mib, 32*mib, 0, 2*gib, 20*gib, 3000),
		"the kernel's own memory grows by 1.3 MiB per second: the node's memory is used up in 4h":                                                slabs(20*gib, 60_000, 300*mib, 340*mib, 380*mib),
	} {
		if f := diagnosed(memoryNode(change), hubInventory()); len(f) != 1 || !strings.HasPrefix(f[0].Summary, want) || len(f[0].Remedy) == 0 {
			t.Errorf("got %+v", f)
		}
	}
}

func TestCacheOfZFS(t *testing.T) {
	arc := func(size, available uint64) *report.NodeReport {
		return memoryNode(func(r *report.NodeReport) {
			*r.Memory.Info.Free, *r.Memory.Info.Available = 20*gib-size, available
			r.Memory.ARC = &report.ARC{Size: size, Min: gib, Max: 16 * gib}
		})
	}
	if f := diagnosed(arc(16*gib, 8*gib), hubInventory()); len(f) != 0 {
		t.Errorf("with room left: got %+v", f)
	}
	f := diagnosed(arc(18*gib, gib), hubInventory())
	if len(f) == 0 || f[0].ID != MemoryKernel || !strings.Contains(f[0].Summary, "18 GiB of cache of ZFS (ARC)") || !strings.Contains(f[0].Remedy[0].Run, "zfs_arc_max") {
		t.Errorf("without: got %+v", f)
	}
	r := arc(16*gib, 8*gib)
	with := correlate.Join(r, hubInventory()).Eviction().AtZero
	r.Memory.ARC = nil
	if without := correlate.Join(r, hubInventory()).Eviction().AtZero; *without-*with < 14*gib {
		t.Errorf("what cannot be freed: %d with the cache, %d without", *with, *without)
	}
	if f := diagnosed(r, hubInventory()); len(f) != 1 || f[0].ID != MemoryKernel {
		t.Errorf("nobody says what it is: got %+v", f)
	}
}

// A report that a script has made on a node, read elsewhere: there is neither a
// cluster to ask nor is it this machine.
func TestCommandsForAReportOfElsewhere(t *testing.T) {
	for _, c := range []struct {
		hostname, want string
		elsewhere      bool
	}{{"node-43", "kubectl nodedoc whois-pid node-43 1337531", true}, {"node-43", "kubectl nodedoc whois-pid --local 1337531", false}, {"n; reboot", "kubectl nodedoc whois-pid NODE 1337531", true}} {
		r := memoryNode(host("updatedb", inUpdatedb, updatedbCgroup, 18*gib))
		r.Node.Hostname = c.hostname
		n := correlate.Join(r, nil)
		n.Elsewhere = c.elsewhere
		if f := Diagnose(n, Thresholds{}); len(f) != 1 || f[0].Remedy[0].Run != c.want {
			t.Errorf("got %+v", f)
		}
	}
}
