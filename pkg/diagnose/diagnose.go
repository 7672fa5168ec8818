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

// Rules, causes before symptoms. A new rule is one file and one line here.
func Rules() []Rule {
	return []Rule{
		{ID: MountsLeaked, find: mountsLeaked},
		{ID: MountsDeviceErrors, find: mountsDeviceErrors},
		{ID: MountsDetached, find: mountsDetached},
		{ID: ExecFIFOs, find: execFIFOs},
		{ID: CloseWait, find: closeWait},
		{ID: RuntimeClients, find: runtimeClients},
		{ID: DeletedFiles, find: deletedFiles},
		{ID: FDGrowth, find: fdGrowth},
		{ID: FDProcessLimit, find: processLimit},
		{ID: InotifyInstances, find: inotifyInstances},
		{ID: InotifyWatches, find: inotifyWatches},
		{ID: FDNoTable, find: noTable},
		fdNodeLimitRule(),
		{ID: PipesUserLimit, find: pipesUserLimit},
		{ID: PipesRuntimeBlocked, find: pipesRuntimeBlocked},
		{ID: RuntimeDaemon, find: runtimeDaemon},
		{ID: RuntimeStuck, find: runtimeStuck},
		{ID: RuntimeLeftovers, find: runtimeLeftovers},
		{ID: TasksKernelThreads, find: tasksKernelThreads},
		{ID: TasksZombies, find: tasksZombies},
		{ID: TasksBlocked, find: tasksBlocked},
		{ID: TasksPodLimit, find: tasksPodLimit},
		{ID: TasksNodeLimit, find: tasksNodeLimit},
		{ID: MemoryGrowth, find: memoryGrowth},
		{ID: MemoryHostProcess, find: memoryHostProcess},
		{ID: MemoryContainerLimit, find: memoryContainerLimit},
		{ID: MemoryTmpfs, find: memoryTmpfs},
		{ID: MemoryKernel, find: memoryKernel},
		{ID: MemoryThresholdTooLow, find: memoryThresholdTooLow},
		{ID: MemorySoftOnly, find: memorySoftOnly},
		{ID: MemoryReservedTooSmall, find: memoryReservedTooSmall},
		{ID: MemoryOOMKills, find: memoryOOMKills},
		{ID: MemoryPressure, find: memoryPressure},
		kubeletHotRule(),
		kubeletLogFloodRule(),
		kubeletLogRule(),
		nodeNotReadyRule(),
	}
}

// Diagnose applies all rules: critical findings first, else in the rules' order. Of
// rules with other thresholds than the defaults each finding says so.
func Diagnose(n *correlate.Node, limits Thresholds) []Finding {
	findings := []Finding{}
	for _, r := range Rules() {
		changed := limits.changedOf(r)
		for _, f := range r.find(n, limits, findings) {
			f.ID = r.ID
			f.Evidence = append(f.Evidence, changed...)
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
