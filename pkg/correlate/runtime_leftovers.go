package correlate

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// leftovers are what no container and no pod stands behind any more, and containers
// that the API server has as running and the node does not have.
func (n *Node) leftovers(containers []RuntimeContainer, shims map[string]*report.Process) []Leftover {
	found := []Leftover{}
	ids, alive := map[string]bool{}, map[string]bool{} // pods that have containers here
	for _, c := range containers {
		ids[c.ID] = true
		alive[c.Owner.PodUID] = true
	}
	for id, p := range shims {
		if !ids[id] && n.age(p) > JustMade {
			found = append(found, Leftover{Kind: LeftShim, Owner: n.Blame(p).Owner, PID: p.PID, ContainerID: id})
		}
	}
	found = append(found, n.strangers(containers)...)
	found = append(found, n.podLeftovers(alive)...)
	found = append(found, n.missingContainers(ids)...)
	slices.SortStableFunc(found, func(a, b Leftover) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Owner.Name(), b.Owner.Name()), cmp.Compare(a.Path, b.Path), a.PID-b.PID, cmp.Compare(a.ContainerID, b.ContainerID))
	})
	return found
}

// strangers are containers in the kubelet's namespace of containerd that no pod has:
// somebody has made them by hand, and nobody but them removes them.
func (n *Node) strangers(containers []RuntimeContainer) (found []Leftover) {
	if n.Report.Containers == nil || len(n.Report.Containers.Unreadable) > 0 {
		return nil
	}
	sources := map[string]string{}
	for _, t := range n.Report.Runtime.Tasks {
		sources[t.ID] = t.Source
	}
	for _, c := range containers {
		if c.Runtime == "" && c.AgeSeconds > JustMade && path.Base(path.Dir(path.Dir(sources[c.ID]))) == "k8s.io" {
			found = append(found, Leftover{Kind: LeftContainer, Owner: c.Owner, PID: c.PID, ContainerID: c.ID})
		}
	}
	return found
}

// isPodUID: the API server's UIDs, and hashes of static pods. Another directory is
// none of the kubelet's, as lost+found.
func isPodUID(name string) bool { return likelyUID.MatchString(name) }

// podLeftovers: whether a pod is gone, only the API server tells.
func (n *Node) podLeftovers(alive map[string]bool) (found []Leftover) {
	if !n.podsListed {
		return nil
	}
	gone := func(uid string) bool {
		return uid != "" && !alive[uid] && n.podByUID[uid] == nil && !n.departed(uid)
	}
	r := n.Report.Runtime
	for _, uid := range r.PodDirs {
		if isPodUID(uid) && gone(uid) {
			dir := path.Join(n.podsDir(), uid)
			found = append(found, Leftover{Kind: LeftPodDir, Owner: n.podOwner(uid, "", report.Container{}), Path: dir, Mounts: n.mountsBelow(dir)})
		}
	}
	for _, c := range r.PodCgroups {
		place := n.parsePath(c.Path)
		// What has a node of its own in it (kind) keeps that one's pods.
		if uid := place.PodUID; gone(uid) && (place.Outer == "" || place.Outer == n.runsIn) {
			found = append(found, Leftover{Kind: LeftPodCgroup, Owner: n.podOwner(uid, "", report.Container{}), Path: c.Path, Populated: c.Populated})
		}
	}
	if n.Report.Containers != nil {
		for _, p := range n.Report.Containers.Pods {
			if gone(p.UID) {
				found = append(found, Leftover{Kind: LeftLogDir, Owner: n.podOwner(p.UID, "", report.Container{}), Path: "/var/log/pods/" + p.Namespace + "_" + p.Name + "_" + p.UID})
			}
		}
	}
	return found
}

// departed: it has ended while the node was looked at.
func (n *Node) departed(uid string) bool {
	if n.Inventory == nil {
		return false
	}
	for i := range n.Inventory.Departed {
		if nodeUID(&n.Inventory.Departed[i]) == uid {
			return true
		}
	}
	return false
}

func (n *Node) podsDir() string {
	root := "/var/lib/kubelet"
	if k := n.Report.Kubelet; k != nil && k.RootDir != "" {
		root = k.RootDir
	}
	return path.Join(root, "pods")
}

// mountsBelow are mount points in a directory, the deepest first: the order in which
// they can be unmounted.
func (n *Node) mountsBelow(dir string) []string {
	if n.Report.Mounts == nil {
		return nil
	}
	var points []string
	for _, m := range n.Report.Mounts.List {
		if strings.HasPrefix(m.Point, dir+"/") {
			points = append(points, m.Point)
		}
	}
	slices.Sort(points)
	slices.Reverse(points)
	return points
}

func (n *Node) missingContainers(ids map[string]bool) (found []Leftover) {
	if n.Inventory == nil || n.Report.Containers == nil || len(n.Report.Containers.Unreadable) > 0 {
		return nil
	}
	// What a process lives in is there, whatever the runtime that keeps its files elsewhere.
	if n.Report.Processes != nil {
		ids = maps.Clone(ids)
		for _, c := range n.Report.Processes.Cgroups {
			ids[n.placeOf(c).ContainerID] = true
		}
	}
	for i := range n.Inventory.Pods {
		pod := &n.Inventory.Pods[i]
		for _, c := range pod.Containers {
			// One that has started since is no miss; both times are the node's.
			if c.RunningSince > 0 && c.RunningSince < n.Report.Node.Now-JustMade && c.ID != "" && !ids[c.ID] {
				found = append(found, Leftover{Kind: LeftMissing, Owner: n.ownerAt(Place{Path: "/", ContainerID: c.ID}, ""), ContainerID: c.ID})
			}
		}
	}
	return found
}
