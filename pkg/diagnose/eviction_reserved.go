package diagnose

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// memoryReservedTooSmall: pods were promised memory that the system has: all of it
// cannot be kept. No matter while there is plenty.
func memoryReservedTooSmall(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	f := factsOf(n)
	if f == nil || !f.little() && f.kills == 0 && (f.Pressure == nil || !*f.Pressure) {
		return nil
	}
	r := f.Reserved
	needed, set := r.Used-min(r.Used, r.Reclaimable), r.Kube+r.System+r.Eviction
	if r.Requested == 0 || needed <= set || r.Requested+needed <= r.Capacity-min(r.HugePages, r.Capacity) {
		return nil
	}
	proposed := (needed + needed/10 + quantityStep - 1) / quantityStep * quantityStep
	return []Finding{{Severity: Warning,
		Summary: fmt.Sprintf("too little memory is set aside for the system: it uses %s, set aside are %s", humanize.IBytes(needed), humanize.IBytes(set)),
		Evidence: []string{
			fmt.Sprintf("pods request %s of %s allocatable; with what the system uses that is %s of %s", humanize.IBytes(r.Requested), humanize.IBytes(r.Allocatable),
				humanize.IBytes(r.Requested+needed), humanize.IBytes(r.Capacity)),
			fmt.Sprintf("kubeReserved %s, systemReserved %s, hard threshold %s", humanize.IBytes(r.Kube), humanize.IBytes(r.System), humanize.IBytes(r.Eviction)),
			fmt.Sprintf("used by what is in no pod, the kernel included: %s, and %s of page cache that the kernel would drop", humanize.IBytes(needed), humanize.IBytes(r.Reclaimable))},
		Remedy: append([]Step{{Do: "see who has it, in no pod", Run: "kubectl nodedoc memory " + place(n)}},
			setKubelet(n, "system-reserved", "systemReserved memory (with kubeReserved)", quantity(proposed))...)}}
}

const quantityStep = 128 << 20
