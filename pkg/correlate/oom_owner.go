package correlate

import (
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// kernelView is how the kernel's own paths of cgroups become the node's. The
// kernel's log is that of the machine. A node that is a container or a namespace
// of it (kind) has a part of its tree, and may see that as the whole.
type kernelView struct {
	// nested: the node is not the machine itself; else every kill is its own.
	nested bool
	// shift is what the kernel's paths have before the node's; root is what all of
	// the node's have in common.
	shift, root string
	// told: a pod of the node was found by shift, or all its paths begin alike.
	told bool
}

// kernelView finds it. Kernel threads are seen by the machine's own node only.
func (n *Node) kernelView() kernelView {
	p := n.Report.Processes
	if p == nil || p.KernelThreads > 0 || n.processes[1] == nil {
		return kernelView{}
	}
	v := kernelView{nested: true, root: n.commonCgroup()}
	v.told = v.root != ""
	before := n.beforeKubepods()
	for _, k := range n.Report.OOM.Kills {
		elements, fromInside := splitPath(k.Cgroup)
		i, ok := kubepodsRoot(elements, fromInside)
		if !ok || !n.knowsPod(ParseCgroupPath(k.Cgroup)) {
			continue
		}
		if shift, ok := strings.CutSuffix(joinPath(elements[:i]), before); ok {
			v.shift, v.told = shift, true
			break
		}
	}
	return v
}

// own gives a path as the node has it, and says whether it is one of its.
func (v kernelView) own(path string) (string, bool) {
	if !v.nested {
		return path, true
	}
	rest, ok := strings.CutPrefix(path, v.shift+v.root)
	if !v.told || !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return v.root + rest, true
}

// commonCgroup is the path that those of all processes begin with, "" for the
// root. v1 puts zombies there, wherever they are from.
func (n *Node) commonCgroup() string {
	var common []string
	first := true
	for i := range n.Report.Processes.List {
		p := &n.Report.Processes.List[i]
		elements, _ := splitPath(n.place(p).Path)
		if p.State == "Z" || n.place(p).Path == "" {
			continue
		}
		if first {
			common, first = elements, false
		}
		same := 0
		for same < min(len(common), len(elements)) && common[same] == elements[same] {
			same++
		}
		common = common[:same]
	}
	return joinPath(common)
}

// beforeKubepods is where the kubelet's root lies for the node itself.
func (n *Node) beforeKubepods() string {
	for _, place := range n.places {
		elements, fromInside := splitPath(place.Path)
		if i, ok := kubepodsRoot(elements, fromInside); ok {
			return joinPath(elements[:i])
		}
	}
	return ""
}

func joinPath(elements []string) string {
	if len(elements) == 0 {
		return ""
	}
	return "/" + strings.Join(elements, "/")
}

// knowsPod: it is one of this node's, there or gone.
func (n *Node) knowsPod(place Place) bool {
	_, recorded := n.podRecords[place.PodUID]
	return place.PodUID != "" && (recorded || n.podByUID[place.PodUID] != nil) || place.ContainerID != "" && n.isContainer(place.ContainerID)
}

// oomOwner is whose the victim was, by its cgroup; or by the one that was at its
// limit, where that is a container's or a pod's.
func (n *Node) oomOwner(path string, k report.OOMKill, scope string) Owner {
	if k.Cgroup == "" && scope != ScopeContainer && scope != ScopePod {
		return Owner{Type: OwnerUnknown}
	}
	place := ParseCgroupPath(path)
	if isKubepods(path, place) {
		return Owner{Type: OwnerUnknown} // some pod's
	}
	o := n.ownerAt(place, k.Comm)
	if o.Type == OwnerPod {
		n.nameEnded(&o)
		n.nameByEvents(&o)
		if pod := n.podByUID[o.PodUID]; pod != nil && o.Container == "" && !o.Sandbox && o.ContainerID != "" {
			o.Container = endedContainer(pod, o.ContainerID, k)
		}
		o.ContainerID = ""
	}
	return o
}

// isKubepods: the cgroup is that of all pods, or of a class of them.
func isKubepods(path string, place Place) bool {
	elements, fromInside := splitPath(path)
	_, ok := kubepodsRoot(elements, fromInside)
	return ok && place.PodUID == "" && place.ContainerID == ""
}

// nameEnded takes the names that a container's log has, where its files are gone.
func (n *Node) nameEnded(o *Owner) {
	if o.Container != "" || o.ContainerID == "" || n.Report.Containers == nil {
		return
	}
	for _, c := range n.Report.Containers.Ended {
		if c.ID != o.ContainerID || o.Pod != "" && (o.Pod != c.Pod || o.Namespace != c.Namespace) {
			continue
		}
		o.Container = c.Name
		if o.Pod == "" {
			o.Namespace, o.Pod = c.Namespace, c.Pod
			if o.PodState == PodGone && n.podByName[o.Namespace+"/"+o.Pod] != nil {
				o.PodState = PodReplaced
			}
		}
	}
}

// nameByEvents: the API server keeps what happened to a pod for an hour after it.
func (n *Node) nameByEvents(o *Owner) {
	if o.Pod != "" || n.Inventory == nil || n.Inventory.Memory == nil {
		return
	}
	for _, e := range n.Inventory.Memory.Events {
		if e.PodUID == o.PodUID && e.Pod != "" {
			o.Namespace, o.Pod = e.Namespace, e.Pod
			return
		}
	}
}

// endedContainer names a container of a pod that is there: an earlier run of one
// whose status tells of it, the only one, or the only one with that limit.
func endedContainer(pod *inventory.Pod, id string, k report.OOMKill) string {
	var limited []string
	for _, c := range pod.Containers {
		for _, end := range c.OOMKilled {
			if end.ID == id {
				return c.Name
			}
		}
		if k.Limit != nil && c.MemoryLimit > 0 && *k.Limit == c.MemoryLimit {
			limited = append(limited, c.Name)
		}
	}
	switch {
	case k.Comm == "pause": // the sandbox
	case len(pod.Containers) == 1:
		return pod.Containers[0].Name
	case len(limited) == 1 && k.Constraint == report.OOMCgroup && ParseCgroupPath(k.LimitCgroup).ContainerID == id:
		return limited[0]
	}
	return ""
}

// OOMTaskOwner is whose a process of the kernel's table was: the victim's owner, or
// that of a process which is still there; false where nobody knows.
func (n *Node) OOMTaskOwner(v OOMVictim, t report.OOMTask) (Owner, bool) {
	if t.PID == v.Kill.PID {
		return v.Owner, v.Owner.Type != OwnerUnknown
	}
	p := n.processes[t.PID]
	if p == nil || p.Comm != t.Comm || v.Kill.At == nil || n.Report.Node.ClockTicks <= 0 || n.kernelView().nested ||
		float64(p.StartTicks)/float64(n.Report.Node.ClockTicks) > *v.Kill.At {
		return Owner{}, false
	}
	return n.Blame(p).Owner, true
}
