package printer

import (
	"fmt"
	"io"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// leakCost is the line that says what all leaked volumes take.
func leakCost(w io.Writer, nodes []MountsNode, s Style) error {
	t := totalOf(nodes)
	text := leakWords(t.LeakTotals)
	if t.Copies > 0 {
		text += fmt.Sprintf(" (%s below containers' roots)", comma(t.Copies))
	}
	if t.AllMounts > t.Mounts {
		text += ", " + comma(t.AllMounts) + " in all namespaces"
	}
	if t.Devices > 0 {
		text += ", " + english.Plural(t.Devices, "device", "")
	}
	if t.KernelThreads > 0 {
		text += ", " + english.Plural(t.KernelThreads, "kernel thread", "")
	}
	if node, percent := busiestKubelet(nodes); node != "" {
		text += fmt.Sprintf("; kubelet %.0f %% of a core", percent)
		if len(nodes) > 1 {
			text += " on " + node
		}
	}
	return s.printWrapped(w, "cost     ", text)
}

// leakWords counts volumes and mounts, each for itself: of volumes in use, and of
// what is no volume, there are leaked mounts as well.
func leakWords(t correlate.LeakTotals) string {
	mounts := english.Plural(t.Mounts, "leaked mount", "")
	if t.Volumes == 0 {
		return mounts
	}
	return english.Plural(t.Volumes, "leaked volume", "") + ", " + mounts
}

// busiestKubelet is that of the leaking nodes which takes most.
func busiestKubelet(nodes []MountsNode) (node string, percent float64) {
	for _, n := range nodes {
		if n.NodeMounts == nil || n.Leaked.Volumes == 0 || n.Kubelet == nil || n.Kubelet.CPUPercent == nil {
			continue
		}
		if node == "" || *n.Kubelet.CPUPercent > percent {
			node, percent = n.Node, *n.Kubelet.CPUPercent
		}
	}
	return node, percent
}
