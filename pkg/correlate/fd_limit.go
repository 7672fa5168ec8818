package correlate

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// LimitUse is a process's descriptors against its RLIMIT_NOFILE.
type LimitUse struct {
	PID         int    `json:"pid"`
	Comm        string `json:"comm"`
	Descriptors int    `json:"descriptors"`
	// Soft is the limit in force: beyond it open fails with EMFILE. The process
	// may raise it up to Hard by itself. nil means unlimited.
	Soft    *uint64 `json:"soft,omitempty"`
	Hard    *uint64 `json:"hard,omitempty"`
	Percent float64 `json:"percent"` // of Soft
}

// limitUse is nil where no limit was read.
func limitUse(p *report.Process) *LimitUse {
	if p.FDs == nil || p.FDs.Limit == nil {
		return nil
	}
	u := &LimitUse{PID: p.PID, Comm: p.Comm, Descriptors: p.FDs.Count, Soft: p.FDs.Limit.Soft, Hard: p.FDs.Limit.Hard}
	if u.Soft != nil {
		u.Percent = percent(float64(u.Descriptors), float64(*u.Soft))
	}
	return u
}

// OwnerLimits are the processes of one owner that are near their limits.
type OwnerLimits struct {
	Owner     Owner
	Processes []LimitUse // fullest first
}

// NearLimit lists who uses at least some percent of a soft limit of at least
// the given size, the fullest first.
func (n *Node) NearLimit(leastPercent float64, leastLimit uint64) []OwnerLimits {
	if n.Report.Processes == nil {
		return nil
	}
	perOwner := map[Owner][]LimitUse{}
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if u := limitUse(p); u != nil && u.Soft != nil && *u.Soft >= leastLimit && u.Percent >= leastPercent {
			o := n.Blame(p).Owner
			perOwner[o] = append(perOwner[o], *u)
		}
	}
	var list []OwnerLimits
	for o, uses := range perOwner {
		slices.SortFunc(uses, func(a, b LimitUse) int { return cmp.Or(cmp.Compare(b.Percent, a.Percent), a.PID-b.PID) })
		list = append(list, OwnerLimits{o, uses})
	}
	slices.SortFunc(list, func(a, b OwnerLimits) int {
		return cmp.Or(cmp.Compare(b.Processes[0].Percent, a.Processes[0].Percent), a.Processes[0].PID-b.Processes[0].PID)
	})
	return list
}
