package correlate

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const mi, gi = uint64(1) << 20, uint64(1) << 30

// nightly is incident 2's node at night, in its own numbers: hard 500Mi, soft 12 %,
// cgroup v1, almost nothing left by the kernel's count.
func nightly() *report.NodeReport {
	return &report.NodeReport{
		Node: report.Node{Now: 1_795_316_460},
		Memory: &report.Memory{CgroupVersion: 1, MinFree: new(66 * mi),
			Info: report.MemInfo{Total: new(64 * gi), Free: new(400 * mi), Available: new(150 * mi), Buffers: new(4 * mi), Cached: new(300 * mi),
				SwapCached: new(uint64(0)), AnonPages: new(61 * gi), ActiveFile: new(60 * mi), InactiveFile: new(40 * mi), Shmem: new(200 * mi),
				Slab: new(2 * gi), SReclaimable: new(200 * mi), SUnreclaim: new(1848 * mi), KernelStack: new(60 * mi), PageTables: new(200 * mi), Percpu: new(30 * mi)},
			Cgroups: []report.MemoryCgroup{
				{Path: "/", Usage: new(61*gi + 304*mi), Anon: new(61 * gi), File: new(304 * mi), ActiveFile: new(60 * mi), InactiveFile: new(40 * mi)},
				{Path: "/kubepods", Usage: new(40 * gi), InactiveFile: new(20 * mi), ActiveFile: new(10 * mi), Limit: new(60 * gi)}}},
		Kubelet: &report.Kubelet{PID: 7, Flags: map[string]string{"eviction-hard": "memory.available<500Mi", "eviction-soft": "memory.available<12%",
			"eviction-soft-grace-period": "memory.available=1m30s", "kube-reserved": "cpu=1,memory=2Gi"}},
	}
}

func TestKubeletSeesMoreThanFree(t *testing.T) {
	n := Join(nightly(), nil)
	k := n.kubeletMemory()
	if k.WorkingSet != 61*gi+264*mi || k.Available != 64*gi-61*gi-264*mi || k.CgroupVersion != 1 || k.Capacity != 64*gi {
		t.Errorf("got %+v", k)
	}
	e := n.Eviction()
	if e.Source != FromFiles || len(e.Thresholds) != 3 || e.Pressure != nil {
		t.Fatalf("got %+v", e)
	}
	soft, hard, pods := e.Thresholds[0], e.Thresholds[1], e.Thresholds[2]
	if soft.Hard || soft.Written != "12%" || math.Abs(float64(soft.Bytes)-0.12*64*float64(gi)) > 1024 || soft.Grace != 90 || soft.Margin >= 0 {
		t.Errorf("got %+v", soft)
	}
	if !hard.Hard || hard.Bytes != 500*mi || hard.Margin != int64(k.Available-500*mi) || hard.Margin <= 0 {
		t.Errorf("got %+v", hard)
	}
	if pods.Signal != "allocatableMemory.available" || pods.Margin != int64(60*gi-(40*gi-20*mi)-500*mi) {
		t.Errorf("got %+v", pods)
	}
	// What the kernel uses itself is 64 GiB − 400 MiB − 61.3 GiB − 200 MiB.
	if own := 64*gi - 400*mi - 61*gi - 304*mi - 200*mi; !e.TooLow || *e.AtZero < own || *e.AtZero > own+400*mi {
		t.Errorf("too low %v, at zero %d MiB", e.TooLow, *e.AtZero/mi)
	}
	if e.Proposed < *e.AtZero+gi || e.Proposed > *e.AtZero+gi+128*mi || !strings.Contains(e.Why, "hard threshold of 500 MiB is below that, so the OOM killer comes first") {
		t.Errorf("proposed %d MiB, %s", e.Proposed/mi, e.Why)
	}
	r := e.Reserved
	if r.Kube != 2*gi || r.System != 0 || r.Eviction != 500*mi || r.PodsUse != 40*gi-20*mi || r.Used < 23*gi || r.Used > 24*gi || r.Reclaimable != 50*mi {
		t.Errorf("got %+v", r)
	}
}

// On a quiet node of default configuration the threshold is too low as well; that
// alone is no reason to say so.
func TestThresholdThatIsMetInTime(t *testing.T) {
	r := nightly()
	r.Kubelet.Flags["eviction-hard"] = "memory.available<5%"
	e := Join(r, nil).Eviction()
	if e.TooLow || e.Proposed != 0 || !strings.Contains(e.Why, "is met before") {
		t.Errorf("got %+v", e)
	}
}

func samples(step int64, values ...uint64) []report.MemorySample {
	var list []report.MemorySample
	for i, v := range values {
		list = append(list, report.MemorySample{AtMillis: int64(i) * step, Available: new(v)})
	}
	return list
}

func TestThresholdThatIsMetTooLate(t *testing.T) {
	r := nightly()
	r.Kubelet.Flags["eviction-hard"] = "memory.available<5%" // 3.2 GiB, 0.6 GiB more than needed
	r.Memory.Info.Available = new(2 * gi)
	r.Memory.Info.Free = new(2 * gi)
	r.Memory.Cgroups[0].Usage = new(59*gi + 700*mi)
	for name, c := range map[string]struct {
		samples  []report.MemorySample
		notified bool
		version  int
		late     bool
	}{
		"one sample":       {samples(250, 9*gi), false, 1, false},
		"falls":            {samples(250, 9*gi, 9*gi-100*mi, 9*gi-150*mi, 9*gi-300*mi), false, 1, true},
		"comes and goes":   {samples(250, 9*gi, 9*gi-300*mi, 9*gi-200*mi, 9*gi-400*mi), false, 1, false},
		"a kernel tells":   {samples(250, 9*gi, 9*gi-100*mi, 9*gi-150*mi, 9*gi-300*mi), true, 1, false},
		"v2's tells none":  {samples(250, 9*gi, 9*gi-100*mi, 9*gi-150*mi, 9*gi-300*mi), true, 2, true},
		"falls in a trice": {samples(0, 9*gi, 9*gi-1, 9*gi-2), false, 1, false},
	} {
		r.Memory.Samples, r.Memory.CgroupVersion = c.samples, c.version
		r.Kubelet.Flags["kernel-memcg-notification"] = "false"
		if c.notified {
			r.Kubelet.Flags["kernel-memcg-notification"] = "true"
		}
		if e := Join(r, nil).Eviction(); e.TooLow != c.late || e.TooLow && !strings.Contains(e.Why, "every 10 s") {
			t.Errorf("%s: too low %v: %s", name, e.TooLow, e.Why)
		}
	}
}

func TestSecondsUntilAThreshold(t *testing.T) {
	r := nightly()
	available := 64*gi - (61*gi + 264*mi)
	r.Memory.Samples = nil
	for i := range uint64(5) { // 100 MiB each second, by the root's usage
		r.Memory.Samples = append(r.Memory.Samples, report.MemorySample{AtMillis: int64(i) * 1000, RootUsage: new(60*gi + i*100*mi), RootInactiveFile: new(mi)})
	}
	e := Join(r, nil).Eviction()
	hard := e.Hard()
	want := float64(available-500*mi) / float64(100*mi)
	if e.FallsBy != float64(100*mi) || hard.SecondsLeft == nil || math.Abs(*hard.SecondsLeft-want) > 0.01 {
		t.Errorf("got %+v", hard)
	}
	if soft := e.Soft(); soft.SecondsLeft != nil {
		t.Errorf("is met already: %+v", soft)
	}
	for i := range r.Memory.Samples { // 0.1 MiB each second: hours
		r.Memory.Samples[i].RootUsage = new(60*gi + uint64(i)*mi/10)
	}
	if hard := Join(r, nil).Eviction().Hard(); hard.SecondsLeft != nil {
		t.Errorf("not in sight: %f s", *hard.SecondsLeft)
	}
}

func TestPercentAndQuantityInBytes(t *testing.T) {
	for written, want := range map[string]uint64{
		"12%": 1288490175, "0%": 0, "100%": 0, "5%": 536870920, "0.5%": 53687089, "150%": 0, "-1%": 0, "x%": 0,
		"500Mi": 500 * mi, "1G": 1_000_000_000, "1e3": 1000, "0": 0, "-5Gi": 0, "1e999999999": 0, "1.5Gi": 3 * gi / 2, "": 0,
	} {
		got, ok := thresholdBytes(written, 10*gi)
		if off := int64(got) - int64(want); off > 64 || off < -64 || ok != (want > 0) {
			t.Errorf("%s: got %d, %v", written, got, ok)
		}
	}
}

func TestMemoryPressureCondition(t *testing.T) {
	for status, want := range map[string]*bool{"True": new(true), "False": new(false), "Unknown": nil} {
		inv := &inventory.Inventory{Memory: &inventory.Memory{Conditions: []inventory.Condition{{Type: "Ready", Status: "True"}, {Type: "MemoryPressure", Status: status, Since: 1000}}}}
		e := Join(nightly(), inv).Eviction()
		if (e.Pressure == nil) != (want == nil) || want != nil && (*e.Pressure != *want || !e.PressureSince.Equal(time.Unix(1000, 0))) {
			t.Errorf("%s: got %v", status, e.Pressure)
		}
	}
}

// Three nodes on one machine, and one in a container of the second.
func TestPodsOfThisNode(t *testing.T) {
	r := nightly()
	const uid = "0b5cb2c4-36e4-4b4b-9c2b-6b8f2f6c9d11"
	r.Memory.Cgroups = []report.MemoryCgroup{{Path: "/", Usage: new(gi)}, {Path: "/n1/kubepods"}, {Path: "/n2/kubepods"}, {Path: "/n2/kubepods/pod" + uid},
		{Path: "/n2/kubepods/pod" + uid + "/kubepods"}, {Path: "/n3/kubepods"}}
	inv := &inventory.Inventory{Pods: []inventory.Pod{{UID: uid}}}
	for want, c := range map[string]struct {
		root string
		inv  *inventory.Inventory
	}{"/n3/kubepods": {"/n3", nil}, "/n2/kubepods": {"", inv}, "/n1/kubepods": {"/", nil}} {
		r.Kubelet.Flags["cgroup-root"] = c.root
		if got := Join(r, c.inv).podsMemory(); got.Path != want {
			t.Errorf("got %s, want %s", got.Path, want)
		}
	}
	r.Memory.Cgroups = r.Memory.Cgroups[:1]
	if got := Join(r, nil); got.podsMemory() != nil || got.Eviction().Reserved.PodsUse != 0 {
		t.Error("pods of nobody")
	}
}

// Whatever a report claims.
func TestEvictionOfAnAbsurdReport(t *testing.T) {
	huge := uint64(math.MaxUint64)
	r := nightly()
	i := &r.Memory.Info
	for _, field := range []**uint64{&i.Total, &i.Free, &i.Available, &i.ActiveFile, &i.SReclaimable, &i.AnonPages, &r.Memory.MinFree, &r.Memory.Cgroups[0].Usage, &r.Memory.Cgroups[1].Limit} {
		before := *field
		*field = &huge
		n := Join(r, nil)
		_, _ = n.Eviction(), n.MemoryDifferences()
		*field = nil
		n = Join(r, nil)
		_, _ = n.Eviction(), n.MemoryDifferences()
		*field = before
	}
	for _, r := range []*report.NodeReport{{}, {Memory: &report.Memory{}}, {Memory: &report.Memory{Cgroups: []report.MemoryCgroup{{}}}}} {
		n := Join(r, &inventory.Inventory{Memory: &inventory.Memory{}})
		if n.Eviction() != nil || n.kubeletMemory() != nil || len(n.MemoryDifferences()) != 0 || len(n.EvictedPods()) != 0 {
			t.Errorf("something of nothing: %+v", n.Eviction())
		}
	}
}
