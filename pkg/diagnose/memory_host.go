package diagnose

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Kubelet, runtimes and whole distributions in one process (k3s) grow with the number
// of pods.
func nodeDaemonSize() Threshold {
	return ofBytes(MemoryHostProcess, "daemon-size", 2<<30, "of the kubelet, a runtime and the like: less is no finding")
}
func hostShare() Threshold { return memoryShare(MemoryHostProcess) }
func hostSize() Threshold  { return memorySize(MemoryHostProcess, largeMin) }

// Hardly anything is available: so many percent, and less than so many bytes.
const pressedPercent, pressedBytes = 10.0, 16 << 30

// What holds the memory is no longer a matter of planning.
func pressedShare() Threshold {
	return percent(MemoryHostProcess, "critical-available", pressedPercent, "of the node's memory available: critical below")
}

// With more than that left a large node is not pressed, whatever the share.
func pressedMost() Threshold {
	return ofBytes(MemoryHostProcess, "critical-available-size", pressedBytes, "available: with more it is never critical")
}

func memoryHostProcessRule() Rule {
	return Rule{
		ID: MemoryHostProcess, find: memoryHostProcess,
		Title:      "a process outside of all pods has much of the node's memory",
		Thresholds: []Threshold{hostShare(), hostSize(), nodeDaemonSize(), pressedShare(), pressedMost()},
		Page: Page{
			Means: "What runs outside of kubepods, a unit of the host or somebody's session, has no pod's limit; the scheduler does not count it, and the kubelet cannot evict it: it evicts pods instead. It looks like a leak in some pod, the more so where the process works in a pod's directory (an indexer, a backup, a scanner).",
			Computed: []string{
				"By cgroup: the smaller of the working set (memory.usage less inactive_file, as the kubelet has it) and of usage without page cache. It is a finding from {share} of the node's memory on, if that is {size} or more, for the kubelet, runtimes and other daemons of a node {daemon-size}, and more than what is set aside for the system (kubeReserved and systemReserved).",
				"It is critical while less than {critical-available} of the node's memory is available by the kernel's count, and less than {critical-available-size}.",
				"The timers and cron files that start it are read from the node.",
			},
			Source: []string{"memory.usage_in_bytes, memory.stat (cgroup v1), memory.current, memory.stat (v2); /proc/meminfo: MemAvailable", "Kubernetes: Reserve Compute Resources for System Daemons"},
			Do: []string{
				"See what it is and who runs it: kubectl nodedoc whois-pid. Stop its unit, or the process.",
				"For good: bound the unit (MemoryMax=), or count it in the kubelet's system-reserved. An indexer: the kubelet's directory into PRUNEPATHS of /etc/updatedb.conf.",
			},
			Fooled: []string{
				"A page counts for the cgroup that touched it first: shared memory may stand with who does not need it any more.",
				"Without systemd's memory accounting on cgroup v1 many daemons share the root cgroup: then what processes have alone counts.",
				"A database that is meant to live on the host at this size should be in system-reserved: then it is no finding.",
			},
		},
	}
}

// memoryHostProcess: what runs outside of kubepods has no pod's limit, the
// scheduler does not count it, and the kubelet cannot evict it: pods go instead.
func memoryHostProcess(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	total := memoryTotal(n)
	if total == 0 {
		return nil
	}
	m := n.Memory(correlate.MemoryOptions{})
	var findings []Finding
	for _, row := range m.Rows {
		if len(findings) == ownersNamedMax {
			break
		}
		if row.Host && row.Heaviest != nil && holdsTooMuch(n, row, total, limits) {
			findings = append(findings, hostFinding(n, m, row, limits))
		}
	}
	return findings
}

// holdsTooMuch: kubelet and runtime at their usual size are what a node is for, and
// so is whatever fits into what is set aside for the system. Page cache goes when
// somebody needs it, though the kubelet counts what is in use: a backup in a session
// fills a node with it.
func holdsTooMuch(n *correlate.Node, row correlate.MemoryRow, total uint64, limits Thresholds) bool {
	least := limits.bytes(hostSize())
	if isNodeDaemon(row) {
		least = limits.bytes(nodeDaemonSize())
	}
	held := min(row.WorkingSet, row.Usage-min(row.File, row.Usage))
	return held >= least && shareOf(held, total) >= limits.In(hostShare()) && held > setAside(n)
}

// memoryPressed: hardly anything is available.
func memoryPressed(m correlate.NodeMemory, share float64, most uint64) bool {
	if m.Kernel == nil || m.Kernel.Total == nil || *m.Kernel.Total == 0 {
		return false
	}
	left := *m.Kernel.Total - min(m.Kernel.Used, *m.Kernel.Total)
	return left < most && shareOf(left, *m.Kernel.Total) < share
}

// setAside is what the kubelet's configuration reserves for the system; where that is
// not known, what pods may not ask for; 0 where nobody says.
func setAside(n *correlate.Node) uint64 {
	if e := n.Eviction(); e != nil && e.Reserved != nil && e.Source != correlate.FromDefaults {
		return e.Reserved.Kube + e.Reserved.System
	}
	if n.Inventory == nil || n.Inventory.Memory == nil {
		return 0
	}
	inv := n.Inventory.Memory
	return inv.Capacity - min(inv.Allocatable, inv.Capacity)
}

// isNodeDaemon: a node has these, by unit or by process.
func isNodeDaemon(row correlate.MemoryRow) bool {
	names := []string{trimService(row.Owner.Unit)}
	if row.Owner.Type == correlate.OwnerCgroup && row.Heaviest != nil {
		names = append(names, row.Heaviest.Comm)
	}
	for _, name := range names {
		switch name {
		case "k3s", "k3s-server", "k3s-agent", "rke2-server", "rke2-agent", "k0s", "k0scontroller", "k0sworker", "kubelite", "snap.microk8s.daemon-kubelite",
			"docker", "systemd-journald", "podruntime", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "ovs-vswitchd":
			return true
		}
		if nodeHangsOn(name) {
			return true
		}
	}
	return false
}

func hostFinding(n *correlate.Node, m correlate.NodeMemory, row correlate.MemoryRow, limits Thresholds) Finding {
	owner, by := row.Owner, *row.Heaviest
	f := Finding{Severity: Warning, Subject: &owner,
		Summary: fmt.Sprintf("%s has %s of memory, %.0f %% of the node's, and is no pod: process %d (%s)", Title(owner), correlate.Size(row.WorkingSet), row.Percent, by.PID, by.Comm)}
	if memoryPressed(m, limits.In(pressedShare()), limits.bytes(pressedMost())) {
		f.Severity = Critical
	}
	text := fmt.Sprintf("process %d (%s) has %s resident", by.PID, by.Comm, correlate.Size(by.RSS))
	if by.Age > 0 {
		text += ", started " + duration.HumanDuration(time.Duration(by.Age*float64(time.Second))) + " ago"
	}
	if by.PerSecond != nil && *by.PerSecond >= 1<<20 {
		text += ", " + rateOf(*by.PerSecond)
	}
	f.Evidence = append(f.Evidence, text, "its cgroup is not in kubepods: no pod's limit holds it, the scheduler does not count it, and the kubelet evicts pods instead")
	if aside := setAside(n); aside > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s are set aside for all of the system", correlate.Size(aside)))
	}
	for _, p := range m.Processes {
		if p.PID == by.PID {
			by = p
		}
	}
	if by.Misleading != "" {
		f.Evidence = append(f.Evidence, by.Misleading)
	}
	f.Evidence = append(f.Evidence, startedBy(by.Background)...)
	f.Remedy = hostRemedy(n, row, by, memoryTotal(n))
	return f
}

// startedBy says which timer or cron file runs it.
func startedBy(b *correlate.Background) []string {
	if b == nil {
		return nil
	}
	var list []string
	for _, t := range b.Timers {
		text := "the timer " + t.Name + " starts it"
		if len(t.Triggers) > 0 {
			text += " (" + strings.Join(t.Triggers, ", ") + ")"
		}
		if t.LastRun != nil {
			text += ", last " + t.LastRun.Format(time.RFC3339)
		}
		if t.NextRun != nil {
			text += ", next " + t.NextRun.Format(time.RFC3339)
		}
		list = append(list, text)
	}
	if b.Cron == nil {
		return list
	}
	for _, e := range b.Cron.Entries {
		text := "cron runs it: " + e.File
		if e.Line > 0 {
			text += fmt.Sprintf(" line %d: %s", e.Line, e.Schedule)
		}
		list = append(list, text)
	}
	return list
}

// hostRemedy stops it now, and bounds it for good.
func hostRemedy(n *correlate.Node, row correlate.MemoryRow, p correlate.MemoryProcess, total uint64) []Step {
	steps := []Step{{Do: "see what it is, and who runs it", Run: whoisCommand(n, p.PID)}}
	unit := row.Owner.Unit
	known := row.Owner.Type == correlate.OwnerUnit && unitName.MatchString(unit)
	if isIndexer(p.Comm) {
		steps = append(steps, Step{Do: "it indexes all that is mounted, pods' volumes, too: on the node, add " + kubeletRoot(n) + " and the runtime's directory to PRUNEPATHS in /etc/updatedb.conf, and network filesystems to PRUNEFS; or remove the job"})
	}
	switch {
	case isNodeDaemon(row):
		return append(steps, Step{Do: "a daemon of the node at this size most likely leaks, or has very much to look after: its log and its profile tell; a restart frees it"})
	case known && startsJobs(unit):
		steps = append(steps, Step{Do: "to end it now, on the node", Run: fmt.Sprintf("kill %d", p.PID)})
	case known && strings.HasSuffix(unit, ".service"):
		steps = append(steps, Step{Do: "to end it now, on the node", Run: "systemctl stop " + unit})
	}
	switch {
	case known && isJob(unit, p):
		bound := max(total/20, largeMin) >> 20
		return append(steps, Step{Do: "to bound it for good, once it has ended, on the node; all that runs in the unit shares this", Run: fmt.Sprintf("systemctl set-property %s %s=%dM", unit, memoryMax(n), bound)})
	case known:
		return append(steps, Step{Do: "for good: count it in the kubelet's system-reserved, and bound it at what it needs, on the node; with less than it has it is killed at once", Run: oomUnitLimit(n, row.Owner)})
	}
	return append(steps, Step{Do: "for good: run it as a unit with MemoryMax=, or count it in the kubelet's system-reserved"})
}

// isIndexer: these walk through the whole tree, once a day.
func isIndexer(comm string) bool {
	switch comm {
	case "updatedb", "updatedb.mlocat", "updatedb.ploca", "updatedb.plocat":
		return true
	}
	return false
}

// startsJobs: to stop the unit would end others, too.
func startsJobs(unit string) bool {
	switch trimService(unit) {
	case "cron", "crond", "anacron", "atd":
		return true
	}
	return false
}

// isJob: it comes and goes, and how much it may have is not what it now has.
func isJob(unit string, p correlate.MemoryProcess) bool {
	return startsJobs(unit) || isIndexer(p.Comm) || p.Background != nil && len(p.Background.Timers) > 0
}

func kubeletRoot(n *correlate.Node) string {
	if k := n.Report.Kubelet; k != nil && k.RootDir != "" {
		return k.RootDir
	}
	return "/var/lib/kubelet"
}
