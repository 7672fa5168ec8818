package correlate

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// InotifyUse is what one user has of what inotify(7) grants a user. All
// containers whose root is the host's share one allowance.
type InotifyUse struct {
	UID  int    `json:"uid"`
	User string `json:"user"`
	// Sums over the processes that were looked into. A fork shares its parent's
	// instances, and then both count.
	Instances    int     `json:"instances"`
	Watches      int     `json:"watches"`
	MaxInstances *uint64 `json:"maxInstances,omitempty"`
	MaxWatches   *uint64 `json:"maxWatches,omitempty"`
	// Holders, most instances first.
	Holders []InotifyHolder `json:"-"`
}

// InotifyHolder is an owner with what its processes have.
type InotifyHolder struct {
	Owner     Owner
	Instances int
	Watches   int
	// Heaviest has the most watches of them, of equals the most instances.
	Heaviest *report.Process
}

// Inotify lists the users that hold inotify instances, by their uid.
func (n *Node) Inotify() []InotifyUse {
	if n.Report.Processes == nil {
		return nil
	}
	var limits report.InotifyLimits
	if n.Report.OpenFiles != nil {
		limits = n.Report.OpenFiles.Inotify
	}
	users, holders := map[int]*InotifyUse{}, map[int]map[Owner]*InotifyHolder{}
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if p.FDs == nil || p.FDs.Inotify == nil || p.UID == nil {
			continue
		}
		uid := *p.UID
		if users[uid] == nil {
			users[uid], holders[uid] = &InotifyUse{UID: uid, User: n.userName(uid), MaxInstances: limits.MaxInstances, MaxWatches: limits.MaxWatches}, map[Owner]*InotifyHolder{}
		}
		users[uid].Instances += p.FDs.Inotify.Instances
		users[uid].Watches += p.FDs.Inotify.Watches
		o := n.Blame(p).Owner
		if holders[uid][o] == nil {
			holders[uid][o] = &InotifyHolder{Owner: o}
		}
		holders[uid][o].add(p)
	}
	var list []InotifyUse
	for uid, u := range users {
		for _, h := range holders[uid] {
			u.Holders = append(u.Holders, *h)
		}
		slices.SortFunc(u.Holders, func(a, b InotifyHolder) int {
			return cmp.Or(b.Instances-a.Instances, b.Watches-a.Watches, a.Heaviest.PID-b.Heaviest.PID)
		})
		list = append(list, *u)
	}
	slices.SortFunc(list, func(a, b InotifyUse) int { return a.UID - b.UID })
	return list
}

func (h *InotifyHolder) add(p *report.Process) {
	in := p.FDs.Inotify
	h.Instances += in.Instances
	h.Watches += in.Watches
	if h.Heaviest == nil || cmp.Or(in.Watches-h.Heaviest.FDs.Inotify.Watches, in.Instances-h.Heaviest.FDs.Inotify.Instances) > 0 {
		h.Heaviest = p
	}
}
