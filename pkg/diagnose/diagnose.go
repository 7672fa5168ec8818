// Package diagnose holds the rules: pure functions from facts to findings, in
// one ordered list. A healthy node yields none.
package diagnose

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

const (
	ownersNamedMax  = 10 // findings of one rule, or owners that a finding names
	holdersNamedMax = 3  // processes named per owner
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

// Rules are all rules, causes before symptoms. A new rule is one file and one line here.
func Rules() []Rule {
	return []Rule{
		mountsLeakedRule(),
		mountsDeviceErrorsRule(),
		mountsDetachedRule(),
		execFIFOsRule(),
		closeWaitRule(),
		runtimeClientsRule(),
		deletedFilesRule(),
		fdGrowthRule(),
		processLimitRule(),
		inotifyInstancesRule(),
		inotifyWatchesRule(),
		noTableRule(),
		fdNodeLimitRule(),
		pipesUserLimitRule(),
		pipesRuntimeBlockedRule(),
		runtimeDaemonRule(),
		runtimeStuckRule(),
		runtimeLeftoversRule(),
		tasksKernelThreadsRule(),
		tasksZombiesRule(),
		tasksServerRule(),
		tasksBlockedRule(),
		tasksPodLimitRule(),
		tasksNodeLimitRule(),
		memoryGrowthRule(),
		memoryHostProcessRule(),
		memoryContainerLimitRule(),
		memoryTmpfsRule(),
		memoryKernelRule(),
		memoryThresholdTooLowRule(),
		memorySoftOnlyRule(),
		memoryReservedTooSmallRule(),
		memoryOOMKillsRule(),
		memoryPressureRule(),
		kubeletHotRule(),
		kubeletLogFloodRule(),
		kubeletLogRule(),
		nodeNotReadyRule(),
		nodeStartsNoPodRule(),
		nodeNotExaminedRule(),
	}
}

// Diagnose applies all rules: critical findings first, else in the rules' order. Of
// rules with other thresholds than the defaults each finding says so.
func Diagnose(n *correlate.Node, limits Thresholds) []Finding {
	findings := []Finding{}
	for _, r := range Rules() {
		if r.find == nil {
			continue
		}
		changed := limits.changedOf(r)
		for _, f := range r.find(n, limits, findings) {
			f.ID = r.ID
			f.Evidence = append(f.Evidence, changed...)
			findings = append(findings, f)
		}
	}
	linkCauses(n, findings)
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
