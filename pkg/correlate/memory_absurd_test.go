package correlate

import (
	"fmt"
	"math"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Counters of a node that claims more than there is: sums end, and do not begin
// again from 0 or below.
func TestMemorySumsOfAbsurdCounters(t *testing.T) {
	most := func() *uint64 { return new(uint64(math.MaxUint64)) }
	r := memNode(2, report.MemoryCgroup{Path: "/", Anon: most(), File: most()})
	for i := range 5000 {
		r.Memory.Cgroups = append(r.Memory.Cgroups, report.MemoryCgroup{Path: fmt.Sprintf("/system.slice/x.service/%d", i), Usage: most(), Anon: most(), File: new(uint64(0)), Shmem: most(), Swap: most(), OOMKills: most()})
	}
	for i := range 5 {
		p := lives(r, 10+i, 1, "x", 1, ":/system.slice/x.service")
		p.RSSBytes, p.Memory.PSS, p.Memory.Shmem = math.MaxInt64, most(), most()
	}
	r.Memory.HugePages = []report.HugePagePool{{PageBytes: 1 << 30, Pages: 1 << 31}, {PageBytes: 1 << 30, Pages: 1 << 31}, {PageBytes: 1 << 31, Pages: 1 << 30}}
	inv := memInventory()
	for i := range inv.Pods[0].Containers {
		inv.Pods[0].Containers[i].MemoryRequest = math.MaxUint64
	}
	m := Join(r, inv).Memory(MemoryOptions{})
	row := m.Rows[0]
	const least = 1 << 60
	if row.Owner.Unit != "x.service" || row.WorkingSet < least || row.Usage < least || row.Anon < least || row.RSS < least || row.PSS == nil || *row.PSS < least || row.Swap < least || m.Accounted < least {
		t.Errorf("got %+v of %d", row, m.Accounted)
	}
	if row.OOMKills == nil || *row.OOMKills != 1<<31 {
		t.Errorf("%v kills", row.OOMKills)
	}
	for _, p := range m.Kernel.Parts {
		if p.Bytes <= 0 {
			t.Errorf("got %+v", p)
		}
	}
}

// v1 counts kills in a container's own cgroup, which is gone when it starts anew.
func TestKillsOfCgroupsThatAreGone(t *testing.T) {
	pod := "/kubepods/pod" + memPodUID
	for name, c := range map[string]struct {
		version  int
		counted  *uint64
		restarts int
		logged   int
		want     *int
	}{
		"counted":                            {1, new(uint64(3)), 0, 0, new(3)},
		"none, since it began":               {1, new(uint64(0)), 0, 0, new(0)},
		"none, in this run of it":            {1, new(uint64(0)), 2, 0, nil},
		"the log knows of earlier runs":      {1, new(uint64(0)), 2, 2, new(2)},
		"the log has forgotten some":         {1, new(uint64(3)), 2, 2, new(3)},
		"a kernel that does not count":       {1, nil, 0, 0, nil},
		"a kernel that does not, and logs":   {1, nil, 0, 1, new(1)},
		"v2 counts those that are gone, too": {2, new(uint64(0)), 2, 0, new(0)},
	} {
		of := memCgroup(pod, 100, 0, 0, 0)
		of.OOMKills = c.counted
		r := memNode(c.version, memCgroup("/", 4000, 2500, 0, 900), of)
		r.OOM = &report.OOM{}
		for i := range c.logged {
			r.OOM.Kills = append(r.OOM.Kills, killedIn(float64(90+i), "java", pod, pod+"/"+memContainer))
		}
		inv := memInventory()
		inv.Pods[0].Containers[0].Restarts = c.restarts
		rows := Join(r, inv).Memory(MemoryOptions{}).Rows
		i := 0
		for rows[i].Owner.Pod != "hub-0" {
			i++
		}
		if got := rows[i].OOMKills; (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	gone := memCgroup("/kubepods/pod"+memGoneUID, 100, 0, 0, 0)
	gone.OOMKills = new(uint64(0))
	rows := Join(memNode(1, memCgroup("/", 4000, 2500, 0, 900), gone), &inventory.Inventory{}).Memory(MemoryOptions{}).Rows
	if rows[len(rows)-1].OOMKills != nil {
		t.Errorf("a pod of which nobody knows how often it started: %+v", rows)
	}
}
