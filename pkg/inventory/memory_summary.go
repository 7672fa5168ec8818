package inventory

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/client-go/kubernetes"
	stats "k8s.io/kubelet/pkg/apis/stats/v1alpha1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// askSummary asks for the numbers that the kubelet decides by.
func (m *Memory) askSummary(ctx context.Context, client kubernetes.Interface, node string) error {
	b, err := kubeletSays(ctx, client, node, "stats", "summary")
	if err != nil {
		return err
	}
	var all stats.Summary
	if err := json.Unmarshal(b, &all); err != nil {
		return fmt.Errorf("failed to read the kubelet's stats/summary: %w", err)
	}
	s := &Summary{Node: summaryMemory(all.Node.Memory), System: map[string]SummaryMemory{}}
	for i := range all.Node.SystemContainers {
		c := &all.Node.SystemContainers[i]
		s.System[report.Escape(c.Name)] = summaryMemory(c.Memory)
	}
	for i := range all.Pods {
		s.Pods = append(s.Pods, summaryPod(&all.Pods[i]))
	}
	m.Summary = s
	return nil
}

func summaryPod(p *stats.PodStats) SummaryPod {
	pod := SummaryPod{UID: report.Escape(p.PodRef.UID), Memory: summaryMemory(p.Memory), Volumes: map[string]uint64{}}
	for _, v := range p.VolumeStats {
		if v.UsedBytes != nil {
			pod.Volumes[report.Escape(v.Name)] = *v.UsedBytes
		}
	}
	return pod
}

func summaryMemory(s *stats.MemoryStats) SummaryMemory {
	if s == nil {
		return SummaryMemory{}
	}
	return SummaryMemory{Time: unixOf(s.Time.Time), Available: s.AvailableBytes, Usage: s.UsageBytes, WorkingSet: s.WorkingSetBytes, RSS: s.RSSBytes}
}
