package correlate

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	oomPod  = "93e182b4-1f00-4c6e-9d51-0242ac120002"
	oomGone = "11111111-1f00-4c6e-9d51-0242ac120002"
	oomPath = "/kubepods/burstable/pod" + oomPod
)

// oomID is the id of a run of a container.
func oomID(run int) string { return fmt.Sprintf("%064x", 0xabc00+run) }

// killedIn is a kill by a cgroup's limit, or the node's where it is "".
func killedIn(at float64, comm, limit, cgroup string) report.OOMKill {
	k := report.OOMKill{At: &at, PID: int(at), Comm: comm, Constraint: report.OOMCgroup, LimitCgroup: limit, Cgroup: cgroup, Limit: new(uint64(64 << 20))}
	if limit == "" {
		k.Constraint, k.Limit = report.OOMNode, nil
	}
	return k
}

func oomNode(processes []string, kernelThreads int, kills ...report.OOMKill) *report.NodeReport {
	r := &report.NodeReport{Node: report.Node{Hostname: "n", BootTime: 1_700_000_000, Now: 1_700_100_000, Uptime: 100_000, ClockTicks: 100},
		Processes: &report.Processes{KernelThreads: kernelThreads}, OOM: &report.OOM{Kills: kills, LogFrom: new(float64(50))},
		Containers: &report.Containers{Pods: []report.PodRecord{{UID: oomGone, Namespace: "batch", Name: "import"}}}}
	for i, path := range processes {
		r.Processes.Cgroups = append(r.Processes.Cgroups, report.Cgroup{Entries: []report.CgroupEntry{{Controllers: "memory", Path: path}}})
		r.Processes.List = append(r.Processes.List, report.Process{PID: i + 1, Comm: "p", State: "S", Cgroup: i})
	}
	return r
}

func oomInventory() *inventory.Inventory {
	return &inventory.Inventory{Node: "n", Pods: []inventory.Pod{{Namespace: "prod", Name: "hub-0", UID: oomPod, Workload: "StatefulSet/hub", Containers: []inventory.Container{
		{Name: "app", ID: oomID(9), MemoryLimit: 64 << 20, MemoryRequest: 16 << 20, Restarts: 9, OOMKilled: []inventory.Termination{{ID: oomID(2), ExitCode: 137, FinishedAt: 1_700_000_301}}},
		{Name: "side", ID: oomID(8)}}}}}
}

func victimTexts(list []OOMVictim) []string {
	var s []string
	for _, v := range list {
		text := fmt.Sprintf("%s [%s] %s %s ×%d", v.Owner.Name(), v.Owner.Container, v.Comm, v.Scope, v.Kills)
		if v.Processes > v.Kills {
			text += fmt.Sprintf(" (%d)", v.Processes)
		}
		if v.Owner.PodState != "" && v.Owner.PodState != PodKnown {
			text += " " + string(v.Owner.PodState)
		}
		if v.API {
			text += " API"
		}
		if v.APIOnly {
			text += " only"
		}
		if v.First != nil {
			text += fmt.Sprintf(" %d–%d", v.First.Unix()-1_700_000_000, v.Last.Unix()-1_700_000_000)
		}
		s = append(s, text)
	}
	return s
}

func checkVictims(t *testing.T, name string, r *report.NodeReport, inv *inventory.Inventory, want []string) {
	t.Helper()
	if got := victimTexts(Join(r, inv).OOMVictims()); !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

var oomHost = []string{"/init.scope", "/system.slice/kubelet.service"}

func TestOOMVictims(t *testing.T) {
	node := func(kills ...report.OOMKill) *report.NodeReport { return oomNode(oomHost, 99, kills...) }
	group := func(k report.OOMKill, pid int, first bool) report.OOMKill {
		k.Group, k.PID = true, pid
		if first {
			k.Largest = []report.OOMTask{{PID: pid}}
		}
		return k
	}
	inApp := oomPath + "/" + oomID(2)
	for name, c := range map[string]struct {
		r    *report.NodeReport
		inv  *inventory.Inventory
		want []string
	}{
		"runs of a container are one":     {node(killedIn(100, "java", oomPath+"/"+oomID(1), oomPath+"/"+oomID(1)), killedIn(300, "java", inApp, inApp)), oomInventory(), []string{"prod/hub-0 [app] java container ×2 API 100–300"}},
		"the pod's limit":                 {node(killedIn(300, "java", oomPath, inApp)), oomInventory(), []string{"prod/hub-0 [app] java pod ×1 API 300–300"}},
		"all pods' limit":                 {node(killedIn(300, "java", "/kubepods", inApp)), oomInventory(), []string{"prod/hub-0 [app] java pods ×1 API 300–300"}},
		"of a class of pods":              {node(killedIn(300, "java", "/kubepods.slice/kubepods-burstable.slice", inApp)), oomInventory(), []string{"prod/hub-0 [app] java pods ×1 API 300–300"}},
		"the node's":                      {node(killedIn(90, "updatedb", "", "/system.slice/cron.service"), killedIn(99, "sh", "", "/")), nil, []string{"sh (cgroup /) [] sh node ×1 99–99", "cron.service [] updatedb node ×1 90–90"}},
		"a unit's":                        {node(killedIn(90, "x", "/system.slice", "/system.slice/x.service")), nil, []string{"x.service [] x cgroup ×1 90–90"}},
		"a pod that is gone":              {node(killedIn(90, "rsync", "/kubepods/pod"+oomGone, "/kubepods/pod"+oomGone+"/"+oomID(3))), &inventory.Inventory{}, []string{"batch/import [] rsync pod ×1 gone 90–90"}},
		"nobody asked":                    {node(killedIn(90, "rsync", "/kubepods/pod"+oomGone, "/kubepods/pod"+oomGone+"/"+oomID(3))), nil, []string{"batch/import [] rsync pod ×1 unasked 90–90"}},
		"no cgroup is said":               {node(report.OOMKill{PID: 7, Comm: "x", Constraint: report.OOMCgroup}, report.OOMKill{PID: 8, Comm: "x"}), nil, []string{"unknown [] x  ×1", "unknown [] x cgroup ×1"}},
		"the limit says whose":            {node(killedIn(90, "x", oomPath+"/"+oomID(9), "")), oomInventory(), []string{"prod/hub-0 [app]   ×1 API only 301–301", "prod/hub-0 [app] x container ×1 90–90"}},
		"the limit is all pods'":          {node(killedIn(90, "x", "/kubepods", "")), nil, []string{"unknown [] x pods ×1 90–90"}},
		"some pod's":                      {node(killedIn(90, "x", "/kubepods", "/kubepods/burstable")), nil, []string{"unknown [] x pods ×1 90–90"}},
		"a container of no pod":           {node(killedIn(90, "x", "/docker/"+oomID(5), "/docker/"+oomID(5))), nil, []string{"container " + oomID(5)[:13] + " [] x container ×1 90–90"}},
		"named like a pod in a container": {node(killedIn(90, "x", oomPath+"/"+oomID(9), oomPath+"/"+oomID(9)+"/kubepods/pod"+oomGone)), &inventory.Inventory{Pods: oomInventory().Pods[:1]}, []string{"prod/hub-0 [app]   ×1 API only 301–301", "prod/hub-0 [app] x container ×1 90–90"}},
		"a group dies at once":            {node(group(killedIn(90, "sh", oomPath, inApp+"/made/inside"), 90, true), group(killedIn(90.1, "sleep", oomPath, inApp), 91, false), group(killedIn(91, "sleep", oomPath, inApp), 92, false), group(killedIn(300, "sh", oomPath, inApp), 93, true)), oomInventory(), []string{"prod/hub-0 [app] sh pod ×2 (4) API 90–300"}},
		"the log's clock is fast":         {node(killedIn(100_600, "x", "", "/x")), nil, []string{"cgroup /x [] x node ×1 100000–100000"}},
		"only the API server knows":       {node(), oomInventory(), []string{"prod/hub-0 [app]   ×1 API only 301–301"}},
		"nothing":                         {&report.NodeReport{}, nil, nil},
	} {
		checkVictims(t, name, c.r, c.inv, c.want)
	}
}

func TestOOMNamesOfEndedContainers(t *testing.T) {
	gone := "/kubepods/pod" + oomGone + "/" + oomID(3)
	other := "/kubepods/pod22222222-1f00-4c6e-9d51-0242ac120002/" + oomID(4)
	r := oomNode(oomHost, 99, killedIn(90, "rsync", gone, gone), killedIn(80, "x", other, other), killedIn(70, "pause", oomPath, oomPath+"/"+oomID(6)))
	r.Containers.Ended = []report.ContainerRecord{{ID: oomID(3), Name: "copy", Namespace: "batch", Pod: "import"}, {ID: oomID(4), Name: "main", Namespace: "prod", Pod: "hub-0"}}
	inv := oomInventory()
	inv.Pods[0].Containers[0].OOMKilled = nil
	checkVictims(t, "by their logs", r, inv, []string{"batch/import [copy] rsync container ×1 gone 90–90", "prod/hub-0 [main] x container ×1 replaced 80–80", "prod/hub-0 [] pause pod ×1 70–70"})
}

// A node may be a part of a machine whose log tells of others, too.
func TestOOMOfNestedNodes(t *testing.T) {
	own, alien := "/kubepods/burstable/pod"+oomGone+"/"+oomID(3), "/kubepods/burstable/pod22222222-1f00-4c6e-9d51-0242ac120002/"+oomID(4)
	const outer, host = "/system.slice/docker-" + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope", "/system.slice/docker-" + "9923456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope"
	kubelet := "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + strings.ReplaceAll(oomGone, "-", "_") + ".slice"
	for name, c := range map[string]struct {
		r    *report.NodeReport
		want []string
	}{
		"a cgroup of its own": {oomNode([]string{"/node-1/init.scope", "/node-1/kubepods/burstable/podx"}, 0,
			killedIn(90, "a", "/node-1"+own, "/node-1"+own), killedIn(91, "b", "/node-2"+alien, "/node-2"+alien), killedIn(92, "c", "/node-10"+alien, "/node-10"+alien),
			killedIn(93, "d", "", "/node-1/system.slice/cron.service"), killedIn(94, "e", "", "/system.slice/ssh.service"), killedIn(95, "f", "", "")),
			[]string{"cron.service [] d node ×1 93–93", "batch/import [] a container ×1 unasked 90–90"}},
		"a cgroup namespace of its own": {oomNode([]string{"/init.scope", "/system.slice/kubelet.service", kubelet}, 0,
			killedIn(90, "a", outer+kubelet, outer+kubelet+"/cri-containerd-"+oomID(3)+".scope"), killedIn(91, "b", host+kubelet[:30], host+"/x"), killedIn(92, "c", "", outer+"/system.slice/kubelet.service")),
			[]string{"kubelet.service [] c node ×1 92–92", "batch/import [] a pod ×1 unasked 90–90"}},
		"nothing tells": {oomNode([]string{"/init.scope", "/system.slice/kubelet.service"}, 0, killedIn(91, "b", host+alien, host+alien)), nil},
		"the machine itself": {oomNode([]string{"/init.scope", "/node-1/init.scope"}, 99, killedIn(90, "a", "/node-1"+own, "/node-1"+own)),
			[]string{"batch/import [] a container ×1 unasked 90–90"}},
	} {
		checkVictims(t, name, c.r, nil, c.want)
	}
}

func TestOOMEvents(t *testing.T) {
	event := func(reason, message string, at int64) inventory.Event {
		return inventory.Event{Reason: reason, Message: message, Last: 1_700_000_000 + at}
	}
	inv := &inventory.Inventory{Memory: &inventory.Memory{Events: []inventory.Event{
		event("OOMKilling", "Memory cgroup out of memory: Killed process 3504804 (kubectl) total-vm:753508kB, anon-rss:58776kB", 40),
		event("SystemOOM", "System OOM encountered, victim process: kubectl, pid: 3504804", 40),
		event("SystemOOM", "System OOM encountered, victim process: up\x1bdb, pid: 7", 30),
		event("OOMKilling", "Out of memory: Kill process 8 (bash) score 900 or sacrifice child Killed process 9 (a (b)), UID 0, total-vm:826516kB", 20),
		event("OOMKilling", "Killed process 10, UID 7, (c) total-vm:826516kB", 10),
		event("OOMKilling", "Memory cgroup out of memory: Killed process 90 (kubectl) total-vm:1kB", 40),
		event("OOMKilling", "Memory cgroup out of memory: Killed process 91 (late) total-vm:1kB", 9000),
		event("SystemOOM", "System OOM encountered", 30),
		event("Evicted", "Killed process 5 (x)", 30),
	}}}
	checkVictims(t, "events", oomNode(oomHost, 99, killedIn(90, "x", "", "/x")), inv, []string{"cgroup /x [] x node ×1 90–90",
		"unknown [] kubectl cgroup ×1 API only 40–40", `unknown [] up\x1bdb node ×1 API only 30–30`, "unknown [] a (b) node ×1 API only 20–20", "unknown [] c  ×1 API only 10–10"})
}

func TestOOMNamesOfEarlierRuns(t *testing.T) {
	in := func(run int) string { return "/kubepods/pod" + oomGone + "/" + oomID(run) }
	r := oomNode(oomHost, 99, killedIn(70, "java", in(1), in(1)), killedIn(80, "java", in(2), in(2)), killedIn(90, "other", in(3), in(3)))
	r.Containers.Ended = []report.ContainerRecord{{ID: oomID(2), Name: "app", Namespace: "batch", Pod: "import"}}
	checkVictims(t, "alike", r, nil, []string{"batch/import [] other container ×1 unasked 90–90", "batch/import [app] java container ×2 unasked 70–80"})
	r.OOM.Kills = append(r.OOM.Kills, killedIn(95, "java", in(4), in(4)))
	r.Containers.Ended = append(r.Containers.Ended, report.ContainerRecord{ID: oomID(4), Name: "app2", Namespace: "batch", Pod: "import"})
	checkVictims(t, "two alike", r, nil, []string{"batch/import [app2] java container ×1 unasked 95–95", "batch/import [] other container ×1 unasked 90–90",
		"batch/import [app] java container ×1 unasked 80–80", "batch/import [] java container ×1 unasked 70–70"})
}

func TestOOMNamesOfEvictedPods(t *testing.T) {
	r := oomNode(oomHost, 99, killedIn(90, "rsync", "/kubepods/pod"+oomGone, "/kubepods/pod"+oomGone+"/"+oomID(3)))
	r.Containers = nil
	inv := &inventory.Inventory{Memory: &inventory.Memory{Events: []inventory.Event{{Reason: "Evicted", Namespace: "a", Pod: "b", PodUID: oomPod}, {Reason: "Evicted", Namespace: "batch", Pod: "import-7", PodUID: oomGone}}}}
	checkVictims(t, "events", r, inv, []string{"batch/import-7 [] rsync pod ×1 gone 90–90"})
	checkVictims(t, "none", r, nil, []string{"pod " + oomGone + " [] rsync pod ×1 unasked 90–90"})
}

func TestOOMLimitsOfTheSpec(t *testing.T) {
	app := oomPath + "/" + oomID(9)
	n := Join(oomNode(oomHost, 99, killedIn(300, "java", app, app)), oomInventory())
	v := n.OOMVictims()[0]
	if v.Request != 16<<20 || v.Limit != 64<<20 || v.Owner.ContainerID != "" || v.Owner.Workload != "StatefulSet/hub" {
		t.Errorf("got %+v", v)
	}
	if since := n.OOMSince(); since == nil || !since.Equal(time.Unix(1_700_000_050, 0)) {
		t.Errorf("since %v", since)
	}
}
