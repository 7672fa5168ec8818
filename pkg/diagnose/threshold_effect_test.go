package diagnose

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// effect is a node of which a rule says one thing by the default of a threshold, and
// another by a value.
type effect struct {
	value string
	r     *report.NodeReport
	inv   *inventory.Inventory // nil: hubInventory
	// want are the severities of the rule's findings, by the default and by the value.
	want, changed string
}

// Every threshold changes an answer, and what is changed says so.
func TestEveryThreshold(t *testing.T) {
	effects := map[string]effect{}
	for _, some := range []map[string]effect{descriptorEffects(), otherEffects(), taskEffects(), memoryEffects(), limitEffects(), evictionEffects(), kubeletEffects()} {
		maps.Copy(effects, some)
	}
	for _, of := range AllThresholds() {
		t.Run(of.Name, func(t *testing.T) {
			e, ok := effects[of.Name]
			if !ok {
				t.Fatal("no node shows what it does")
			}
			delete(effects, of.Name)
			limits, err := Thresholds{}.With(of.Name, e.value)
			if err != nil {
				t.Fatal(err)
			}
			if e.inv == nil {
				e.inv = hubInventory()
			}
			rule, _, _ := strings.Cut(of.Name, ".")
			n := correlate.Join(e.r, e.inv)
			if got := ofRule(Diagnose(n, Thresholds{}), rule, ""); got != e.want {
				t.Errorf("by default got %q, want %q", got, e.want)
			}
			if got := ofRule(Diagnose(n, limits), rule, "threshold "+of.Name+" is "+of.Unit.Format(limits.In(of))+" here"); got != e.changed {
				t.Errorf("with %s got %q, want %q", e.value, got, e.changed)
			}
		})
	}
	if len(effects) > 0 {
		t.Errorf("no thresholds: %q", slices.Sorted(maps.Keys(effects)))
	}
}

// ofRule are the severities of a rule's findings, with a mark where one has no such
// evidence.
func ofRule(findings []Finding, id, evidence string) string {
	var list []string
	for _, f := range findings {
		if f.ID != id {
			continue
		}
		severity := string(f.Severity)
		if !slices.ContainsFunc(f.Evidence, func(e string) bool { return strings.HasPrefix(e, evidence) }) {
			severity += ", unsaid"
		}
		list = append(list, severity)
	}
	return strings.Join(list, ",")
}

const isWarning, isCritical = "warning", "critical"

func of(r *report.NodeReport, changes ...func(*report.NodeReport)) *report.NodeReport {
	for _, change := range changes {
		change(r)
	}
	return r
}

func descriptorEffects() map[string]effect {
	growing := func(before, count int, millis int64, changes ...func(*report.Process)) *report.NodeReport {
		r := newNode()
		r.Processes.FDIntervalMillis = millis
		p := process(22, "java", inPod, before, count)
		for _, change := range changes {
			change(&p)
		}
		return add(r, p)
	}
	age := func(seconds uint64) func(*report.Process) {
		return func(p *report.Process) { p.StartTicks = (86400 - seconds) * 100 }
	}
	starts := growing(600, 610, 3000, age(10))
	add(starts, process(3, "dockerd", inDocker, 600, 630))
	noTable := func(used uint64, held int) *report.NodeReport {
		r := add(newNode(), process(9, "java", inPod, held, held))
		r.OpenFiles = openFiles(1000, used, used)
		r.Processes.KernelThreads, r.Processes.FDMethod = 50, "getdents"
		return r
	}
	files := func(limit uint64, counts ...uint64) *report.NodeReport {
		r := newNode()
		r.OpenFiles = openFiles(limit, counts...)
		return r
	}
	fifos := process(767196, "dockerd", inDocker, 2772, 2774)
	fifos.FDs.ExecFIFOs = execFIFOPairs(containerID, 60)
	return map[string]effect{
		"fd-exec-fifos.sessions":         {"50", add(newNode(), fifos), nil, "", isWarning},
		"fd-close-wait.sockets":          {"50", withSockets(closeWaits(60)...), nil, "", isWarning},
		"fd-runtime-clients.connections": {"200", withSockets(report.SocketGroup{Protocol: "unix", State: "CONNECTED", Remote: "/run/docker.sock", Count: 300}), nil, "", isWarning},
		"fd-deleted-files.files":         {"200", add(newNode(), holdingDeleted(22, 300)), nil, "", isWarning},
		"fd-growth.descriptors":          {"300", growing(390, 400, 3000), nil, "", isWarning},
		"fd-growth.rate":                 {"0.3/s", growing(990, 1000, 25_000), nil, "", isWarning},
		"fd-growth.gained":               {"2", growing(997, 1000, 3000), nil, "", isWarning},
		"fd-growth.slow-gained":          {"8", growing(990, 1000, 40_000), nil, "", isWarning},
		"fd-growth.warm-up":              {"100s", growing(900, 1000, 3000, age(200)), nil, "", isWarning},
		"fd-growth.per-start":            {"20", starts, nil, "", isWarning},
		"fd-process-limit.warning":       {"60%", add(newNode(), limited(inPod, 700, 1000, 4096)), nil, "", isWarning},
		"fd-process-limit.critical":      {"85%", add(newNode(), theKubelet(limited(inKubelet, 900, 1000, 4096))), nil, isWarning, isCritical},
		"fd-process-limit.least-limit":   {"50", add(newNode(), limited(inPod, 60, 64, 64)), nil, "", isWarning},
		"inotify-instances.warning":      {"60%", inotifyNode(watching(5, 0, inPod, 90, 10)), nil, "", isWarning},
		"inotify-instances.critical":     {"85%", inotifyNode(watching(5, 0, inPod, 110, 10)), nil, isWarning, isCritical},
		"inotify-watches.warning":        {"60%", inotifyNode(watching(5, 0, inPod, 3, 7000)), nil, "", isWarning},
		"inotify-watches.critical":       {"85%", inotifyNode(watching(5, 0, inPod, 3, 8600)), nil, isWarning, isCritical},
		"fd-no-table.warning":            {"60%", noTable(700, 300), nil, "", isWarning},
		"fd-no-table.share":              {"10%", noTable(800, 650), nil, "", isWarning},
		"fd-node-limit.warning":          {"70%", files(1000, 750), nil, "", isWarning},
		"fd-node-limit.critical":         {"85%", files(1000, 900), nil, isWarning, isCritical},
		"fd-node-limit.in-sight":         {"30%", files(100_000, 39_997, 40_000), nil, "", isWarning},
		"fd-node-limit.soon":             {"1d", files(43_204, 21_601, 21_602), nil, "", isWarning},
		"fd-node-limit.very-soon":        {"1h", files(3604, 1801, 1802), nil, isWarning, isCritical},
	}
}

func otherEffects() map[string]effect {
	leaky := func(volumes int, cpu float64) effect {
		r, inv := leakyNode(volumes, "removing")
		r.Kubelet = &report.Kubelet{PID: 2, RootDir: kubeletDir, CPUPercent: &cpu}
		return effect{r: r, inv: inv, want: isWarning, changed: isCritical}
	}
	with := func(e effect, value string) effect {
		e.value = value
		return e
	}
	pipes := hungRunc()
	pipes.Pipes.Users[0].Pages, pipes.Pipes.Waits = 12_000, nil
	young := hungRunc()
	young.Processes.List[1].StartTicks = 999_700
	return map[string]effect{
		"mounts-leaked.critical-volumes": with(leaky(20, 1), "10"),
		"mounts-leaked.critical-mounts":  with(leaky(20, 1), "30"),
		"mounts-leaked.kubelet-cpu":      with(leaky(60, 150), "100%"),
		"mounts-leaked.kubelet-mounts":   with(leaky(20, 250), "30"),
		"pipes-user-limit.warning":       {"70%", pipes, nil, "", isWarning},
		"pipes-runtime-blocked.age":      {"2s", young, nil, "", isCritical},
	}
}

func taskEffects() map[string]effect {
	return map[string]effect{
		"tasks-kernel-threads.devices":   {"30", tasksNode(400, devices(40, "")), nil, "", isWarning},
		"tasks-zombies.zombies":          {"50", tasksNode(400, zombies(60, 9)), nil, "", isWarning},
		"tasks-blocked.threads":          {"3", tasksNode(400, blocked("io_schedule", 3, 2000)), nil, "", isWarning},
		"tasks-blocked.long":             {"4s", tasksNode(400, blocked("io_schedule", 1, 5000)), nil, "", isWarning},
		"tasks-blocked.critical-threads": {"15", tasksNode(400, blocked("io_schedule", 20, 2000)), nil, isWarning, isCritical},
		"tasks-pod-limit.warning":        {"60%", tasksNode(400, limits(taskLimit(podCgroup, 70, 100, 0))), nil, "", isWarning},
		"tasks-pod-limit.critical":       {"85%", tasksNode(400, limits(taskLimit("/kubepods", 900, 1000, 0))), nil, isWarning, isCritical},
		"tasks-pod-limit.least-limit":    {"30", tasksNode(400, limits(taskLimit(podCgroup, 38, 40, 0))), nil, "", isWarning},
		"tasks-node-limit.warning":       {"70%", tasksNode(24_000, nil), nil, "", isWarning},
		"tasks-node-limit.critical":      {"85%", tasksNode(29_500, nil), nil, isWarning, isCritical},
	}
}
