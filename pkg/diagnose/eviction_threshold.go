package diagnose

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// What is available is low, by the kernel's count: a share of all memory, at most so
// much.
func tooLowShare() Threshold {
	return percent(MemoryThresholdTooLow, "critical", 5, "of the node's memory available: critical below").upTo(tooLowLittle())
}
func tooLowMost() Threshold {
	return ofBytes(MemoryThresholdTooLow, "critical-size", 1<<30, "available: with more it is not critical")
}
func tooLowLittle() Threshold { return evictionLittle(MemoryThresholdTooLow) }
func tooLowSoon() Threshold   { return evictionSoon(MemoryThresholdTooLow) }
func tooLowKills() Threshold  { return evictionKills(MemoryThresholdTooLow) }

func memoryThresholdTooLowRule() Rule {
	return Rule{
		ID: MemoryThresholdTooLow, find: memoryThresholdTooLow,
		Title:      "the kernel runs out of memory before the kubelet evicts",
		Thresholds: []Threshold{tooLowShare(), tooLowMost(), tooLowLittle(), tooLowSoon(), tooLowKills()},
		Page: Page{
			Means: "memory.available counts what nobody can have: the kernel's own memory, huge pages, and what the kernel keeps free by its watermarks. If that is more than the hard threshold, the threshold is met by no process that grows: the OOM killer chooses, and not the kubelet. With the default of 100Mi it is so on most nodes.",
			Computed: []string{
				"What memory.available will be when MemAvailable is 0, and, where memory falls fast, what goes between two looks of the kubelet, against the hard threshold in force. One that is lower, or none at all, is too low.",
				"It is a finding where less than {critical} of the node's memory and less than {critical-size} are available by the kernel's count, swap included, which is critical; where less than {little} are and nothing will be left within {soon} at the rate of the sample; and where the whole node had an OOM kill in the last {kills}. Else it is no matter.",
			},
			Source: []string{"pkg/kubelet/eviction; Kubernetes: Node-pressure Eviction; /proc/meminfo; configz, or the kubelet's file and flags", "Documentation/admin-guide/sysctl/vm.rst: min_free_kbytes, watermark_scale_factor"},
			Do: []string{
				"Set evictionHard memory.available to what the finding proposes, beside what else stands there: an evictionHard of your own replaces all defaults. Restart the kubelet.",
				"Bound what takes the memory: pods without limits, and what runs outside of pods.",
			},
			Fooled: []string{
				"Memory that the kernel takes later, under load, is not there yet: the proposal is of today.",
				"With swap the kernel pages out first; the kubelet's threshold does not see that.",
			},
		},
	}
}

func memorySoftOnlyRule() Rule {
	return Rule{
		ID: MemorySoftOnly, find: memorySoftOnly,
		Title: "memory has a soft eviction threshold, and no hard one",
		Page: Page{
			Means: "A soft threshold evicts after its grace period only. What uses up the node's memory within that time ends in the OOM killer, since without a hard threshold nobody is evicted at once.",
			Computed: []string{
				"evictionSoft has memory.available, and evictionHard in force has none. That comes from an evictionHard or evictionSoft of one's own: naming one signal replaces the defaults of all.",
				fmt.Sprintf("It proposes what keeps the kernel from running out first, and %s of the node's memory at least.", Percent.Text(100.0/softShare)),
			},
			Source: []string{"pkg/kubelet/eviction; Kubernetes: Node-pressure Eviction; configz, or the kubelet's file and flags"},
			Do:     []string{"Add memory.available to evictionHard, below the soft one, and restart the kubelet."},
			Fooled: []string{"Where neither configz nor the kubelet's file and flags could be read, the defaults are assumed, which have a hard threshold: then it is not found."},
		},
	}
}

// memoryThresholdTooLow: the kernel runs out of memory before the hard threshold is
// met. That is so on most nodes with the default of 100Mi, and no matter until the
// memory gets low, is about to, or did: then the OOM killer chooses, and not the
// kubelet.
func memoryThresholdTooLow(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	f := factsOf(n, limits, MemoryThresholdTooLow)
	if f == nil || !f.TooLow {
		return nil
	}
	hard := f.Hard()
	if hard != nil && hard.Margin <= 0 && f.kills == 0 { // it is met, and pods are being evicted
		return nil
	}
	seconds, runsOut := f.runsOut()
	finding := Finding{Severity: Warning, Evidence: []string{f.bothCounts(), f.Why}}
	switch {
	case f.known && float64(f.left) < min(limits.In(tooLowShare())/100*float64(f.Reserved.Capacity), limits.In(tooLowMost())):
		finding.Severity = Critical
	case f.kills > 0, runsOut:
	default:
		return nil
	}
	if hard == nil {
		finding.Summary = "there is no hard eviction threshold: this node runs out of memory, and nobody is evicted"
	} else {
		finding.Summary = fmt.Sprintf("the hard eviction threshold of %s is too low for this node: it runs out of memory first", writtenBytes(*hard))
	}
	if runsOut {
		finding.Evidence = append(finding.Evidence, fmt.Sprintf("%s go each second: nothing is left in %.0f s", correlate.Size(uint64(f.FallsBy)), seconds))
	}
	if f.kills > 0 {
		finding.Evidence = append(finding.Evidence, fmt.Sprintf("OOM kills for want of memory of the whole node in the last %s: %d", Seconds.Text(limits.In(tooLowKills())), f.kills))
	}
	if soft := f.Soft(); soft != nil {
		finding.Evidence = append(finding.Evidence, fmt.Sprintf("the soft threshold of %s waits first: what grows faster is not caught by it", writtenBytes(*soft)))
	}
	if f.Proposed > 0 {
		finding.Remedy = setKubelet(n, "eviction-hard", "evictionHard memory.available", quantity(f.Proposed))
	} else {
		finding.Remedy = []Step{{Do: fmt.Sprintf("no threshold helps: %s are in use that the kubelet does not count; find who has them, huge pages first", correlate.Size(*f.AtZero))}}
	}
	return []Finding{finding}
}

// memorySoftOnly: a soft threshold is not met before its grace has passed, and
// without a hard one nothing stops what grows meanwhile.
func memorySoftOnly(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	f := factsOf(n, limits, MemorySoftOnly)
	if f == nil || f.Soft() == nil || f.Hard() != nil {
		return nil
	}
	proposed := max(f.Proposed, f.Reserved.Capacity/softShare)
	return []Finding{{Severity: Warning,
		Summary: fmt.Sprintf("memory has a soft eviction threshold only, of %s", writtenBytes(*f.Soft())),
		Evidence: []string{f.bothCounts(), "no memory.available in evictionHard: what uses up the node's memory within the grace period ends in the OOM killer",
			"known from: " + f.Source},
		Remedy: setKubelet(n, "eviction-hard", "evictionHard memory.available", quantity(proposed))}}
}

// softShare: of a node without any hard threshold, a fiftieth.
const softShare = 50

// shellSafe: a command may name it.
func shellSafe(name string) bool { return len(validation.IsDNS1123Subdomain(name)) == 0 }
