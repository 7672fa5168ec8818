package correlate

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// profileOf is a CPU profile of stacks, the innermost function first, with milliseconds.
func profileOf(t testing.TB, stacks map[string]int64) []byte {
	t.Helper()
	p := &profile.Profile{DurationNanos: 10e9, SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}}
	functions := map[string]*profile.Location{}
	names := make([]string, 0, len(stacks))
	for stack := range stacks {
		names = append(names, stack)
	}
	slices.Sort(names)
	for _, stack := range names {
		sample := &profile.Sample{Value: []int64{1, stacks[stack] * 1e6}}
		for f := range strings.FieldsSeq(stack) {
			l := functions[f]
			if l == nil {
				function := &profile.Function{ID: uint64(len(p.Function) + 1), Name: f}
				l = &profile.Location{ID: function.ID, Line: []profile.Line{{Function: function}}}
				p.Function, p.Location, functions[f] = append(p.Function, function), append(p.Location, l), l
			}
			sample.Location = append(sample.Location, l)
		}
		p.Sample = append(p.Sample, sample)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unmounting is what the kubelet of incident 4 did.
func unmounting() map[string]int64 {
	return map[string]int64{
		"syscall.Syscall os.(*File).Read k8s.io/mount-utils.ParseMountInfo k8s.io/mount-utils.(*Mounter).GetMountRefs k8s.io/kubernetes/pkg/volume/util/operationexecutor.(*operationGenerator).GenerateUnmountDeviceFunc.func1": 16_000,
		"strings.Split k8s.io/mount-utils.ParseMountInfo k8s.io/kubernetes/pkg/kubelet/stats.x":                                                                                                                                  100,
		"runtime.scanobject runtime.gcBgMarkWorker":                                                                               2000,
		"syscall.Syscall k8s.io/kubernetes/pkg/kubelet/pleg.(*GenericPLEG).Relist":                                                1000,
		"runtime.gcAssistAlloc k8s.io/kubernetes/pkg/kubelet.(*Kubelet).HandlePodCleanups k8s.io/kubernetes/pkg/kubelet.(*K).run": 500,
		"runtime.futex runtime.mcall": 300,
		"unknown":                     100,
	}
}

func TestProfile(t *testing.T) {
	p, err := readProfile(profileOf(t, unmounting()))
	if err != nil {
		t.Fatal(err)
	}
	if p.Seconds != 10 || p.CPUSeconds != 20 || p.Samples != 7 || p.Functions[0].Name != "syscall.Syscall" || p.Functions[0].Percent != 85 {
		t.Errorf("%+v", p)
	}
	want := []string{ActivityUnmounting, "Go's garbage collector", "PLEG: looking which containers have changed", "cleaning up orphaned volumes and pods", "Go's scheduler", "other", "stats and metrics (cadvisor)"}
	var got []string
	for _, a := range p.Activities {
		got = append(got, a.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if a := p.Activities[0]; a.Percent != 80 || len(a.In) != 1 || !strings.HasSuffix(a.In[0].Name, "GenerateUnmountDeviceFunc.func1") {
		t.Errorf("%+v", a)
	}
}

func TestNoProfile(t *testing.T) {
	heap := &profile.Profile{SampleType: []*profile.ValueType{{Type: "inuse_space", Unit: "bytes"}}}
	var b bytes.Buffer
	if err := heap.Write(&b); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]byte{"nothing": nil, "text": []byte("404 page not found"), "of memory": b.Bytes(), "cut": b.Bytes()[:len(b.Bytes())/2]} {
		if p, err := readProfile(in); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func FuzzProfile(f *testing.F) {
	f.Add(profileOf(f, unmounting()))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := readProfile(in)
		if err != nil {
			return
		}
		sum := 0.0
		for _, a := range p.Activities {
			sum += a.Percent
		}
		if sum < 0 || sum > 100.1 {
			t.Errorf("%v percent", sum)
		}
	})
}

// hotKubelet is the node of incident 4 among its neighbours.
func hotKubelet() (*report.NodeReport, *inventory.Inventory) {
	cpu, runtimeCPU, fds := 2022.0, 40.0, 1690
	r := &report.NodeReport{Node: report.Node{Hostname: "node-7", Uptime: 1000, ClockTicks: 100},
		Processes: &report.Processes{List: []report.Process{{PID: 40, Comm: "hyperkube", Cgroup: 0, StartTicks: 1000}, {PID: 41, Comm: "dockerd", Cgroup: 1}},
			Cgroups: []report.Cgroup{{Entries: []report.CgroupEntry{{Path: "/system.slice/kubelet.service"}}}, {Entries: []report.CgroupEntry{{Path: "/system.slice/docker.service"}}}}},
		Kubelet: &report.Kubelet{PID: 40, Daemons: []report.DaemonProcess{{PID: 40, Comm: "hyperkube", CPUPercent: &cpu, RSSBytes: 8 << 30, Threads: 900, FDs: &fds}, {PID: 41, Comm: "dockerd", CPUPercent: &runtimeCPU}}}}
	self := func(node string, cpu float64, rss uint64) inventory.KubeletSelf {
		return inventory.KubeletSelf{Node: node, CPUPercent: &cpu, RSSBytes: &rss}
	}
	own := self("node-7", 2020, 8<<30)
	runtimeOwn := 120.0
	own.Runtime = &inventory.SystemContainer{CPUPercent: &runtimeOwn}
	a, b, c := self("a", 27, 700<<20), self("b", 20, 600<<20), self("c", 40, 900<<20)
	runtimeA := 30.0
	a.Runtime = &inventory.SystemContainer{CPUPercent: &runtimeA}
	return r, &inventory.Inventory{Node: "node-7", Kubelets: &inventory.Kubelets{Own: &own, Neighbours: []inventory.KubeletSelf{a, b, c, {Node: "d", Error: "no answer"}}, Others: 40}}
}

func TestKubeletBesideItsNeighbours(t *testing.T) {
	k := Join(hotKubelet()).Kubelet()
	if len(k.Daemons) != 2 {
		t.Fatalf("%+v", k.Daemons)
	}
	d := k.Daemons[0]
	if d.Name != "kubelet" || d.Unit != "kubelet.service" || d.AgeSeconds != 990 || *d.RSSBytes != 8<<30 || *d.FDs != 1690 {
		t.Errorf("%+v", d)
	}
	if d.CPU == nil || d.CPU.Median != 27 || d.CPU.Of != 3 || d.CPU.Own != 2022 || int(d.CPU.Ratio) != 74 || d.Memory.Median != 700<<20 {
		t.Errorf("CPU %+v, memory %+v", d.CPU, d.Memory)
	}
	if d = k.Daemons[1]; d.Name != "dockerd" || d.CPU == nil || d.CPU.Ratio != 4 || d.CPU.Of != 1 || d.Memory != nil || d.RSSBytes != nil {
		t.Errorf("%+v, CPU %+v", d, d.CPU)
	}
}

// Nobody was on the node: its own metrics and its endpoint's log tell.
func TestKubeletByTheAPIAlone(t *testing.T) {
	_, inv := hotKubelet()
	inv.Kubelets.Log = &inventory.KubeletLog{Path: "/var/log/messages", Asked: 1795329360, Since: 1795329360 - 600, Lines: []string{"Nov 22 07:35:56 n kubelet[4]: E1122 07:35:56.0 4 a.go:1] it broke"}}
	inv.Kubelets.ProfileError, inv.Kubelets.LogError = "it is off", "not this one"
	k := Join(&report.NodeReport{Node: report.Node{Hostname: "node-7"}}, inv).Kubelet()
	if len(k.Daemons) != 1 || *k.Daemons[0].CPUPercent != 2020 || k.Daemons[0].CPU.Median != 27 || k.Daemons[0].PID != 0 {
		t.Errorf("%+v", k.Daemons)
	}
	if len(k.Logs) != 1 || k.Logs[0].Lines != 1 || k.Logs[0].Groups[0].Example != "it broke" || k.Logs[0].PerMinute != 0.1 || k.Logs[0].Groups[0].Last.Format("15:04:05") != "06:35:56" {
		t.Errorf("%+v", k.Logs)
	}
	if k.ProfileError != "it is off" || !slices.ContainsFunc(k.Gaps, func(u report.Unreadable) bool { return u.Cause == "not this one" }) {
		t.Errorf("%q, %+v", k.ProfileError, k.Gaps)
	}
}

func TestComparisonOfNothing(t *testing.T) {
	none := Join(&report.NodeReport{}, nil).Kubelet()
	if len(none.Daemons) != 0 || none.Neighbours.Asked {
		t.Errorf("%+v", none)
	}
	one := 1.0
	if c := comparison(&one, []inventory.KubeletSelf{{}}, func(inventory.KubeletSelf) *float64 { return nil }); c != nil {
		t.Errorf("%+v", c)
	}
	zero := 0.0
	if c := comparison(&one, []inventory.KubeletSelf{{}}, func(inventory.KubeletSelf) *float64 { return &zero }); c == nil || c.Ratio != 0 {
		t.Errorf("%+v", c)
	}
}
