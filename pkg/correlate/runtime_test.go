package correlate

import (
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	livePod = "11111111-0f3c-4d5e-9d9b-8d7c6b5a4f3e"
	gonePod = "22222222-0f3c-4d5e-9d9b-8d7c6b5a4f3e"
)

// runtimeReport is a node on which nothing is wrong: a pod with its sandbox, both
// below one shim.
func runtimeReport() (*report.NodeReport, *inventory.Inventory) {
	sandbox, main := hexID('a'), hexID('b')
	r := &report.NodeReport{
		Node: report.Node{Hostname: "node-43", Uptime: 10_000, ClockTicks: 100, Now: 1_800_000_000},
		Processes: &report.Processes{List: []report.Process{
			{PID: 100, Comm: "containerd-shim", StartTicks: 100, Cgroup: -1, Shim: &report.Shim{ID: sandbox}},
			{PID: 110, Comm: "pause", StartTicks: 110, Cgroup: -1}, {PID: 120, Comm: "java", StartTicks: 120, Cgroup: -1},
		}},
		Containers: &report.Containers{List: []report.Container{
			{ID: sandbox, Runtime: "containerd", Sandbox: true, SandboxID: sandbox, PodUID: livePod, PodName: "hub-0", PodNamespace: "prod"},
			{ID: main, Runtime: "containerd", Name: "agent", SandboxID: sandbox, PodUID: livePod, PodName: "hub-0", PodNamespace: "prod"},
		}},
		Runtime: &report.Runtime{Tasks: []report.RuntimeTask{
			{ID: sandbox, PID: 110, State: report.TaskRunning, Created: 1_799_990_000}, {ID: main, PID: 120, State: report.TaskRunning, Created: 1_799_990_000},
		}, PodDirs: []string{livePod}, PodCgroups: []report.PodCgroup{{Path: "/kubepods/burstable/pod" + livePod, Populated: true}}},
	}
	inv := &inventory.Inventory{Node: "node-43", Pods: []inventory.Pod{{Namespace: "prod", Name: "hub-0", UID: livePod, Containers: []inventory.Container{{Name: "agent", ID: main, RunningSince: 1_799_990_001}}}}}
	return r, inv
}

func TestHealthyRuntime(t *testing.T) {
	r, inv := runtimeReport()
	got := Join(r, inv).Runtime()
	if got.Running != 2 || got.Stopped+got.Created > 0 || got.Shims != 1 || len(got.Leftovers) > 0 {
		t.Errorf("got %+v", got)
	}
	for _, c := range got.Containers {
		if len(c.Trouble) > 0 || c.Shim != 100 || c.AgeSeconds != 10_000 {
			t.Errorf("got %+v", c)
		}
	}
}

func TestRuntimeTrouble(t *testing.T) {
	main := hexID('b')
	for name, c := range map[string]struct {
		change func(*report.NodeReport, *inventory.Inventory)
		want   string
	}{
		"its shim was killed": {func(r *report.NodeReport, _ *inventory.Inventory) { r.Processes.List[0].Shim = nil }, troubleNoShim},
		"its process and its shim were killed": {func(r *report.NodeReport, _ *inventory.Inventory) {
			r.Processes.List[0].Shim, r.Runtime.Tasks[1].State = nil, report.TaskStopped
		}, troubleNoProcess},
		"never started":      {func(r *report.NodeReport, _ *inventory.Inventory) { r.Runtime.Tasks[1].State = report.TaskCreated }, troubleNotStarted},
		"its pod is unknown": {func(_ *report.NodeReport, inv *inventory.Inventory) { inv.Pods = nil }, "does not know its pod"},
		"docker cannot remove it": {func(r *report.NodeReport, _ *inventory.Inventory) {
			r.Containers.List[1].Runtime, r.Containers.List[1].State = "docker", "dead"
		}, "docker cannot remove it: dead"},
	} {
		t.Run(name, func(t *testing.T) {
			r, inv := runtimeReport()
			c.change(r, inv)
			got := Join(r, inv).Runtime().Containers
			i := slices.IndexFunc(got, func(c RuntimeContainer) bool { return c.ID == main })
			if !strings.Contains(strings.Join(got[i].Trouble, "; "), c.want) {
				t.Errorf("got %+v", got[i])
			}
		})
	}
}

// TestNoRuntimeTrouble: what passes by itself, and what nobody could be asked about.
func TestNoRuntimeTrouble(t *testing.T) {
	for name, change := range map[string]func(*report.NodeReport, *inventory.Inventory) *inventory.Inventory{
		"created a moment ago": func(r *report.NodeReport, inv *inventory.Inventory) *inventory.Inventory {
			r.Runtime.Tasks[1].State, r.Runtime.Tasks[1].Created = report.TaskCreated, r.Node.Now-5
			return inv
		},
		"its end was just seen by its shim": func(r *report.NodeReport, inv *inventory.Inventory) *inventory.Inventory {
			r.Runtime.Tasks[1].State = report.TaskStopped
			return inv
		},
		"its pod ended meanwhile": func(_ *report.NodeReport, inv *inventory.Inventory) *inventory.Inventory {
			inv.Departed, inv.Pods = inv.Pods, nil
			return inv
		},
		"the API server was not asked": func(*report.NodeReport, *inventory.Inventory) *inventory.Inventory { return nil },
		"the API server did not answer": func(_ *report.NodeReport, inv *inventory.Inventory) *inventory.Inventory {
			inv.Pods, inv.PodsError = nil, "timeout"
			return inv
		},
		"a container that has started since": func(_ *report.NodeReport, inv *inventory.Inventory) *inventory.Inventory {
			inv.Pods[0].Containers = append(inv.Pods[0].Containers, inventory.Container{Name: "late", ID: hexID('c'), RunningSince: 1_800_000_001})
			return inv
		},
		"a static pod by its config hash": func(r *report.NodeReport, inv *inventory.Inventory) *inventory.Inventory {
			const hash = "0123456789abcdef0123456789abcdef"
			inv.Pods[0].UID, inv.Pods[0].ConfigHash = gonePod, hash
			r.Runtime.PodDirs, r.Runtime.PodCgroups[0].Path = []string{hash}, "/kubepods/pod"+hash
			for i := range r.Containers.List {
				r.Containers.List[i].PodUID = hash
			}
			return inv
		},
		"cri-o keeps the state of what has ended, and its conmon goes": func(r *report.NodeReport, inv *inventory.Inventory) *inventory.Inventory {
			r.Processes.List[0].Shim = nil
			for i := range r.Containers.List {
				r.Containers.List[i].Runtime = "cri-o"
			}
			r.Runtime.Tasks[1].State = report.TaskStopped
			return inv
		},
		"ended, of a pod that is gone: garbage is collected every minute": func(r *report.NodeReport, inv *inventory.Inventory) *inventory.Inventory {
			r.Containers.List[1].Runtime, r.Containers.List[1].State, r.Containers.List[1].PodUID = "docker", "exited", gonePod
			r.Runtime.Tasks[1].State, inv.Pods[0].Containers = "", nil
			return inv
		},
		"directories beside the pods'": func(r *report.NodeReport, inv *inventory.Inventory) *inventory.Inventory {
			r.Runtime.PodDirs = append(r.Runtime.PodDirs, "lost+found", "a b", "$(reboot)", "..")
			return inv
		},
		"a runtime whose files are elsewhere": func(r *report.NodeReport, inv *inventory.Inventory) *inventory.Inventory {
			other := hexID('7')
			r.Processes.Cgroups = append(r.Processes.Cgroups, report.Cgroup{Entries: []report.CgroupEntry{{Path: "/kubepods/burstable/pod" + livePod + "/" + other}}})
			inv.Pods[0].Containers = append(inv.Pods[0].Containers, inventory.Container{Name: "elsewhere", ID: other, RunningSince: 1_799_000_000})
			return inv
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, inv := runtimeReport()
			got := Join(r, change(r, inv)).Runtime()
			for _, c := range got.Containers {
				if len(c.Trouble) > 0 {
					t.Errorf("trouble: %+v", c)
				}
			}
			if len(got.Leftovers) > 0 {
				t.Errorf("left over: %+v", got.Leftovers)
			}
		})
	}
}

// Pods of another node that runs on this one, in a container of its own, are no
// leftovers of this one; the same below the container that this node is are.
func TestPodsOfANodeWithinAreNoLeftovers(t *testing.T) {
	pods := "/kubelet/kubepods/burstable/pod" + gonePod
	for outer, want := range map[string]int{"/docker/" + hexID('a'): 0, "/system.slice/docker-" + hexID('a') + ".scope": 0, "/lxc.payload.node-2": 0, "/lxc/101/ns": 0, "": 1} {
		r, inv := runtimeReport()
		r.Runtime.PodCgroups = []report.PodCgroup{{Path: outer + pods, Populated: true}}
		if got := Join(r, inv).Runtime().Leftovers; len(got) != want {
			t.Errorf("%s: got %+v", outer, got)
		}
	}
	r, inv := runtimeReport()
	r.Processes.Cgroups = append(r.Processes.Cgroups, report.Cgroup{Entries: []report.CgroupEntry{{Path: "/lxc.payload.node-1/init.scope"}}})
	r.Processes.List = append(r.Processes.List, report.Process{PID: 1, Comm: "systemd", Cgroup: len(r.Processes.Cgroups) - 1})
	r.Runtime.PodCgroups = []report.PodCgroup{{Path: "/lxc.payload.node-1" + pods, Populated: true}}
	if got := Join(r, inv).Runtime().Leftovers; len(got) != 1 {
		t.Errorf("its own: got %+v", got)
	}
}

func TestLeftovers(t *testing.T) {
	r, inv := runtimeReport()
	r.Processes.List = append(r.Processes.List, report.Process{PID: 200, Comm: "containerd-shim", StartTicks: 100, Cgroup: -1, Shim: &report.Shim{ID: hexID('d')}})
	r.Runtime.PodDirs = append(r.Runtime.PodDirs, gonePod)
	r.Runtime.PodCgroups = append(r.Runtime.PodCgroups, report.PodCgroup{Path: "/kubepods.slice/kubepods-pod" + strings.ReplaceAll(gonePod, "-", "_") + ".slice", Populated: true})
	r.Containers.Pods = []report.PodRecord{{UID: gonePod, Namespace: "prod", Name: "old-0"}, {UID: livePod, Namespace: "prod", Name: "hub-0"}}
	dir := "/var/lib/kubelet/pods/" + gonePod
	r.Mounts = &report.Mounts{List: []report.Mount{{Point: dir + "/volumes/a"}, {Point: dir + "/volumes/a/b"}, {Point: dir + "x"}}}
	inv.Pods[0].Containers = append(inv.Pods[0].Containers, inventory.Container{Name: "lost", ID: hexID('e'), RunningSince: 1_799_000_000})
	r.Runtime.Tasks = append(r.Runtime.Tasks, report.RuntimeTask{ID: "by-hand", PID: 120, State: report.TaskRunning, Created: 1_799_990_000, Source: "/run/containerd/runc/k8s.io/by-hand/state.json"},
		report.RuntimeTask{ID: hexID('f'), PID: 120, State: report.TaskRunning, Created: 1_799_990_000, Source: "/run/runc/" + hexID('f') + "/state.json"})
	got := Join(r, inv).Runtime().Leftovers
	kinds := map[LeftoverKind]Leftover{}
	for _, l := range got {
		kinds[l.Kind] = l
	}
	if len(got) != 6 || len(kinds) != 6 {
		t.Fatalf("got %+v", got)
	}
	if l := kinds[LeftPodDir]; l.Path != dir || !slices.Equal(l.Mounts, []string{dir + "/volumes/a/b", dir + "/volumes/a"}) || l.Owner.Pod != "old-0" || l.Owner.PodState != PodGone {
		t.Errorf("pod directory: %+v", l)
	}
	if l := kinds[LeftContainer]; l.ContainerID != "by-hand" || l.PID != 120 {
		t.Errorf("container made by hand: %+v", l)
	}
	if l := kinds[LeftShim]; l.PID != 200 || l.ContainerID != hexID('d') {
		t.Errorf("shim: %+v", l)
	}
	if l := kinds[LeftPodCgroup]; !l.Populated || l.Owner.PodUID != gonePod {
		t.Errorf("cgroup: %+v", l)
	}
	if l := kinds[LeftMissing]; l.ContainerID != hexID('e') || l.Owner.Pod != "hub-0" {
		t.Errorf("missing: %+v", l)
	}
}
