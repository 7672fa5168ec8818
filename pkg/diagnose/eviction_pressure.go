package diagnose

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func pressureSoon() Threshold   { return evictionSoon(MemoryPressure) }
func pressureLittle() Threshold { return evictionLittle(MemoryPressure) }

func memoryPressureRule() Rule {
	return Rule{
		ID: MemoryPressure, find: memoryPressure,
		Title:      "the kubelet evicts pods for memory, or will in a moment",
		Thresholds: []Threshold{pressureSoon(), pressureLittle()},
		Page: Page{
			Means: "Where memory.available is below a threshold the kubelet ends pods, at once for a hard one, after its grace period for a soft one, and the node gets MemoryPressure: no BestEffort pod starts there then. It is always critical.",
			Computed: []string{
				"memory.available as the kubelet computes it, capacity less the working set of the root cgroup, against the thresholds in force. A finding is one that is met, one that will be met within {soon} at the rate of the sample, if less than {little} of the node's memory are left above it, and the node's condition MemoryPressure.",
				"The rate counts where each sample was lower than the one before.",
				"As causes are named who grows, who has the memory outside of pods, in tmpfs or in the kernel, and too small reservations.",
			},
			Source: []string{"pkg/kubelet/eviction; Kubernetes: Node-pressure Eviction; /proc/meminfo; configz, or the kubelet's file and flags"},
			Do: []string{
				"See who has the memory and end or bound that: an evicted pod frees its own only. kubectl nodedoc memory NODE has the arithmetic.",
				"Where it is page cache: echo 1 > /proc/sys/vm/drop_caches on the node, for the moment.",
				"To keep more pods from coming meanwhile: kubectl cordon.",
			},
			Fooled: []string{
				"The kubelet counts page cache that was read more than once as used, which the kernel would drop: then pods go though there is plenty (kubernetes#43916). The finding says so.",
				"The condition stays for evictionPressureTransitionPeriod after the last time.",
				"Where the kubelet's configuration could not be read its defaults are assumed, and the answer says so.",
			},
		},
	}
}

// memoryPressure: pods are being evicted for memory, or will be in a moment. While
// it lasts no BestEffort pod starts here.
func memoryPressure(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	f := factsOf(n, limits, MemoryPressure)
	if f == nil {
		return nil
	}
	finding := Finding{Severity: Critical, Evidence: append([]string{f.bothCounts()}, f.thresholds()...)}
	switch met, next := f.metNow(), f.metSoon(); {
	case met != nil && met.Hard:
		finding.Summary = fmt.Sprintf("the kubelet evicts pods: the %s, %s, is met", thresholdName(*met), writtenBytes(*met))
	case met != nil:
		finding.Summary = fmt.Sprintf("the kubelet is about to evict pods: the %s, %s, is met", thresholdName(*met), writtenBytes(*met))
	case next != nil:
		finding.Summary = fmt.Sprintf("the kubelet will evict pods in %.0f s: the %s, %s, is near", *next.SecondsLeft, thresholdName(*next), writtenBytes(*next))
	case f.Pressure != nil && *f.Pressure:
		finding.Summary = "the node has MemoryPressure, though no threshold is met at this moment"
		finding.Evidence = append(finding.Evidence, "the condition stays for evictionPressureTransitionPeriod (5m0s by default) after the last time")
	default:
		return nil
	}
	if f.Pressure != nil && *f.Pressure && f.PressureSince != nil {
		finding.Evidence = append(finding.Evidence, "MemoryPressure since "+f.PressureSince.Format("2006-01-02 15:04:05 MST"))
	}
	finding.Evidence = append(finding.Evidence, evictedText(n)...)
	finding.CausedBy = ids(earlier, memoryCauses()...)
	cache := f.cacheInUse(n)
	finding.Evidence = append(finding.Evidence, cache...)
	finding.Remedy = pressureRemedy(n, len(cache) > 0)
	return []Finding{finding}
}

// evictedText counts the pods that the kubelet has ended, and those that it would
// not let start, each with the newest.
func evictedText(n *correlate.Node) (lines []string) {
	var evicted, refused []correlate.EvictedPod
	for _, p := range n.EvictedPods() {
		if p.Refused {
			refused = append(refused, p)
		} else {
			evicted = append(evicted, p)
		}
	}
	add := func(what string, list []correlate.EvictedPod) {
		if len(list) == 0 {
			return
		}
		line := fmt.Sprintf("%s: %s, the newest %s", what, humanize.Comma(int64(len(list))), Title(list[0].Owner))
		if list[0].At != nil {
			line += " at " + list[0].At.Format("2006-01-02 15:04:05 MST")
		}
		lines = append(lines, line)
	}
	add("evicted pods known", evicted)
	add("pods refused, none of them ran", refused)
	return lines
}

// pressureRemedy: cache says that page cache is what the kubelet counts.
func pressureRemedy(n *correlate.Node, cache bool) []Step {
	steps := []Step{{Do: "see who has the memory, and end or bound that: an evicted pod frees its own memory only", Run: "kubectl nodedoc memory " + place(n)}}
	if cache {
		steps = append(steps, Step{Do: "for the moment, at the price of reading it again, on the node", Run: "echo 1 > /proc/sys/vm/drop_caches"})
	}
	if shellSafe(n.Name()) && n.Inventory != nil {
		steps = append(steps, Step{Do: "to keep more pods from coming meanwhile", Run: "kubectl cordon " + n.Name()})
	}
	return steps
}

// cacheInUse: the kernel has plenty, and the kubelet counts page cache as used that
// was read more than once (kubernetes#43916).
func (f *evictionFacts) cacheInUse(n *correlate.Node) []string {
	differences := n.MemoryDifferences()
	if !f.known || f.little() || len(differences) == 0 || differences[0].Bytes <= 0 {
		return nil
	}
	d := differences[0]
	return []string{fmt.Sprintf("the kernel has plenty: %s of %s is %s", correlate.Size(uint64(d.Bytes)), d.Name, d.Why)}
}

// memoryCauses are the rules that name who has the memory, or why there is little.
func memoryCauses() []string {
	return []string{MemoryGrowth, MemoryHostProcess, MemoryTmpfs, MemoryKernel, MemoryReservedTooSmall}
}

// metNow is the threshold that is met by most: a hard one evicts at once.
func (f *evictionFacts) metNow() *correlate.EvictionThreshold {
	var met *correlate.EvictionThreshold
	for i := range f.Thresholds {
		if t := &f.Thresholds[i]; t.Margin < 0 && (met == nil || t.Hard && !met.Hard) {
			met = t
		}
	}
	return met
}

// metSoon is the threshold that is met next, within soon. A node with plenty left
// is not foretold by a sample: a program that starts takes its memory at once.
func (f *evictionFacts) metSoon() *correlate.EvictionThreshold {
	var next *correlate.EvictionThreshold
	for i := range f.Thresholds {
		if t := &f.Thresholds[i]; t.SecondsLeft != nil && *t.SecondsLeft <= f.limits.In(evictionSoon(f.rule)) && float64(t.Margin) < f.littleBytes() && (next == nil || *t.SecondsLeft < *next.SecondsLeft) {
			next = t
		}
	}
	return next
}
