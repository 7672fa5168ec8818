package diagnose

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// memoryHostProcess: what runs outside of kubepods has no pod's limit, the
// scheduler does not count it, and the kubelet cannot evict it: pods go instead.
func memoryHostProcess(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	total := memoryTotal(n)
	if total == 0 {
		return nil
	}
	m := n.Memory(correlate.MemoryOptions{})
	var findings []Finding
	for _, row := range m.Rows {
		if len(findings) == memoryPerFindingMax {
			break
		}
		if row.Host && row.Heaviest != nil && holdsTooMuch(n, row, total) {
			findings = append(findings, hostFinding(n, m, row, earlier))
		}
	}
	return findings
}

// holdsTooMuch: kubelet and runtime at their usual size are what a node is for, and
// so is whatever fits into what is set aside for the system. Page cache goes when
// somebody needs it, though the kubelet counts what is in use: a backup in a session
// fills a node with it.
func holdsTooMuch(n *correlate.Node, row correlate.MemoryRow, total uint64) bool {
	least := uint64(hostMemoryMin)
	if isNodeDaemon(row) {
		least = nodeDaemonMin
	}
	held := min(row.WorkingSet, row.Usage-min(row.File, row.Usage))
	return held >= least && shareOf(held, total) >= memoryShareMin && held > setAside(n)
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

func hostFinding(n *correlate.Node, m correlate.NodeMemory, row correlate.MemoryRow, earlier []Finding) Finding {
	owner, by := row.Owner, *row.Heaviest
	f := Finding{Severity: Warning, Subject: &owner, CausedBy: causesOf(owner, earlier, MemoryGrowth),
		Summary: fmt.Sprintf("%s has %s of memory, %.0f %% of the node's, and is no pod: process %d (%s)", Title(owner), size(row.WorkingSet), row.Percent, by.PID, by.Comm)}
	if memoryPressed(m) {
		f.Severity = Critical
	}
	text := fmt.Sprintf("process %d (%s) has %s resident", by.PID, by.Comm, size(by.RSS))
	if by.Age > 0 {
		text += ", started " + duration.HumanDuration(time.Duration(by.Age*float64(time.Second))) + " ago"
	}
	if by.PerSecond != nil && *by.PerSecond >= 1<<20 {
		text += ", " + rateOf(*by.PerSecond)
	}
	f.Evidence = append(f.Evidence, text, "its cgroup is not in kubepods: no pod's limit holds it, the scheduler does not count it, and the kubelet evicts pods instead")
	if aside := setAside(n); aside > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s are set aside for all of the system", size(aside)))
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
		bound := max(total/20, hostMemoryMin) >> 20
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
