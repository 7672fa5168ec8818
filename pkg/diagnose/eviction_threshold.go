package diagnose

import (
	"fmt"

	"github.com/dustin/go-humanize"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// memoryThresholdTooLow: the kernel runs out of memory before the hard threshold is
// met. That is so on most nodes with the default of 100Mi, and no matter until the
// memory gets low, is about to, or did: then the OOM killer chooses, and not the
// kubelet.
func memoryThresholdTooLow(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	f := factsOf(n)
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
	case f.low():
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
		finding.Evidence = append(finding.Evidence, fmt.Sprintf("%s go each second: nothing is left in %.0f s", humanize.IBytes(uint64(f.FallsBy)), seconds))
	}
	if f.kills > 0 {
		finding.Evidence = append(finding.Evidence, fmt.Sprintf("OOM kills for want of memory of the whole node in the last 7 days: %d", f.kills))
	}
	if soft := f.Soft(); soft != nil {
		finding.Evidence = append(finding.Evidence, fmt.Sprintf("the soft threshold of %s waits first: what grows faster is not caught by it", writtenBytes(*soft)))
	}
	if f.Proposed > 0 {
		finding.Remedy = setKubelet(n, "eviction-hard", "evictionHard memory.available", quantity(f.Proposed))
	} else {
		finding.Remedy = []Step{{Do: fmt.Sprintf("no threshold helps: %s are in use that the kubelet does not count; find who has them, huge pages first", humanize.IBytes(*f.AtZero))}}
	}
	return []Finding{finding}
}

// memorySoftOnly: a soft threshold is not met before its grace has passed, and
// without a hard one nothing stops what grows meanwhile.
func memorySoftOnly(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	f := factsOf(n)
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
