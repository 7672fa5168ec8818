package correlate

import (
	"cmp"
	"strconv"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// groupKey is what a row of a ranking stands for.
type groupKey struct {
	owner Owner
	pid   int // ranked by process
	uid   int // ranked by user
}

// keyOf gives the row that a process of owner o counts towards.
func (n *Node) keyOf(by By, p *report.Process, o Owner) groupKey {
	if by != ByContainer && by != ByProcess && o.Type == OwnerPod {
		o.Container, o.ContainerID, o.Sandbox = "", "", false
	}
	switch {
	case by == ByProcess:
		return groupKey{owner: o, pid: p.PID}
	case by == ByUser && p.UID == nil:
		return groupKey{owner: Owner{Type: OwnerUnknown}}
	case by == ByUser:
		return groupKey{owner: Owner{Type: OwnerUser, User: n.userName(*p.UID)}, uid: *p.UID}
	case by == ByWorkload && o.Workload != "" && !o.Static:
		o = Owner{Type: OwnerWorkload, Namespace: o.Namespace, Workload: o.Workload}
	case by == ByUnit && o.Type == OwnerPod:
		o = Owner{Type: OwnerCgroup, Cgroup: "kubepods"}
	}
	return groupKey{owner: o}
}

// userName is the host's name of a user; without one, the number.
func (n *Node) userName(uid int) string {
	return cmp.Or(n.users[uid], strconv.Itoa(uid))
}

// soleCgroups are those all of whose processes belong to one owner, so that the
// sums of two counts can be compared: not the root, where without systemd all
// daemons live, nor one into which a container's process has moved.
func (n *Node) soleCgroups() []bool {
	sole := make([]bool, len(n.places))
	for i := range sole {
		sole[i] = true
	}
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		if p.Cgroup < 0 || p.Cgroup >= len(sole) || p.Kernel {
			continue
		}
		if b := n.Blame(p); b.By != ByCgroup || b.Owner.Command != "" {
			sole[p.Cgroup] = false
		}
	}
	return sole
}

// StartupSeconds is how long a process opens its files when it starts: what is
// younger is not held against it.
const StartupSeconds = 60

func (n *Node) startsUp(p *report.Process) bool {
	return n.Report.Node.ClockTicks > 0 && n.Age(p.PID) < StartupSeconds
}
