package correlate

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// systemd is a node of cgroup v2, which has no memory.current at its root.
func systemd() *report.NodeReport {
	r := nightly()
	r.Memory.CgroupVersion = 2
	r.Memory.Cgroups[0].Usage = nil
	r.Memory.Info.Hugetlb = new(gi)
	return r
}

func asked(version string, usage *uint64) *inventory.Inventory {
	m := &inventory.Memory{KubeletVersion: version}
	if usage != nil {
		m.Summary = &inventory.Summary{Node: inventory.SummaryMemory{Time: 1_795_316_400, Usage: usage, Available: new(gi)}}
	}
	return &inventory.Inventory{Memory: m}
}

func TestUsageOfTheRootByVersion(t *testing.T) {
	pages, all := 61*gi+304*mi, 64*gi-400*mi
	for name, c := range map[string]struct {
		inv  *inventory.Inventory
		want uint64
	}{
		"nobody asked":                 {nil, pages},
		"version not known":            {asked("", nil), pages},
		"1.28":                         {asked("v1.28.15-eks-1", nil), all},
		"1.29":                         {asked("v1.29.0", nil), pages},
		"1.28 that counts as 1.29":     {asked("v1.28.3+openshift", new(pages+50*mi)), pages},
		"1.29 that counts as 1.28":     {asked("v1.29.0", new(all-50*mi)), all},
		"a version that nobody writes": {asked("one", nil), pages},
	} {
		k := Join(systemd(), c.inv).kubeletMemory()
		if k.Usage != c.want || len(k.Terms) != 2 || k.Terms[0].Bytes+k.Terms[1].Bytes != int64(c.want) {
			t.Errorf("%s: got %+v", name, k)
		}
		if c.inv != nil && c.inv.Memory.Summary != nil && (k.SummaryAge != 60 || *k.Summary != gi) {
			t.Errorf("%s: got %+v", name, k)
		}
	}
}

func TestUsageOfANodeInAContainer(t *testing.T) {
	r := systemd()
	r.Memory.Cgroups[0].Usage = new(3 * gi)
	if k := Join(r, asked("v1.20.0", nil)).kubeletMemory(); k.Usage != 3*gi || k.Terms[0].Source != "memory.current" {
		t.Errorf("got %+v", k)
	}
}

func TestRootWithoutStatistics(t *testing.T) {
	r := systemd()
	r.Memory.Cgroups[0] = report.MemoryCgroup{Path: "/"}
	if k := Join(r, nil).kubeletMemory(); k != nil {
		t.Errorf("got %+v", k)
	}
}

// texts are the terms: "+" what the kernel alone counts as free, "-" the kubelet.
func texts(list []MemoryDifference) string {
	var parts []string
	for _, d := range list {
		sign := "+"
		if d.Bytes < 0 {
			sign = "-"
		}
		parts = append(parts, sign+d.Name)
	}
	return strings.Join(parts, " ")
}

func TestDifferencesAddUp(t *testing.T) {
	cache := nightly() // a file server by day: all of memory is page cache in use
	cache.Memory.Info.ActiveFile, cache.Memory.Info.Available = new(30*gi), new(31*gi)
	for name, c := range map[string]struct {
		r    *report.NodeReport
		inv  *inventory.Inventory
		want string
	}{
		"v1":                    {nightly(), nil, "-SUnreclaim -kept free -PageTables +active_file -KernelStack -Percpu -rest"},
		"page cache in use":     {cache, nil, "+active_file -SUnreclaim +rest"},
		"v2 and huge pages":     {systemd(), nil, "-SUnreclaim -Hugetlb"},
		"v2 before 1.29":        {systemd(), asked("v1.25.0", nil), "-kept free +SReclaimable +active_file"},
		"a root without slab":   {systemd(), asked("v1.29.0", nil), "-SUnreclaim -Hugetlb"},
		"nothing is the kept's": {func() *report.NodeReport { r := nightly(); r.Memory.Info.Available = new(gi); return r }(), nil, "-SUnreclaim"},
	} {
		n := Join(c.r, c.inv)
		list, sum := n.MemoryDifferences(), int64(0)
		for i, d := range list {
			if sum += d.Bytes; d.Why == "" || d.Source == "" || d.Bytes == 0 {
				t.Errorf("%s: %+v", name, d)
			}
			if i > 0 && max(d.Bytes, -d.Bytes) > max(list[i-1].Bytes, -list[i-1].Bytes) {
				t.Errorf("%s: %s is larger", name, d.Name)
			}
		}
		if want := int64(*c.r.Memory.Info.Available) - int64(n.kubeletMemory().Available); sum != want {
			t.Errorf("%s: the terms are %d, the difference %d", name, sum, want)
		}
		if got := texts(list); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestKernelWithoutMemAvailable(t *testing.T) {
	r := nightly()
	r.Memory.Info.Available = nil
	n := Join(r, nil)
	if e := n.Eviction(); len(n.MemoryDifferences()) != 0 || !e.TooLow || e.KernelAvailable != nil {
		t.Errorf("got %+v", e)
	}
}
