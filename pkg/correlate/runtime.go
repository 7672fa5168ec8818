package correlate

import (
	"cmp"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// NodeRuntime is what the container runtimes have on a node, by their own files, and
// what is left there of containers and pods that are no more.
type NodeRuntime struct {
	Node string `json:"node"`
	// Time when the look began, by the node's clock.
	Time    *time.Time             `json:"time,omitempty"`
	Daemons []report.RuntimeDaemon `json:"daemons"`
	// Programs are the low-level runtimes on its disk whose versions can be told.
	Programs   []report.RuntimeProgram `json:"programs,omitempty"`
	Containers []RuntimeContainer      `json:"containers"`
	Leftovers  []Leftover              `json:"leftovers"`
	// Sums by state, for a line.
	Running int `json:"running"`
	Stopped int `json:"stopped"`
	Created int `json:"created"`
	Shims   int `json:"shims"`

	// Vitals are what the API server and the kubelet tell; nil where nobody asked.
	Vitals *inventory.VitalsAnswer `json:"vitals,omitempty"`

	Gaps []report.Unreadable `json:"gaps,omitempty"`
}

// RuntimeContainer is a container or sandbox by the runtime's files.
type RuntimeContainer struct {
	Owner Owner  `json:"owner"`
	ID    string `json:"id"`
	// Runtime is containerd, docker or cri-o, "" where only the low-level runtime's
	// state tells of it.
	Runtime string `json:"runtime,omitempty"`
	// State is created, running or stopped, or docker's word: dead, removing, paused,
	// restarting, exited; "": no file tells.
	State      string  `json:"state,omitempty"`
	PID        int     `json:"pid,omitempty"`
	AgeSeconds float64 `json:"ageSeconds,omitempty"` // 0: not known
	// Shim is the pid of the process that watches it, 0: none.
	Shim int `json:"shim,omitempty"`
	// Trouble is what is wrong with it, in words; none: nothing is.
	Trouble []string `json:"trouble,omitempty"`
}

// LeftoverKind says what was left behind.
type LeftoverKind string

// Kinds of leftovers.
const (
	LeftShim          LeftoverKind = "shim without a container"
	LeftPodDir        LeftoverKind = "pod directory"
	LeftPodCgroup     LeftoverKind = "pod cgroup"
	LeftLogDir        LeftoverKind = "log directory"
	LeftContainer     LeftoverKind = "container of no pod"
	LeftMissing       LeftoverKind = "container that the node does not have"
	troubleNoProcess               = "its first process has ended"
	troubleNoShim                  = "no shim watches it"
	troubleNotStarted              = "created and never started"
)

// Leftover is one thing that nobody needs, or that is missed.
type Leftover struct {
	Kind  LeftoverKind `json:"kind"`
	Owner Owner        `json:"owner"`
	// Path, PID and ContainerID as the kind has them.
	Path        string `json:"path,omitempty"`
	PID         int    `json:"pid,omitempty"`
	ContainerID string `json:"containerID,omitempty"`
	// Mounts are those in a pod directory: they go first.
	Mounts []string `json:"mounts,omitempty"`
	// Populated: processes live in a cgroup.
	Populated bool `json:"populated,omitempty"`
}

// Runtime joins the runtimes' files with processes and with the API server's pods.
func (n *Node) Runtime() NodeRuntime {
	out := NodeRuntime{Node: n.Name(), Time: n.Time(), Daemons: []report.RuntimeDaemon{}, Containers: []RuntimeContainer{}, Leftovers: []Leftover{}, Gaps: n.Gaps()}
	if n.Inventory != nil && n.Inventory.Vitals != nil {
		v := n.Inventory.Vitals.Answer()
		out.Vitals = &v
	}
	r := n.Report.Runtime
	if r == nil {
		return out
	}
	out.Daemons = append(out.Daemons, r.Daemons...)
	out.Programs = r.Programs
	shims := n.shims()
	out.Shims = len(shims)
	out.Containers = n.runtimeContainers(shims)
	for _, c := range out.Containers {
		switch c.State {
		case report.TaskRunning, "paused", "restarting":
			out.Running++
		case report.TaskCreated:
			out.Created++
		default:
			out.Stopped++
		}
	}
	out.Leftovers = n.leftovers(out.Containers, shims)
	slices.SortStableFunc(out.Containers, func(a, b RuntimeContainer) int {
		return cmp.Or(len(b.Trouble)-len(a.Trouble), cmp.Compare(a.Owner.Name(), b.Owner.Name()), cmp.Compare(a.ID, b.ID))
	})
	return out
}
