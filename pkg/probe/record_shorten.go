//go:build linux

package probe

import (
	"sort"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// shorten keeps the owners and processes that have most of anything. What the
// others have is summed up.
func shorten(s *report.Sample, owners, processes int) {
	if len(s.Owners) > owners {
		var sum report.SampleOwner
		for _, o := range s.Owners {
			addTo(&sum, o)
		}
		sort.Slice(s.Owners, func(i, j int) bool { return weight(s.Owners[i], sum) > weight(s.Owners[j], sum) })
		for _, o := range s.Owners[owners:] {
			addTo(&s.Left, o)
		}
		s.Owners = s.Owners[:owners]
		sort.Slice(s.Owners, func(i, j int) bool { return s.Owners[i].Cgroup < s.Owners[j].Cgroup })
	}
	if len(s.Processes) > processes {
		var sum report.SampleOwner
		for _, p := range s.Processes {
			addTo(&sum, asOwner(p))
		}
		sort.Slice(s.Processes, func(i, j int) bool {
			return weight(asOwner(s.Processes[i]), sum) > weight(asOwner(s.Processes[j]), sum)
		})
		s.Processes = s.Processes[:processes]
	}
}

func addTo(sum *report.SampleOwner, o report.SampleOwner) {
	sum.Memory += o.Memory
	sum.FDs += o.FDs
	sum.Tasks += o.Tasks
}

func asOwner(p report.SampleProcess) report.SampleOwner {
	return report.SampleOwner{Memory: p.RSS, FDs: p.FDs, Tasks: p.Threads}
}

// weight is the largest share that an owner has of anything.
func weight(o, of report.SampleOwner) float64 {
	share := func(part, whole uint64) float64 { return float64(part) / float64(max(whole, 1)) }
	return max(share(o.Memory, of.Memory), share(o.FDs, of.FDs), share(o.Tasks, of.Tasks))
}

// most keeps of each number the larger one.
func most(o *report.SampleOwner, other report.SampleOwner) {
	o.Memory, o.FDs, o.Tasks = max(o.Memory, other.Memory), max(o.FDs, other.FDs), max(o.Tasks, other.Tasks)
}
