package correlate

import (
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// JustMade is the age, in seconds, below which a container may be between two steps
// of its start.
const JustMade = 60

// shims are the runtimes' watching processes, by what they watch: a container or,
// of containerd's newer ones, a sandbox.
func (n *Node) shims() map[string]*report.Process {
	found := map[string]*report.Process{}
	if n.Report.Processes == nil {
		return found
	}
	for i := range n.Report.Processes.List {
		if p := &n.Report.Processes.List[i]; p.Shim != nil && found[p.Shim.ID] == nil {
			found[p.Shim.ID] = p
		}
	}
	return found
}

func (n *Node) runtimeContainers(shims map[string]*report.Process) []RuntimeContainer {
	byID := map[string]*RuntimeContainer{}
	var ids []string
	at := func(id string) *RuntimeContainer {
		if byID[id] == nil {
			ids = append(ids, id)
			byID[id] = &RuntimeContainer{ID: id, Owner: n.ownerAt(Place{Path: "/", ContainerID: id}, "")}
		}
		return byID[id]
	}
	if n.Report.Containers != nil {
		for _, c := range n.Report.Containers.List {
			at(c.ID).Runtime = c.Runtime
			at(c.ID).State = c.State
		}
	}
	for _, t := range n.Report.Runtime.Tasks {
		c := at(t.ID)
		c.PID = t.PID
		if t.Created > 0 && n.Report.Node.Now > t.Created {
			c.AgeSeconds = float64(n.Report.Node.Now - t.Created)
		}
		c.addTask(t.State)
	}
	list := make([]RuntimeContainer, 0, len(ids))
	slices.Sort(ids)
	for _, id := range ids {
		c := byID[id]
		if shim := n.shimOf(id, shims); shim != nil {
			c.Shim = shim.PID
		}
		n.addTrouble(c)
		list = append(list, *c)
	}
	return list
}

// addTask: docker's words say more than the low-level runtime's, unless its process
// has ended and docker does not know.
func (c *RuntimeContainer) addTask(state string) {
	switch c.State {
	case "", "running", "exited":
		if state != "" {
			c.State = state
		}
	}
}

// shimOf is that of the container, or of its sandbox.
func (n *Node) shimOf(id string, shims map[string]*report.Process) *report.Process {
	if p := shims[id]; p != nil {
		return p
	}
	return shims[n.containers[id].SandboxID]
}

func (n *Node) addTrouble(c *RuntimeContainer) {
	watched := n.watched(c)
	switch c.State {
	case "dead", "removing":
		c.Trouble = append(c.Trouble, "docker cannot remove it: "+c.State)
	case report.TaskStopped:
		if !watched {
			c.Trouble = append(c.Trouble, troubleNoProcess+", and "+troubleNoShim)
		}
	case report.TaskCreated:
		if c.AgeSeconds > JustMade {
			c.Trouble = append(c.Trouble, troubleNotStarted)
		}
	case report.TaskRunning:
		if !watched && c.AgeSeconds > JustMade {
			c.Trouble = append(c.Trouble, troubleNoShim)
		}
	}
	// The kubelet removes containers that have ended with its next collection of garbage.
	if c.alive() && (c.Owner.PodState == PodGone || c.Owner.PodState == PodReplaced) && !n.departed(c.Owner.PodUID) {
		c.Trouble = append(c.Trouble, "the API server does not know its pod")
	}
}

// watched: a shim watches it, or none is to be expected. cri-o keeps the state of
// containers that have ended, whose conmon has gone with them, and conmon-rs serves
// a whole pod; what is not of Kubernetes has watchers of its own.
func (n *Node) watched(c *RuntimeContainer) bool {
	return c.Shim != 0 || n.Report.Processes == nil || c.Runtime != "containerd" && c.Runtime != "docker"
}

func (c *RuntimeContainer) alive() bool {
	switch c.State {
	case report.TaskRunning, report.TaskCreated, "paused", "restarting":
		return true
	}
	return false
}
