package diagnose

import (
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func reservedLittle() Threshold { return evictionLittle(MemoryReservedTooSmall) }
func reservedKills() Threshold  { return evictionKills(MemoryReservedTooSmall) }

func memoryReservedTooSmallRule() Rule {
	return Rule{
		ID: MemoryReservedTooSmall, find: memoryReservedTooSmall,
		Title:      "too little memory is set aside for the system",
		Thresholds: []Threshold{reservedLittle(), reservedKills()},
		Page: Page{
			Means: "Pods may request allocatable = capacity − kubeReserved − systemReserved − the hard threshold. Where the system, the kernel included, has more than that sets aside, pods were promised memory that is not there, and all promises cannot be kept.",
			Computed: []string{
				"What is in no pod, the kernel's own memory included and page cache that it would drop not, is more than kubeReserved, systemReserved and the hard threshold together; and with the requests of the node's pods it is more than the capacity without huge pages.",
				"It is a finding only while less than {little} of the node's memory are available, under MemoryPressure, or where the whole node had an OOM kill in the last {kills}: with plenty left it is no matter.",
			},
			Source: []string{"pkg/kubelet/cm/node_container_manager_linux.go: GetNodeAllocatableReservation; Kubernetes: Reserve Compute Resources for System Daemons", "/proc/meminfo and the cgroups outside of kubepods"},
			Do: []string{
				"See who has it in no pod (kubectl nodedoc memory NODE): stopping that may be better than a reservation.",
				"Else raise systemReserved in the kubelet's configuration to what the finding proposes, and restart the kubelet.",
			},
			Fooled: []string{
				"A backup or an upgrade that runs just now uses more than the system needs from day to day.",
				"Kernel memory that is charged to pods' cgroups counts as theirs; on cgroup v1 without kernel accounting it counts as the system's.",
			},
		},
	}
}

// memoryReservedTooSmall: pods were promised memory that the system has: all of it
// cannot be kept. No matter while there is plenty.
func memoryReservedTooSmall(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	f := factsOf(n, limits, MemoryReservedTooSmall)
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
		Summary: fmt.Sprintf("too little memory is set aside for the system: it uses %s, set aside are %s", correlate.Size(needed), correlate.Size(set)),
		Evidence: []string{
			fmt.Sprintf("pods request %s of %s allocatable; with what the system uses that is %s of %s", correlate.Size(r.Requested), correlate.Size(r.Allocatable),
				correlate.Size(r.Requested+needed), correlate.Size(r.Capacity)),
			fmt.Sprintf("kubeReserved %s, systemReserved %s, hard threshold %s", correlate.Size(r.Kube), correlate.Size(r.System), correlate.Size(r.Eviction)),
			fmt.Sprintf("used by what is in no pod, the kernel included: %s, and %s of page cache that the kernel would drop", correlate.Size(needed), correlate.Size(r.Reclaimable))},
		Remedy: append([]Step{{Do: "see who has it, in no pod", Run: "kubectl nodedoc memory " + place(n)}},
			setKubelet(n, "system-reserved", "systemReserved memory (with kubeReserved)", quantity(proposed))...)}}
}

const quantityStep = 128 << 20
