package correlate

import (
	"slices"
	"strings"
)

// probeIDs are those of the pod in which the probe ran, and of its containers:
// what is mounted for it, copies of that included, is gone with it.
func (n *Node) probeIDs() []string {
	p := n.processes[n.Report.Probe.PID]
	if p == nil {
		return nil
	}
	o := n.Blame(p).Owner
	if o.Type != OwnerPod || o.PodUID == "" {
		return nil
	}
	ids := []string{o.PodUID}
	if o.ContainerID != "" {
		ids = append(ids, o.ContainerID)
	}
	if c := n.Report.Containers; c != nil {
		for _, of := range c.List {
			if full, _ := n.nodeContainer(of.ID); full.PodUID == o.PodUID && !slices.Contains(ids, of.ID) {
				ids = append(ids, of.ID)
			}
		}
	}
	return ids
}

func containsAny(s string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return part != "" && strings.Contains(s, part) })
}
