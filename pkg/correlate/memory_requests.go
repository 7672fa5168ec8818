package correlate

import (
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// addRequests fills in what the API server says of a pod's row.
func (r *memoryRanking) addRequests(row *MemoryRow, g *memoryGroup) {
	pod := r.n.podByUID[row.Owner.PodUID]
	if row.Owner.Type != OwnerPod || pod == nil {
		return
	}
	if r.by == ByContainer {
		for _, c := range pod.Containers {
			if c.ID == row.Owner.ContainerID && c.ID != "" {
				row.Request = c.MemoryRequest
			}
		}
		return
	}
	row.Request = pod.MemoryRequest
	for _, c := range pod.Containers {
		if pod.MemoryRequest == 0 && g.live[c.ID] { // an init container that has ended asks for nothing any more
			row.Request = sumOf(row.Request, c.MemoryRequest)
		}
	}
	row.Volumes = r.n.memoryVolumes(pod)
}

// memoryVolumes are a pod's volumes in memory.
func (n *Node) memoryVolumes(pod *inventory.Pod) []MemoryVolumeUse {
	list := make([]MemoryVolumeUse, 0, len(pod.MemoryVolumes))
	used := n.summaryVolumes(pod)
	for _, v := range pod.MemoryVolumes {
		use := MemoryVolumeUse{Name: v.Name, Limit: v.Limit}
		if bytes, ok := used[v.Name]; ok {
			use.Used = &bytes
		}
		list = append(list, use)
	}
	return list
}

// summaryVolumes is what the kubelet measured in a pod's volumes; it names a
// static pod by its config hash.
func (n *Node) summaryVolumes(pod *inventory.Pod) map[string]uint64 {
	m := n.Inventory.Memory
	if m == nil || m.Summary == nil {
		return nil
	}
	i := slices.IndexFunc(m.Summary.Pods, func(s inventory.SummaryPod) bool { return s.UID == nodeUID(pod) || s.UID == pod.UID })
	if i < 0 {
		return nil
	}
	return m.Summary.Pods[i].Volumes
}
