package correlate

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// testNode has the processes of two pods, one static, and of the host.
func testNode() *report.NodeReport {
	pod := "/kubepods/burstable/pod" + uid + "/" + id
	return &report.NodeReport{
		Node: report.Node{Hostname: "n1", BootTime: 1_700_000_000, Uptime: 5000, ClockTicks: 100},
		Processes: &report.Processes{
			FDIntervalMillis: 2000,
			Cgroups: []report.Cgroup{
				{Entries: []report.CgroupEntry{{Path: "/init.scope"}}, FDsBefore: 100},
				{Entries: []report.CgroupEntry{{Path: "/system.slice/containerd.service"}}, FDsBefore: 221},
				{Entries: []report.CgroupEntry{{Path: pod}}, FDsBefore: 950},
				{Entries: []report.CgroupEntry{{Path: "/"}}},
				{Entries: []report.CgroupEntry{{Path: "/kubepods/pod" + static + "/" + other}}, FDsBefore: 80},
				{Entries: []report.CgroupEntry{{Path: "/system.slice/cron.service"}}},
			},
			List: []report.Process{
				{PID: 1, Comm: "systemd", State: "S", Cgroup: 0, FDs: fds(100, 100)},
				{PID: 10, PPID: 1, Comm: "containerd", State: "S", Cgroup: 1, FDs: fds(200, 202)},
				{PID: 20, PPID: 1, Comm: "containerd-shim", State: "S", Cgroup: 1, Shim: &report.Shim{ID: id}, FDs: fds(12, 12)},
				{PID: 21, PPID: 20, Comm: "copy.sh", State: "S", Cgroup: 2, FDs: fds(1000, 900)},
				{PID: 22, PPID: 21, Comm: "java", State: "S", Cgroup: 2, FDs: fds(50, 50)},
				{PID: 23, PPID: 22, Comm: "escaped", State: "S", Cgroup: 3},
				{PID: 24, PPID: 22, Comm: "dead", State: "Z", Cgroup: 3},
				{PID: 25, PPID: 20, Comm: "runc", State: "S", Cgroup: 1, FDs: fds(7, 7)},
				{PID: 30, PPID: 1, Comm: "etcd", State: "S", Cgroup: 4, FDs: fds(80, 80)},
				{PID: 40, PPID: 1, Comm: "updatedb", State: "D", Cgroup: 5, FDs: &report.FDs{Count: 9},
					Detail: &report.ProcessDetail{UID: 0, UserName: "root", Cwd: "/var/lib/kubelet/pods/" + uid + "/volumes/x"}},
				{PID: 50, PPID: 2, Comm: "jbd2/vda-8", State: "S", Kernel: true, Cgroup: 3},
				{PID: 60, PPID: 1, Comm: "hidden", State: "S", Cgroup: -1},
			},
		},
		Containers: &report.Containers{List: []report.Container{
			{ID: id, Name: "app", PodUID: uid, PodName: "hub-1", PodNamespace: "prod"},
		}},
	}
}

func fds(count, before int) *report.FDs { return &report.FDs{Count: count, Before: &before} }

func testInventory() *inventory.Inventory {
	return &inventory.Inventory{Node: "node-1", Pods: []inventory.Pod{
		{Namespace: "prod", Name: "hub-1", UID: uid, Workload: "Deployment/hub", Containers: []inventory.Container{{Name: "app", ID: id}}},
		{Namespace: "kube-system", Name: "etcd-n1", UID: "mirror", ConfigHash: static, Workload: "static pod", Containers: []inventory.Container{{Name: "etcd", ID: other}}},
	}}
}

func TestBlame(t *testing.T) {
	n := Join(testNode(), testInventory())
	hub := Owner{Type: OwnerPod, Namespace: "prod", Pod: "hub-1", PodUID: uid, PodState: PodKnown, Workload: "Deployment/hub", Container: "app", ContainerID: id}
	for pid, want := range map[int]struct {
		owner Owner
		by    string
	}{
		1:  {Owner{Type: OwnerUnit, Unit: "init.scope"}, ByCgroup},
		10: {Owner{Type: OwnerUnit, Unit: "containerd.service"}, ByCgroup},
		20: {Owner{Type: OwnerUnit, Unit: "containerd.service"}, ByCgroup}, // a shim is the runtime's
		21: {hub, ByCgroup},
		22: {hub, ByCgroup},
		23: {hub, ByAncestor}, // left its cgroup
		24: {hub, ByAncestor}, // a zombie is in v1's root
		25: {hub, ByShim},     // runc before it joins the cgroup
		30: {Owner{Type: OwnerPod, Namespace: "kube-system", Pod: "etcd-n1", PodUID: static, PodState: PodKnown, Static: true, Workload: "static pod", Container: "etcd", ContainerID: other}, ByCgroup},
		40: {Owner{Type: OwnerUnit, Unit: "cron.service"}, ByCgroup}, // its cwd is no owner
		50: {Owner{Type: OwnerKernel}, ByCgroup},
		60: {Owner{Type: OwnerUnknown}, ByCgroup},
	} {
		if got := n.Blame(n.processes[pid]); got.Owner != want.owner || got.By != want.by {
			t.Errorf("pid %d:\n got %+v by %s\nwant %+v by %s", pid, got.Owner, got.By, want.owner, want.by)
		}
	}
}

func TestPodStates(t *testing.T) {
	for name, c := range map[string]struct {
		inv      *inventory.Inventory
		state    PodState
		workload string
	}{
		"known":                    {testInventory(), PodKnown, "Deployment/hub"},
		"API not asked":            {nil, PodUnasked, ""},
		"API refused":              {&inventory.Inventory{PodsError: "forbidden"}, PodUnasked, ""},
		"deleted meanwhile":        {&inventory.Inventory{}, PodGone, ""},
		"recreated under its name": {&inventory.Inventory{Pods: []inventory.Pod{{Namespace: "prod", Name: "hub-1", UID: victim, Workload: "StatefulSet/hub"}}}, PodReplaced, ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := Join(testNode(), c.inv)
			o := n.Blame(n.processes[22]).Owner
			if o.PodState != c.state || o.Workload != c.workload || o.Name() != "prod/hub-1" || o.PodUID != uid {
				t.Errorf("got %+v, want %s, %q: the node's own files name it", o, c.state, c.workload)
			}
		})
	}
}

func TestCgroupNamedAfterAVictimLosesToTheRuntime(t *testing.T) {
	r := testNode()
	r.Processes.Cgroups[2].Entries[0].Path = "/kubepods/pod" + victim + "/" + id
	n := Join(r, &inventory.Inventory{Pods: []inventory.Pod{{Namespace: "bank", Name: "vault", UID: victim}}})
	if o := n.Blame(n.processes[22]).Owner; o.Name() != "prod/hub-1" {
		t.Errorf("blamed %s: the runtime says container %s is prod/hub-1's", o.Name(), ShortID(id))
	}
}

func TestNestedPodIsBelievedOnlyWhereTheNodeIsThatContainer(t *testing.T) {
	outer := strings.Repeat("d", 64)
	r := testNode()
	r.Processes.Cgroups[2].Entries[0].Path = "/docker/" + outer + "/kubepods/pod" + uid + "/" + id
	// Somebody's container made cgroups named after a pod and container that
	// really are on this node.
	if o := Join(r, testInventory()).Blame(&r.Processes.List[4]).Owner; o.Type != OwnerContainer || o.ContainerID != outer {
		t.Errorf("a container's own invention: got %+v", o)
	}
	r.Processes.Cgroups[0].Entries[0].Path = "/docker/" + outer + "/init.scope"
	if o := Join(r, testInventory()).Blame(&r.Processes.List[4]).Owner; o.Name() != "prod/hub-1" {
		t.Errorf("kind, from inside: got %s", o.Name())
	}
}

func TestRankFDs(t *testing.T) {
	n := Join(testNode(), testInventory())
	for by, want := range map[By][]string{
		ByPod:       {"prod/hub-1 1057", "containerd.service 212", "init.scope 100", "kube-system/etcd-n1 80", "cron.service 9"},
		ByContainer: {"prod/hub-1 1057", "containerd.service 212", "init.scope 100", "kube-system/etcd-n1 80", "cron.service 9"},
		ByUnit:      {"cgroup kubepods 1137", "containerd.service 212", "init.scope 100", "cron.service 9"},
	} {
		var got []string
		for _, row := range n.RankFDs(by).Rows {
			got = append(got, row.Owner.Name()+" "+strconv.Itoa(row.Descriptors))
		}
		if !slices.Equal(got, want) {
			t.Errorf("by %s: got %q, want %q", by, got, want)
		}
	}
	r := n.RankFDs(ByPod)
	if r.Descriptors != 1458 || r.Unread != 2 {
		t.Errorf("%d descriptors, %d unread; want 1458 and 2 (the escaped and the hidden)", r.Descriptors, r.Unread)
	}
	top := r.Rows[0]
	if top.PerSecond == nil || *top.PerSecond != 50 || top.Heaviest.PID != 21 || top.Processes != 3 {
		t.Errorf("top row %+v: want +50/s, heaviest 21, 3 processes", top)
	}
	if cron := r.Rows[4]; cron.PerSecond == nil || *cron.PerSecond != 4.5 || cron.SettledPerSecond != 0 {
		t.Errorf("a process that came meanwhile: %+v, want +4.5/s, none of it settled", cron)
	}
	if c := r.Rows[1]; c.PerSecond == nil || *c.PerSecond != -1 {
		t.Errorf("a cgroup with another owner's process in it is counted by process: %+v, want -1/s", c)
	}
	if w := n.RankFDs(ByWorkload).Rows[0].Owner; w.Type != OwnerWorkload || w.Name() != "prod/Deployment/hub" {
		t.Errorf("by workload: %+v", w)
	}
	if p := n.RankFDs(ByProcess).Rows[0]; p.PID != 21 {
		t.Errorf("by process: %+v", p)
	}
}

func TestFileUsage(t *testing.T) {
	limit := uint64(100000)
	sample := func(counts ...uint64) *report.OpenFiles {
		f := &report.OpenFiles{Max: &limit}
		for i, c := range counts {
			f.Samples = append(f.Samples, report.FileSample{AtMillis: int64(i) * 1000, Allocated: c})
		}
		return f
	}
	for name, c := range map[string]struct {
		files  *report.OpenFiles
		rate   float64
		steady bool
		full   float64
	}{
		"incident 1":           {sample(76335, 77300, 78200, 79220), 961.66, true, 21.6},
		"a wave that passes":   {sample(1000, 5000, 4000, 6000), 1666.66, false, 56.4},
		"one jump is no trend": {sample(1000, 1500, 1500, 1500, 1500), 125, false, 788},
		"shrinks":              {sample(5000, 4000, 3000), -1000, false, 0},
		"over the limit":       {sample(100000, 100001), 1, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			u := Join(&report.NodeReport{OpenFiles: c.files}, nil).RankFDs(ByPod).Files
			full := 0.0
			if u.FullInSeconds != nil {
				full = *u.FullInSeconds
			}
			if !near(u.PerSecond, c.rate) || u.Steady != c.steady || !near(full, c.full) {
				t.Errorf("got %+.2f/s steady %v full in %.1f, want %+.2f/s %v %.1f", u.PerSecond, u.Steady, full, c.rate, c.steady, c.full)
			}
		})
	}
	if u := Join(&report.NodeReport{OpenFiles: &report.OpenFiles{}}, nil).RankFDs(ByPod).Files; u != nil {
		t.Errorf("unreadable totals became %+v", u)
	}
}

func near(a, b float64) bool { return a-b < 0.01*max(b, 1) && b-a < 0.01*max(b, 1) }

func TestWhois(t *testing.T) {
	n := Join(testNode(), testInventory())
	i, ok := n.Whois(40)
	if !ok {
		t.Fatal("40 is there")
	}
	if i.Owner.Unit != "cron.service" || i.State != "uninterruptible (D)" || i.User != "root" {
		t.Errorf("got %+v", i)
	}
	if len(i.Notes) != 1 || !strings.Contains(i.Notes[0], "prod/hub-1") || !strings.Contains(i.Notes[0], "not to blame") {
		t.Errorf("notes %q: want one on the cwd in a pod's directory", i.Notes)
	}
	if _, ok := n.Whois(4242); ok {
		t.Error("4242 is not there")
	}
	i, _ = n.Whois(22)
	var chain []string
	for _, l := range i.Chain {
		chain = append(chain, l.Comm)
	}
	if strings.Join(chain, " ") != "systemd containerd-shim copy.sh java" {
		t.Errorf("chain %q", chain)
	}
}

func TestChainSurvivesALoop(t *testing.T) {
	r := &report.NodeReport{Processes: &report.Processes{List: []report.Process{{PID: 5, PPID: 6, Cgroup: -1}, {PID: 6, PPID: 5, Cgroup: -1}}}}
	if i, _ := Join(r, nil).Whois(5); len(i.Chain) != 2 {
		t.Errorf("chain %+v", i.Chain)
	}
}

func TestExecFIFOsNameTheContainerInThePath(t *testing.T) {
	r := testNode()
	r.Processes.List[1].FDs.ExecFIFOs = []report.ExecFIFOs{{ContainerID: id, Count: 3990, Sessions: 2000}} // containerd holds them
	r.Processes.List[4].FDs.ExecFIFOs = []report.ExecFIFOs{{ContainerID: victim, Count: 10, Sessions: 5}}  // a container's own invention
	list := Join(r, testInventory()).ExecFIFOs()
	if len(list) != 2 {
		t.Fatalf("got %+v", list)
	}
	for i, holder := range []int{10, 22} {
		if list[i].Holder.PID != holder || list[i].Subject.Name() != "prod/hub-1" || list[i].Subject.Container != "app" {
			t.Errorf("got %+v, want prod/hub-1 by %d", list[i], holder)
		}
	}
}

// Root has written a process of the host into a pod's cgroup.procs.
func TestMovedIntoAPod(t *testing.T) {
	r := testNode()
	r.Processes.List = append(r.Processes.List, report.Process{PID: 70, PPID: 1, Comm: "sleep", State: "S", Cgroup: 2, Detail: &report.ProcessDetail{UID: -1}})
	n := Join(r, nil)
	moved, _ := n.Whois(70)
	if !slices.ContainsFunc(moved.Notes, func(note string) bool { return strings.Contains(note, "moved it from the host") }) {
		t.Errorf("notes %q", moved.Notes)
	}
	if own, _ := n.Whois(22); slices.ContainsFunc(own.Notes, func(note string) bool { return strings.Contains(note, "moved it") }) {
		t.Errorf("notes %q", own.Notes)
	}
}

func TestBlockedProcessHasNoStart(t *testing.T) {
	n := Join(&report.NodeReport{
		Node: report.Node{BootTime: 1_700_000_000, Uptime: 1000, ClockTicks: 100},
		Processes: &report.Processes{List: []report.Process{
			{PID: 7, Comm: "sleep", State: "S", Cgroup: -1, Blocked: true, Detail: &report.ProcessDetail{UID: -1}}}},
	}, nil)
	id, _ := n.Whois(7)
	if id.Started != nil || id.AgeSeconds != 0 || len(id.Notes) != 1 || !strings.Contains(id.Notes[0], "reading it blocks") {
		t.Errorf("got %+v", id)
	}
}
