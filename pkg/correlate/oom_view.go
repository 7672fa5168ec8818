package correlate

import "strings"

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
		if !ok || !n.knowsPod(podPlace(k.Cgroup)) {
			continue
		}
		if shift, ok := strings.CutSuffix(joinPath(elements[:i]), before); ok {
			v.shift, v.told = shift, true
			break
		}
	}
	return v
}

// podPlace is of a path as the machine has it, which the node may lie deep in: from
// kubepods on.
func podPlace(path string) Place {
	elements, fromInside := splitPath(path)
	i, ok := kubepodsRoot(elements, fromInside)
	if !ok {
		return ParseCgroupPath(path)
	}
	p := Place{Path: path}
	p.readPod(elements[i:])
	return p
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
