package diagnose

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const mi, gi = uint64(1) << 20, uint64(1) << 30

// nightly is incident 2's node in its own numbers: soft 12 %, hard 500Mi, almost
// nothing left by the kernel's count while the kubelet sees 2.7 GiB.
func nightly() *report.NodeReport {
	r := newNode()
	r.Node.Now = 1_700_086_400
	r.Memory = &report.Memory{CgroupVersion: 1, MinFree: new(66 * mi),
		Info: report.MemInfo{Total: new(64 * gi), Free: new(400 * mi), Available: new(150 * mi), Buffers: new(4 * mi), Cached: new(300 * mi),
			AnonPages: new(61 * gi), ActiveFile: new(60 * mi), InactiveFile: new(40 * mi), SReclaimable: new(200 * mi), SUnreclaim: new(1848 * mi),
			KernelStack: new(60 * mi), PageTables: new(200 * mi)},
		Cgroups: []report.MemoryCgroup{
			{Path: "/", Usage: new(61*gi + 304*mi), ActiveFile: new(60 * mi), InactiveFile: new(40 * mi)},
			{Path: "/kubepods", Usage: new(40 * gi), InactiveFile: new(20 * mi)}}}
	r.Kubelet = &report.Kubelet{PID: 7, Flags: map[string]string{"eviction-hard": "memory.available<500Mi", "eviction-soft": "memory.available<12%",
		"eviction-soft-grace-period": "memory.available=1m30s"}}
	return r
}

// byDay is the same node with 20 GiB left.
func byDay() *report.NodeReport {
	r := nightly()
	r.Memory.Info.Available, r.Memory.Info.Free = new(20*gi), new(20*gi+250*mi)
	r.Memory.Info.AnonPages = new(41 * gi)
	r.Memory.Cgroups[0].Usage = new(41*gi + 454*mi)
	return r
}

func aboutNode(change func(*inventory.Memory)) *inventory.Inventory {
	inv := &inventory.Inventory{Node: "node-43", Memory: &inventory.Memory{Capacity: 64 * gi, Allocatable: 63 * gi}}
	change(inv.Memory)
	return inv
}

func TestIncident2ThresholdIsTooLow(t *testing.T) {
	findings := diagnosed(nightly(), nil)
	if got := said(findings); !slices.Equal(got, []string{"memory-threshold-too-low critical", "memory-pressure critical"}) {
		t.Fatalf("got %v", got)
	}
	f := findings[0]
	if f.Summary != "the hard eviction threshold of 500Mi (500 MiB) is too low for this node: it runs out of memory first" {
		t.Errorf("got %s", f.Summary)
	}
	for _, want := range []string{"the kubelet's memory.available is 2.7 GiB, the kernel's MemAvailable 150 MiB", "the OOM killer comes first", "the soft threshold of 12% (7.7 GiB) for 1m30s waits first"} {
		if !strings.Contains(strings.Join(f.Evidence, "\n"), want) {
			t.Errorf("no %q in %s", want, strings.Join(f.Evidence, "\n"))
		}
	}
	if do := f.Remedy[0].Do; !strings.Contains(do, "set evictionHard memory.available: 3712Mi") || !strings.Contains(do, "--eviction-hard") || f.Remedy[1].Run != "systemctl restart kubelet" {
		t.Errorf("got %+v", f.Remedy)
	}
	if f := findings[1]; !strings.Contains(f.Summary, "is about to evict pods: the soft threshold of memory.available, 12% (7.7 GiB) for 1m30s, is met") {
		t.Errorf("got %s", f.Summary)
	}
}

// The threshold is as low by day: no matter, while there is plenty.
func TestEvictionWhereItMatters(t *testing.T) {
	event := func(reason string, last int64) func(*inventory.Memory) {
		return func(m *inventory.Memory) { m.Events = []inventory.Event{{Reason: reason, Last: last}} }
	}
	condition := func(m *inventory.Memory) {
		m.Conditions = []inventory.Condition{{Type: "MemoryPressure", Status: "True", Since: 1_700_000_000}}
	}
	kill := func(at float64, constraint, by string) func(*report.NodeReport) {
		return func(r *report.NodeReport) {
			r.OOM = &report.OOM{Kills: []report.OOMKill{{At: &at, Constraint: constraint, By: by}}}
		}
	}
	falling := func(available, step uint64) func(*report.NodeReport) {
		return func(r *report.NodeReport) {
			r.Memory.Info.Available = &available
			for i := range uint64(5) {
				r.Memory.Samples = append(r.Memory.Samples, report.MemorySample{AtMillis: int64(i) * 1000, Available: new(30*gi - i*step)})
			}
		}
	}
	const low, soft, pressure, reserved = "memory-threshold-too-low warning", "memory-soft-only warning", "memory-pressure critical", "memory-reserved-too-small warning"
	for name, c := range map[string]struct {
		change func(*report.NodeReport)
		inv    *inventory.Inventory
		want   []string
	}{
		"plenty left":                  {nil, nil, nil},
		"of the default":               {func(r *report.NodeReport) { r.Kubelet = &report.Kubelet{} }, nil, nil},
		"nothing known of the kubelet": {func(r *report.NodeReport) { r.Kubelet = nil }, nil, nil},
		"no threshold at all":          {func(r *report.NodeReport) { r.Kubelet.Flags = map[string]string{"eviction-hard": ""} }, nil, nil},
		"soft only":                    {func(r *report.NodeReport) { r.Kubelet.Flags["eviction-hard"] = "nodefs.available<5%" }, nil, []string{soft}},
		"an OOM kill of the node":      {kill(80_000, report.OOMNode, ""), nil, []string{low}},
		"one of a container":           {kill(80_000, report.OOMCgroup, ""), nil, nil},
		"one by SysRq":                 {kill(80_000, report.OOMNode, "SysRq"), nil, nil},
		"one long ago":                 {func(r *report.NodeReport) { r.Node.Uptime = 9e6; kill(80_000, report.OOMNode, "")(r) }, nil, nil},
		"one by the kubelet's event":   {nil, aboutNode(event("SystemOOM", 1_700_080_000)), []string{low}},
		"an event long ago":            {nil, aboutNode(event("SystemOOM", 1_690_000_000)), nil},
		"falls with little left":       {falling(10*gi, 200*mi), nil, []string{low}},
		"falls with plenty left":       {falling(30*gi, 400*mi), nil, nil},
		"falls, and lasts for long":    {falling(10*gi, 2*mi), nil, nil},
		"little, but for swap": {func(r *report.NodeReport) {
			*r = *nightly()
			r.Kubelet.Flags["eviction-soft"], r.Memory.Info.SwapFree = "", new(16*gi)
		}, nil, nil},
		"the condition lasts": {nil, aboutNode(condition), []string{pressure}},
		"pods were promised too much": {nil, func() *inventory.Inventory {
			inv := aboutNode(condition)
			inv.Pods = []inventory.Pod{{UID: "a", Phase: "Running", MemoryRequest: 62 * gi}, {UID: "b", Phase: "Failed", MemoryRequest: 62 * gi}}
			return inv
		}(), []string{pressure, reserved}},
		"and there is plenty": {nil, func() *inventory.Inventory {
			inv := aboutNode(func(*inventory.Memory) {})
			inv.Pods = []inventory.Pod{{UID: "a", Phase: "Running", MemoryRequest: 62 * gi}}
			return inv
		}(), nil},
		"met, and the kubelet acts": {func(r *report.NodeReport) { r.Kubelet.Flags["eviction-hard"] = "memory.available<24Gi" }, nil, []string{pressure}},
	} {
		t.Run(name, func(t *testing.T) {
			r := byDay()
			if c.change != nil {
				c.change(r)
			}
			ofKubelet := slices.DeleteFunc(diagnosed(r, c.inv), func(f Finding) bool { return f.ID == MemoryOOMKills })
			if got := said(ofKubelet); !slices.Equal(got, append([]string{}, c.want...)) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestPressureNamesItsCauses(t *testing.T) {
	inv := aboutNode(func(m *inventory.Memory) {
		m.Conditions = []inventory.Condition{{Type: "MemoryPressure", Status: "True", Since: 1_700_000_000}}
		m.Events = []inventory.Event{{Reason: "Evicted", Namespace: "prod", Pod: "hub-0", PodUID: "u", Message: "The node was low on resource: memory.", Last: 1_700_080_000}}
	})
	inv.Pods = []inventory.Pod{{UID: "a", Phase: "Running", MemoryRequest: 62 * gi}}
	for _, f := range diagnosed(nightly(), inv) {
		if f.ID != MemoryPressure {
			continue
		}
		if !slices.Equal(f.CausedBy, []string{MemoryReservedTooSmall}) || !strings.Contains(strings.Join(f.Evidence, "\n"), "evicted pods known: 1, the newest prod/hub-0, gone at 2023-11-15 20:26:40 UTC") ||
			f.Remedy[1].Run != "kubectl cordon node-43" {
			t.Errorf("got %+v", f)
		}
		return
	}
	t.Error("no pressure")
}

// A file server: page cache that was read twice is used, by the kubelet's count.
func TestPressureOfPageCache(t *testing.T) {
	r := byDay()
	r.Memory.Info.ActiveFile, r.Memory.Info.Available = new(41*gi), new(60*gi)
	r.Memory.Cgroups[0].Usage = new(64*gi - 200*mi)
	f := diagnosed(r, nil)
	if len(f) != 1 || f[0].ID != MemoryPressure || !strings.Contains(strings.Join(f[0].Evidence, "\n"), "the kernel has plenty: 41 GiB of active_file is page cache in use") ||
		!strings.Contains(f[0].Remedy[1].Run, "drop_caches") {
		t.Errorf("got %+v", f)
	}
}

func TestHowToSetTheThreshold(t *testing.T) {
	for want, k := range map[string]*report.Kubelet{
		"in the kubelet's configuration,": nil,
		"in /etc/k.yaml on the node":      {Configs: []report.KubeletConfigFile{{Path: "/etc/k.yaml"}}},
		"the flag --eviction-hard":        {Flags: map[string]string{"eviction-hard": "memory.available<1Mi"}},
	} {
		r := nightly()
		r.Kubelet = k
		f := diagnosed(r, nil)[0]
		if !strings.Contains(f.Remedy[0].Do, want) || f.ID != MemoryThresholdTooLow {
			t.Errorf("got %+v", f)
		}
	}
	r := nightly()
	r.Node.Hostname = "node; rm -rf /"
	for _, s := range diagnosed(r, nil)[0].Remedy {
		if strings.Contains(s.Run, "rm -rf") {
			t.Errorf("got %+v", s)
		}
	}
}

// Huge pages are taken for available: no threshold makes up for them.
func TestThresholdThatNoValueHelps(t *testing.T) {
	r := nightly()
	r.Memory.Info.Hugetlb = new(40 * gi)
	r.Memory.Cgroups[0].Usage = new(21 * gi)
	r.Memory.Info.AnonPages = new(20 * gi)
	f := diagnosed(r, nil)[0]
	if f.ID != MemoryThresholdTooLow || len(f.Remedy) != 1 || !strings.Contains(f.Remedy[0].Do, "huge pages first") {
		t.Errorf("got %+v", f)
	}
}

// Real nodes at rest, one of each cgroup version, with the default threshold.
func TestRealNodesAtRest(t *testing.T) {
	for _, name := range []string{"quiet-v1", "quiet-v2"} {
		b, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var saved struct {
			Report    *report.NodeReport   `json:"report"`
			Inventory *inventory.Inventory `json:"inventory"`
		}
		if err := report.UnmarshalUntrusted(b, &saved); err != nil {
			t.Fatal(err)
		}
		if f := factsOf(correlate.Join(saved.Report, saved.Inventory), Thresholds{}, MemoryThresholdTooLow); f == nil || f.Hard() == nil || f.Hard().Bytes != 100*mi {
			t.Errorf("%s: got %+v", name, f)
		}
		if got := diagnosed(saved.Report, saved.Inventory); len(got) != 0 {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// Huge pages are set aside by themselves: a reservation of as much again would leave
// nothing to pods.
func TestHugePagesAreNotReservedTwice(t *testing.T) {
	r := byDay()
	r.Memory.Info.Hugetlb, r.Memory.Info.Available, r.Memory.Info.AnonPages = new(32*gi), new(10*gi), new(9*gi)
	r.Memory.Cgroups[0].Usage, r.Memory.Cgroups[1].Usage = new(9*gi+454*mi), new(8*gi)
	inv := aboutNode(func(m *inventory.Memory) { m.Allocatable = 31 * gi })
	inv.Pods = []inventory.Pod{{UID: "a", Phase: "Running", MemoryRequest: 30 * gi}}
	findings := diagnosed(r, inv)
	if len(findings) != 1 || findings[0].ID != MemoryReservedTooSmall || !strings.Contains(findings[0].Remedy[1].Do, ": 3968Mi in the kubelet's") {
		t.Errorf("got %+v", findings)
	}
}

func TestKubeletOfADistributionIsRestartedByItsOwnUnit(t *testing.T) {
	for unit, want := range map[string]string{"k3s.service": "k3s", "rke2-agent.service": "rke2-agent", "kubelet.service": "kubelet",
		"snap.microk8s.daemon-kubelite.service": "snap.microk8s.daemon-kubelite", "x;reboot.service": "kubelet", "session-3.scope": "kubelet"} {
		r := nightly()
		r.Processes.Cgroups = append(r.Processes.Cgroups, report.Cgroup{Entries: []report.CgroupEntry{{Controllers: "memory", Path: "/system.slice/" + unit}}})
		add(r, report.Process{PID: 7, PPID: 1, Comm: "k3s-server", State: "S", Cgroup: len(r.Processes.Cgroups) - 1, StartTicks: 1})
		r.Kubelet.Flags, r.Kubelet.Configs = nil, []report.KubeletConfigFile{{Path: "k3s", Text: `{"evictionHard":{"nodefs.available":"5%"}}`}}
		f := diagnosed(r, nil)[0]
		if f.ID != MemoryThresholdTooLow || !strings.Contains(f.Remedy[0].Do, "/etc/rancher/k3s/config.yaml") || f.Remedy[1].Run != "systemctl restart "+want {
			t.Errorf("%s: got %s %+v", unit, f.ID, f.Remedy)
		}
	}
}
