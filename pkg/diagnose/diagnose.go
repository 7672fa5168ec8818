// Package diagnose holds the rules: pure functions from facts to findings, in
// one ordered list. A healthy node yields none.
package diagnose

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Severity says how soon somebody must act.
type Severity string

// Severities: critical threatens the whole node now.
const (
	Critical Severity = "critical"
	Warning  Severity = "warning"
)

// Finding is one conclusion.
type Finding struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	// Subject is who is to blame; nil where it is the node as a whole.
	Subject *correlate.Owner `json:"subject,omitempty"`
	Summary string           `json:"summary"`
	// Evidence are the facts with their numbers.
	Evidence []string `json:"evidence"`
	Remedy   []Step   `json:"remedy"`
	// CausedBy are IDs of findings that explain this one.
	CausedBy []string `json:"causedBy,omitempty"`
}

// Step is one thing to do, and the command that does or shows it, if there is one.
type Step struct {
	Do  string `json:"do"`
	Run string `json:"run,omitempty"`
}

// rule is one function from facts to findings. It sees what earlier rules found,
// so that a symptom can name its cause.
type rule struct {
	id   string
	find func(n *correlate.Node, earlier []Finding) []Finding
}

// rules, causes before symptoms. A new rule is one function and one line here.
func rules() []rule {
	return []rule{
		{MountsLeaked, mountsLeaked},
		{MountsDeviceErrors, mountsDeviceErrors},
		{MountsDetached, mountsDetached},
		{ExecFIFOs, execFIFOs},
		{CloseWait, closeWait},
		{RuntimeClients, runtimeClients},
		{DeletedFiles, deletedFiles},
		{FDGrowth, fdGrowth},
		{FDProcessLimit, processLimit},
		{InotifyInstances, inotifyInstances},
		{InotifyWatches, inotifyWatches},
		{FDNoTable, noTable},
		{FDNodeLimit, fdNodeLimit},
		{PipesUserLimit, pipesUserLimit},
		{PipesRuntimeBlocked, pipesRuntimeBlocked},
		{RuntimeDaemon, runtimeDaemon},
		{RuntimeStuck, runtimeStuck},
		{RuntimeLeftovers, runtimeLeftovers},
		{TasksKernelThreads, tasksKernelThreads},
		{TasksZombies, tasksZombies},
		{TasksBlocked, tasksBlocked},
		{TasksPodLimit, tasksPodLimit},
		{TasksNodeLimit, tasksNodeLimit},
		{MemoryGrowth, memoryGrowth},
		{MemoryHostProcess, memoryHostProcess},
		{MemoryContainerLimit, memoryContainerLimit},
		{MemoryTmpfs, memoryTmpfs},
		{MemoryKernel, memoryKernel},
		{MemoryThresholdTooLow, memoryThresholdTooLow},
		{MemorySoftOnly, memorySoftOnly},
		{MemoryReservedTooSmall, memoryReservedTooSmall},
		{MemoryOOMKills, memoryOOMKills},
		{MemoryPressure, memoryPressure},
		{KubeletHot, kubeletHot},
		{KubeletLogFlood, kubeletLogFlood},
		{KubeletLog, kubeletLog},
	}
}

// Diagnose applies all rules: critical findings first, else in the rules' order.
func Diagnose(n *correlate.Node) []Finding {
	findings := []Finding{}
	for _, r := range rules() {
		for _, f := range r.find(n, findings) {
			f.ID = r.id
			findings = append(findings, f)
		}
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Compare(rank(a.Severity), rank(b.Severity))
	})
	return findings
}

func rank(s Severity) int {
	if s == Critical {
		return 0
	}
	return 1
}

// ids names the findings among earlier that have one of the given IDs.
func ids(earlier []Finding, wanted ...string) []string {
	var found []string
	for _, f := range earlier {
		if slices.Contains(wanted, f.ID) && !slices.Contains(found, f.ID) {
			found = append(found, f.ID)
		}
	}
	return found
}

// causesOf names the findings among earlier that have one of the given IDs and
// blame owner.
func causesOf(owner correlate.Owner, earlier []Finding, wanted ...string) []string {
	var same []Finding
	for _, f := range earlier {
		if f.Subject != nil && *f.Subject == owner {
			same = append(same, f)
		}
	}
	return ids(same, wanted...)
}
