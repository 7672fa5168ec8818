package diagnose

import (
	"fmt"
	"math"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// IDs of the rules about memory by owner.
const (
	MemoryGrowth         = "memory-growth"
	MemoryHostProcess    = "memory-host-process"
	MemoryContainerLimit = "memory-container-limit"
	MemoryTmpfs          = "memory-tmpfs"
	MemoryKernel         = "memory-kernel"
)

// What is a lot of memory: a share of the node's, and on a small node at least so
// much, in bytes.
const (
	memoryShareMin = 10.0      // percent
	hostMemoryMin  = 256 << 20 // of a unit or process of the host
	// nodeDaemonMin: kubelet, runtimes and whole distributions in one process (k3s)
	// grow with the number of pods.
	nodeDaemonMin = 2 << 30
	tmpfsMin      = 256 << 20

	// The kernel's own: what cannot be freed, tables of mappings, and what no line of
	// /proc/meminfo names.
	kernelMin       = 1 << 30
	pageTablesShare = 5.0

	// pressedPercent of the node's memory are available: what holds it is no longer a
	// matter of planning.
	pressedPercent = 10.0

	// A container's working set against its limit, and what of it no reclaim frees.
	workingSetPercent, heldPercent, heldNearPercent = 95.0, 90.0, 75.0

	memoryPerFindingMax = 10 // owners named per rule
)

// memoryTotal is 0 where the report has no memory.
func memoryTotal(n *correlate.Node) uint64 {
	if n.Report.Memory == nil || n.Report.Memory.Info.Total == nil {
		return 0
	}
	return *n.Report.Memory.Info.Total
}

// memoryPressed: hardly anything is available.
func memoryPressed(m correlate.NodeMemory) bool {
	if m.Kernel == nil || m.Kernel.Total == nil || *m.Kernel.Total == 0 {
		return false
	}
	return shareOf(*m.Kernel.Total-min(m.Kernel.Used, *m.Kernel.Total), *m.Kernel.Total) < pressedPercent
}

func shareOf(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

// size is a number of bytes for a sentence: "17.9 GiB", "402 MiB".
func size(n uint64) string {
	value, unit := float64(n), 0
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	for ; value >= 1000 && unit < len(units)-1; unit++ {
		value /= 1024
	}
	if unit == 0 || value >= 99.95 {
		return fmt.Sprintf("%.0f %s", value, units[unit])
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}

func rateOf(perSecond float64) string {
	if perSecond < 0 {
		return "-" + size(uint64(-perSecond)) + "/s"
	}
	return "+" + size(uint64(min(perSecond, math.MaxInt64))) + "/s"
}

// memoryCommand looks at a node for so long.
func memoryCommand(n *correlate.Node, flags string) string {
	return fmt.Sprintf("kubectl nodedoc memory %s %s", place(n), flags)
}
