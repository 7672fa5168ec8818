package diagnose

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const day = 86_400

// oomReport is of a node that has been up for ten days; kills are so many seconds
// ago.
func oomReport(kills ...report.OOMKill) *report.NodeReport {
	r := add(newNode(), process(1, "systemd", inSystemd, 10, 10), process(9, "updatedb", inRoot, 10, 10))
	r.Processes.KernelThreads = 100
	r.Node.Uptime, r.Node.Now = 10*day, r.Node.BootTime+10*day
	r.OOM = &report.OOM{Kills: kills}
	return r
}

func oomKilled(secondsAgo float64, comm, limit, cgroup string) report.OOMKill {
	k := report.OOMKill{At: new(10*day - secondsAgo), PID: 4711, Comm: comm, Constraint: report.OOMCgroup, LimitCgroup: limit, Cgroup: cgroup,
		AnonRSS: new(uint64(60 << 20)), FileRSS: new(uint64(0)), Usage: new(uint64(64 << 20)), Limit: new(uint64(64 << 20))}
	if limit == "" {
		k.Constraint, k.Usage, k.Limit = report.OOMNode, nil, nil
		k.Largest = []report.OOMTask{{PID: 4711, Comm: comm, RSS: 18 << 30}, {PID: 9, Comm: "updatedb", RSS: 1 << 30}}
	}
	return k
}

func oomHub() *inventory.Inventory {
	inv := hubInventory()
	inv.Pods[0].Containers[0].Restarts = 7
	inv.Pods[0].Containers[0].MemoryLimit, inv.Pods[0].Containers[0].MemoryRequest = 64<<20, 32<<20
	return inv
}

func findingText(f Finding) string {
	s := string(f.Severity) + ": " + f.Summary + "\n"
	for _, e := range f.Evidence {
		s += "- " + e + "\n"
	}
	for _, r := range f.Remedy {
		s += "> " + r.Do
		if r.Run != "" {
			s += " $ " + r.Run
		}
		s += "\n"
	}
	return s
}

func TestOOMKills(t *testing.T) {
	agent := podCgroup + "/" + containerID
	group := oomKilled(100, "java", agent, agent)
	group.Group = true
	member := group
	member.PID, member.Comm = 4712, "sleep"
	little := oomKilled(100, "java", agent, agent)
	little.AnonRSS, little.Largest = new(uint64(1<<20)), []report.OOMTask{{PID: 4711, Comm: "java", RSS: 2 << 20}, {PID: 4713, Comm: "sh", RSS: 1 << 20}}
	other := oomKilled(100, "x", "", "/system.slice/cron.service")
	other.Largest = []report.OOMTask{{PID: 9, Comm: "updatedb", RSS: 18 << 30, ScoreAdj: -1000}, {PID: 4711, Comm: "x", RSS: 1 << 20}}
	numa := oomKilled(100, "x", "", "/x")
	numa.Constraint = report.OOMCpuset
	for name, c := range map[string]struct {
		r    *report.NodeReport
		inv  *inventory.Inventory
		says []string
	}{
		"a container's limit": {oomReport(oomKilled(300, "java", agent, agent), oomKilled(60, "java", agent, agent)), oomHub(), []string{
			"warning: prod/hub-0, container agent (StatefulSet/hub) was OOM-killed 2 times at its own memory limit of 64 MiB, last 1 minute ago\n",
			"- process 4711 (java) had 60 MiB anonymous, killed at 2023-11-24 22:12:20 UTC; 2 kills in 4m0s\n",
			"- 64 MiB of 64 MiB used in " + agent + "\n", "- its spec: request 32 MiB, limit 64 MiB; restarted 7 times\n",
			"$ kubectl -n prod logs hub-0 -c agent --previous --tail 50\n", "$ kubectl nodedoc memory node-43 --watch\n",
			"$ kubectl -n prod set resources statefulset hub -c agent --limits=memory=96Mi\n"}},
		"a pod's limit":   {oomReport(oomKilled(60, "java", podCgroup, agent)), oomHub(), []string{"at its pod's memory limit of 64 MiB", "set resources statefulset hub"}},
		"all pods' limit": {oomReport(oomKilled(60, "java", "/kubepods", agent)), oomHub(), []string{"was OOM-killed since all pods together reached what the node has for them, 64 MiB", "raise the requests"}},
		"a unit's limit": {oomReport(oomKilled(60, "x", "/system.slice/x.service", "/system.slice/x.service")), nil, []string{
			"x.service was OOM-killed at the memory limit of 64 MiB of cgroup /system.slice/x.service, last 1 minute ago", "$ systemctl set-property x.service MemoryMax=96M\n"}},
		"a unit's in LXC": {oomReport(oomKilled(60, "x", "/lxc/101/ns/system.slice/x.service", "/lxc/101/ns/system.slice/x.service")), nil, []string{
			"container 101 was OOM-killed at the memory limit of 64 MiB of cgroup /lxc/101/ns/system.slice/x.service", "> if it needs more: raise the limit where it is set\n"}},
		"an odd unit's":     {oomReport(oomKilled(60, "x", "/system.slice/x y.service", "/system.slice/x y.service")), nil, []string{"> if it needs more: raise the limit where it is set\n"}},
		"gone, and unasked": {oomReport(oomKilled(60, "java", agent, agent)), &inventory.Inventory{}, []string{"prod/hub-0, container agent, gone was OOM-killed at", "in the pod's spec, to 96Mi say"}},
		"gone without a name": {oomReport(oomKilled(60, "x", "/kubepods/pod11111111-1f00-4c6e-9d51-0242ac120002", "/kubepods/pod11111111-1f00-4c6e-9d51-0242ac120002/"+strings.Repeat("7", 64))), &inventory.Inventory{}, []string{
			"$ kubectl get events -A --field-selector involvedObject.uid=11111111-1f00-4c6e-9d51-0242ac120002\n"}},
		"gone, and its events, too": {oomReport(oomKilled(60, "x", "/kubepods/pod11111111-1f00-4c6e-9d51-0242ac120002", "/kubepods/pod11111111-1f00-4c6e-9d51-0242ac120002/"+strings.Repeat("7", 64))),
			&inventory.Inventory{Memory: &inventory.Memory{PodNames: []inventory.PodName{{UID: "11111111-1f00-4c6e-9d51-0242ac120002"}}}}, []string{"nobody has the pod's name any more: its events are gone, too\n", "\n> if it needs more"}},
		"a whole group":        {oomReport(group, member), oomHub(), []string{"- memory.oom.group is set: with each kill all processes of the cgroup die, 2 in all\n", "was OOM-killed at its own"}},
		"most is no process's": {oomReport(little), oomHub(), []string{"- the largest at that moment: java (4711) 2 MiB, sh (4713) 1 MiB\n", "- its processes had less than half of it: the rest is tmpfs"}},
		"the node's": {oomReport(oomKilled(60, "updatedb", "", "/system.slice/cron.service")), &inventory.Inventory{Node: "node-43"}, []string{
			"critical: the node ran out of memory: the kernel has killed 1 process, last 1 minute ago\n",
			"- the largest process at that moment: 4711 (updatedb) with 18 GiB, of cron.service: a process of the host, which no pod's limit holds\n",
			"- process 4711 (updatedb) of cron.service had 60 MiB anonymous",
			"$ kubectl nodedoc memory node-43\n", "$ systemctl set-property cron.service MemoryMax=SIZE\n", "$ kubectl nodedoc record node-43 --for 12h\n"}},
		"the largest lives": {oomReport(other), nil, []string{"9 (updatedb) with 18 GiB, of updatedb (cgroup /): a process of the host, which no pod's limit holds; it was not killed (oom_score_adj -1000)"}},
		"NUMA nodes":        {oomReport(numa), nil, []string{"warning: NUMA nodes that programs are bound to ran out of memory"}},
		"nobody knows whose": {oomReport(report.OOMKill{At: new(10.0*day - 5), PID: 7, Comm: "x", Constraint: report.OOMCgroup}), nil, []string{
			"process 7 (x) was OOM-killed at a cgroup's memory limit, last 5 seconds ago"}},
		"nor of two": {oomReport(report.OOMKill{At: new(10.0*day - 5), PID: 7, Comm: "x", Constraint: report.OOMCgroup}, report.OOMKill{At: new(10.0*day - 4), PID: 8, Comm: "y", Constraint: report.OOMCgroup}), nil, []string{
			"2 processes were OOM-killed of which nobody knows whose they were, last 4 seconds ago\n- process 8 (y), killed at"}},
	} {
		findings := diagnosed(c.r, c.inv)
		if len(findings) != 1 || findings[0].ID != MemoryOOMKills {
			t.Errorf("%s: got %+v", name, findings)
			continue
		}
		text := findingText(findings[0])
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
	}
}

func TestOOMKillsTheAPIServerKnows(t *testing.T) {
	inv := oomHub()
	inv.Pods[0].Containers[0].OOMKilled = []inventory.Termination{{ID: "x", FinishedAt: 1_700_000_000 + 10*day - 60}}
	r := oomReport()
	text := ""
	for _, f := range diagnosed(r, inv) {
		text += findingText(f)
	}
	for _, want := range []string{"was OOM-killed (its container's limit is 64 MiB), last 1 minute ago", "a process, killed at 2023-11-24 22:12:20 UTC; the API server says so, the kernel's log does not have it"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	r.OOM = nil // nobody asked about memory
	if f := diagnosed(r, inv); len(f) != 0 {
		t.Errorf("got %+v", f)
	}
}

func TestNodesFindingsComeFirst(t *testing.T) {
	agent := podCgroup + "/" + containerID
	f := diagnosed(oomReport(oomKilled(9, "a", "", "/x"), oomKilled(8, "java", agent, agent), oomKilled(7, "b", "/y.slice", "/y.slice/z")), oomHub())
	if len(f) != 3 || f[0].Severity != Critical || f[1].Subject.Cgroup != "/y.slice/z" || f[2].Subject.Type != correlate.OwnerPod {
		t.Errorf("got %+v", f)
	}
}

func TestOOMKilledPodsThatAreGone(t *testing.T) {
	var kills []report.OOMKill
	for i := range 12 {
		cgroup := fmt.Sprintf("/kubepods/pod%08d-1f00-4c6e-9d51-0242ac120002", i)
		kills = append(kills, oomKilled(float64(200-i), "x", cgroup, cgroup+"/"+strings.Repeat("7", 64)))
	}
	for count, want := range map[int]int{1: 1, 2: 2, 3: 1, 12: 1} {
		f := diagnosed(oomReport(kills[:count]...), &inventory.Inventory{})
		if len(f) != want {
			t.Errorf("%d: got %+v", count, f)
		}
	}
	if f := diagnosed(oomReport(kills...), nil); len(f) != 1 || !strings.HasPrefix(f[0].Summary, "OOM kills in 12 pods whose names the node does not have (any more): 12 in all") {
		t.Errorf("without the API server: got %+v", f)
	}
	text := findingText(diagnosed(oomReport(kills...), &inventory.Inventory{})[0])
	for _, want := range []string{"OOM kills in 12 pods, gone by now: 12 in all, last 3 minutes ago\n", "- and 2 more\n", "involvedObject.uid=00000011-",
		"- pod 00000011-1f00-4c6e-9d51-0242ac120002, gone: at its pod's memory limit of 64 MiB; process 4711 (x) had 60 MiB anonymous, last 3 minutes ago\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestOldOOMKillsAreNoNews(t *testing.T) {
	agent := podCgroup + "/" + containerID
	killed := func(secondsAgo float64) report.OOMKill { return oomKilled(secondsAgo, "java", agent, agent) }
	bySysRq := killed(60)
	bySysRq.By = "SysRq"
	timeless := killed(60)
	timeless.At = nil
	young := oomReport(timeless)
	young.Node.Uptime = 3600
	for name, c := range map[string]struct {
		r    *report.NodeReport
		want int
	}{
		"none":                     {oomReport(), 0},
		"two of long ago":          {oomReport(killed(5*day), killed(2*day)), 0},
		"three, two days ago":      {oomReport(killed(2*day+2), killed(2*day+1), killed(2*day)), 1},
		"three, eight days ago":    {oomReport(killed(8*day), killed(8*day), killed(8*day)), 0},
		"one of long ago, one now": {oomReport(killed(5*day), killed(60)), 1},
		"somebody wanted it":       {oomReport(bySysRq), 0},
		"no times":                 {oomReport(timeless), 0},
		"no times, just started":   {young, 1},
	} {
		if f := diagnosed(c.r, oomHub()); len(f) != c.want {
			t.Errorf("%s: got %+v", name, f)
		}
	}
}
