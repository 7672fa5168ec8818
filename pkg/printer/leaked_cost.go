package printer

import (
	"fmt"
	"io"

	"github.com/dustin/go-humanize/english"
)

// leakCost is the line that says what all leaked volumes take.
func leakCost(w io.Writer, nodes []MountsNode, s Style) error {
	t := totalOf(nodes)
	text := english.Plural(t.Volumes, "volume", "") + " with " + english.Plural(t.Mounts, "mount", "")
	if t.Copies > 0 {
		text += fmt.Sprintf(" (%s below containers' roots)", comma(t.Copies))
	}
	if t.AllMounts > 0 {
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
