package correlate

import (
	"cmp"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// findOwnRoot is for a node that is a container itself and sees so in its paths, as
// kind, k3d and minikube on cgroup v1 or a node in LXC: that of its process 1, the
// innermost, is where its own paths begin.
//
//	/docker/<id>/init.scope          ->  /docker/<id>
//	/lxc.payload.node1/init.scope    ->  /lxc.payload.node1
func (n *Node) findOwnRoot(first report.Cgroup) {
	for _, e := range first.ByWeight() {
		if name, end := report.SystemContainer(e.Path); name != "" {
			n.ownRoot = e.Path[:end]
		}
		for at := len(e.Path); at > len(n.ownRoot); at = strings.LastIndexByte(e.Path[:at], '/') {
			element := e.Path[strings.LastIndexByte(e.Path[:at], '/')+1 : at]
			if id, _ := containerID(element); id != "" {
				n.ownRoot, n.runsIn = e.Path[:at], id
				break
			}
		}
		if n.ownRoot != "" {
			return
		}
	}
}

// parsePath is ParseCgroupPath as the node itself has the path.
func (n *Node) parsePath(path string) Place {
	rest, ok := strings.CutPrefix(path, n.ownRoot)
	if n.ownRoot == "" || !ok || rest != "" && rest[0] != '/' {
		return ParseCgroupPath(path)
	}
	p := ParseCgroupPath(cmp.Or(rest, "/"))
	p.Path = path
	if p.PodUID != "" && p.Outer == "" {
		p.Outer = n.runsIn
	}
	return p
}

// isRoot: without systemd all daemons may live in the root cgroup.
func (n *Node) isRoot(path string) bool {
	return path == "/" || path == n.ownRoot || strings.Trim(path, "/.") == ""
}
