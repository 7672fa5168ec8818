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

// What is a lot of memory: a share of the node's, and on a small node at least so much.
const largeMin, largeShare = 256 << 20, 10.0

func memoryShare(rule string) Threshold {
	return percent(rule, "share", largeShare, "of the node's memory: less is no finding")
}
func memorySize(rule string, byDefault uint64) Threshold {
	return ofBytes(rule, "size", byDefault, "less is no finding, whatever its share of the node")
}

// memoryTotal is 0 where the report has no memory.
func memoryTotal(n *correlate.Node) uint64 {
	if n.Report.Memory == nil || n.Report.Memory.Info.Total == nil {
		return 0
	}
	return *n.Report.Memory.Info.Total
}

func shareOf(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

func rateOf(perSecond float64) string {
	if perSecond < 0 {
		return "-" + correlate.Size(uint64(-perSecond)) + "/s"
	}
	return "+" + correlate.Size(uint64(min(perSecond, math.MaxInt64))) + "/s"
}

// memoryCommand looks at a node for so long.
func memoryCommand(n *correlate.Node, flags string) string {
	return fmt.Sprintf("kubectl nodedoc memory %s %s", place(n), flags)
}
