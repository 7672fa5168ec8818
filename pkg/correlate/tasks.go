package correlate

import (
	"cmp"
	"slices"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// NodeTasks is who has a node's tasks: threads of programs and the kernel's own,
// each of which takes one id of kernel.pid_max.
type NodeTasks struct {
	Node string `json:"node"`
	// Time when the look began, by the node's clock.
	Time *time.Time `json:"time,omitempty"`
	// Usage is absent where the node's total could not be read.
	Usage *TaskUsage `json:"usage,omitempty"`
	// Processes and Threads are those of programs, zombies included.
	Processes     int `json:"processes"`
	Threads       int `json:"threads"`
	KernelThreads int `json:"kernelThreads"`

	By By `json:"by"`
	// Filter says what was left out of Rows, Blocked, Zombies and Limits.
	Filter  *TasksFiltered `json:"filter,omitempty"`
	Rows    []TaskRow      `json:"rows"`
	Kernel  []KernelGroup  `json:"kernel"`
	Devices []TaskDevice   `json:"devices"`
	Blocked []BlockedRow   `json:"blocked"`
	// LookedSeconds lie between the two looks at who is blocked; BlockedLeft and
	// ThreadsUnseen were not looked at.
	LookedSeconds float64     `json:"lookedSeconds,omitempty"`
	BlockedLeft   int         `json:"blockedLeft,omitempty"`
	ThreadsUnseen int         `json:"threadsUnseen,omitempty"`
	Zombies       []ZombieRow `json:"zombies"`
	// Limits are all cgroups with a limit of their own, the fullest first.
	Limits []TaskLimitUse `json:"limits"`

	Gaps []report.Unreadable `json:"gaps,omitempty"`
}

// TaskUsage is the node's number of tasks against the limit that is hit first.
type TaskUsage struct {
	Total      uint64  `json:"total"`
	PIDMax     *uint64 `json:"pidMax,omitempty"`
	ThreadsMax *uint64 `json:"threadsMax,omitempty"`
	// Limit is the lower one, by its sysctl's name; "" where neither was read.
	Limit   string  `json:"limit,omitempty"`
	Max     uint64  `json:"max,omitempty"`
	Percent float64 `json:"percent"`
}

// TasksFiltered says what a filter let through.
type TasksFiltered struct {
	Namespace string `json:"namespace,omitempty"`
	Selector  string `json:"selector,omitempty"`
	Matched   int    `json:"matched"` // of Of owners
	Of        int    `json:"of"`
	Tasks     int    `json:"tasks"`
}

// TaskRow is one owner in the ranking.
type TaskRow struct {
	Owner     Owner   `json:"owner"`
	PID       int     `json:"pid,omitempty"` // ranked by process
	UID       *int    `json:"uid,omitempty"` // ranked by user
	Tasks     int     `json:"tasks"`
	Percent   float64 `json:"percent"` // of the node's total
	Processes int     `json:"processes"`
	// Container has the most of a pod's or workload's tasks.
	Container string       `json:"container,omitempty"`
	Heaviest  TaskHeaviest `json:"heaviest"`
	Blocked   int          `json:"blocked,omitempty"`
	Zombies   int          `json:"zombies,omitempty"`
	// Limit is the fullest of the owner's own pids limits; nil where it has none.
	Limit *TaskLimitUse `json:"limit,omitempty"`
}

// TaskHeaviest is the process with the most threads of an owner.
type TaskHeaviest struct {
	PID     int    `json:"pid"`
	Comm    string `json:"comm"`
	Cmdline string `json:"cmdline,omitempty"`
	Threads int    `json:"threads"`
}

// TaskOptions say how the answer is to be. The zero value is by pod, unfiltered.
type TaskOptions struct {
	By     By
	Filter Filter
}

// TaskGroupings are what tasks can be ranked by.
func TaskGroupings() []string {
	return []string{string(ByPod), string(ByContainer), string(ByWorkload), string(ByProcess), string(ByUnit), string(ByUser)}
}

// Tasks ranks owners by their tasks, and says what is wrong with some of these.
func (n *Node) Tasks(o TaskOptions) NodeTasks {
	t := NodeTasks{Node: n.Name(), Time: n.Time(), By: cmp.Or(o.By, ByPod), Usage: n.taskUsage(), Gaps: n.Gaps(),
		Rows: []TaskRow{}, Kernel: []KernelGroup{}, Devices: []TaskDevice{}, Blocked: []BlockedRow{}, Zombies: []ZombieRow{}, Limits: []TaskLimitUse{}}
	if r := n.Report.Tasks; r != nil {
		t.LookedSeconds, t.BlockedLeft, t.ThreadsUnseen = float64(r.LookedMillis)/1000, r.Left, r.ThreadsUnseen
		t.Limits = n.taskLimits()
		t.Kernel, t.Devices = n.kernelGroups()
		t.Blocked = n.blockedTasks()
	}
	if n.Report.Processes != nil {
		t.Zombies = n.zombies()
		t.KernelThreads = n.Report.Processes.KernelThreads
		n.rankTasks(&t, o.Filter)
	}
	if !o.Filter.empty() {
		t.Blocked = slices.DeleteFunc(t.Blocked, func(r BlockedRow) bool { return !n.Shows(o.Filter, r.Owner) })
		t.Zombies = slices.DeleteFunc(t.Zombies, func(r ZombieRow) bool { return !n.Shows(o.Filter, r.Owner) })
		t.Limits = slices.DeleteFunc(t.Limits, func(r TaskLimitUse) bool { return !n.Shows(o.Filter, r.Owner) })
		t.Kernel, t.Devices = []KernelGroup{}, n.devicesShown(t.Devices, o.Filter)
	}
	return t
}

// taskUsage is the total against both limits: fork fails with EAGAIN at the lower.
func (n *Node) taskUsage() *TaskUsage {
	r := n.Report.Tasks
	if r == nil || r.Total == nil {
		return nil
	}
	u := &TaskUsage{Total: *r.Total, PIDMax: r.PIDMax, ThreadsMax: r.ThreadsMax}
	for _, l := range []struct {
		name string
		max  *uint64
	}{{"kernel.pid_max", r.PIDMax}, {"kernel.threads-max", r.ThreadsMax}} {
		if l.max != nil && *l.max > 0 && (u.Limit == "" || *l.max < u.Max) {
			u.Limit, u.Max = l.name, *l.max
		}
	}
	u.Percent = percent(float64(u.Total), float64(u.Max))
	return u
}
