package correlate

import (
	"regexp"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Place is what the path of a cgroup says about who lives there.
type Place struct {
	Path string
	// PodUID is set below the kubelet's root, ContainerID also for containers
	// that no kubelet made.
	PodUID, ContainerID string
	// Monitor: the cgroup of cri-o's conmon, beside the container it watches.
	Monitor bool
	// Unit is the systemd unit outside of kubepods.
	Unit string
	// Outer is the container that the whole node runs in (kind, docker in docker).
	Outer string
	// System is the container with a whole system in it, of LXC or systemd-nspawn:
	// all units and pods that the path names behind it are that one's.
	System string
}

// Container ids are 64 hexadecimal digits; runtimes put their name before it
// and systemd a suffix behind:
//
//	<id>                       docker, containerd with the cgroupfs driver
//	docker-<id>.scope          cri-containerd-<id>.scope   crio-<id>.scope
//	crio-<id>                  crio-conmon-<id>.scope      libpod-<id>.scope
//	kata_<id>                  the whole sandbox of Kata, below its pod
var containerElement = regexp.MustCompile(`^(?:([a-z][a-z-]*?)[-_])?([0-9a-f]{64})(?:\.scope)?$`)

// A pod's element is "pod<uid>" with the cgroupfs driver, and with systemd
// "kubepods[-<qos>]-pod<uid>.slice", '-' written as '_'. The UID of a static
// pod is its config hash, 32 hexadecimal digits, or what its manifest says. Before
// kubepods stands the kubelet's --cgroup-root, '-' in it written as '_', too.
var podElement = regexp.MustCompile(`^(?:|(?:[^/]+-)?kubepods(?:-besteffort|-burstable)?-)pod([^/]+?)(?:\.slice)?$`)

// likelyUID is asked for where only ".." says that the root lies above.
var likelyUID = regexp.MustCompile(`^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

// ParseCgroupPath reads a cgroup's path from the kubelet's root downwards: the
// leftmost kubepods counts. Whatever a container creates below its own cgroup,
// even named like another pod, stands to the right of it.
//
//	/kubepods/burstable/pod<uid>/<id>                                       cgroupfs driver
//	/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid>.slice/cri-containerd-<id>.scope
//	/kubepods/kubepods/burstable/pod<uid>/<id>                              Docker Desktop
//	/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod<uid>.slice/cri-containerd-<id>.scope   kind
//	/docker/<id>/kubelet/kubepods/besteffort/pod<uid>/<id>                  a node in a container
//	/system.slice/containerd.service/kubepods-burstable-pod<uid>.slice:cri-containerd:<id>   runc without systemd below a kubelet with it
//	/../../kubepods-besteffort-pod<uid>.slice/crio-<id>.scope               seen from another cgroup namespace
func ParseCgroupPath(path string) Place {
	p := Place{Path: path}
	// A v2 cgroup that was removed while a zombie still names it.
	if name, end := report.SystemContainer(path); name != "" {
		p.System, p.Unit = name, report.UnitOf(path[:end])
		return p
	}
	elements, fromInside := splitPath(strings.TrimSuffix(path, " (deleted)"))
	root, ok := kubepodsRoot(elements, fromInside)
	if !ok {
		p.ContainerID, p.Monitor = firstContainer(elements)
		p.Unit = report.UnitOf(path)
		return p
	}
	p.Outer, _ = firstContainer(elements[:root])
	p.readPod(elements[root:])
	return p
}

// splitPath drops empty elements, and the leading ".." that the kernel writes
// for a cgroup outside of the reader's cgroup namespace.
func splitPath(path string) (elements []string, fromInside bool) {
	for e := range strings.SplitSeq(path, "/") {
		switch {
		case e == "":
		case e == ".." && len(elements) == 0:
			fromInside = true
		default:
			elements = append(elements, e)
		}
	}
	return elements, fromInside
}

// kubepodsRoot is the index of the first element that belongs to a pod's path. Where
// --cgroup-root is kubepods itself (Docker Desktop), it is there twice.
func kubepodsRoot(elements []string, fromInside bool) (int, bool) {
	if fromInside {
		if i, ok := siblingPod(elements); ok {
			return i, true
		}
	}
	for i, e := range elements {
		switch {
		case isPods(e):
			for i+1 < len(elements) && isPods(elements[i+1]) {
				i++
			}
			return i, true
		case strings.Contains(e, ".slice:") && podElement.MatchString(before(e, ":")):
			return i, true
		}
	}
	return 0, false
}

func isPods(element string) bool {
	return element == "kubepods" || element == "kubepods.slice" || strings.HasSuffix(element, "-kubepods.slice")
}

// siblingPod: seen from a container's cgroup namespace, kubepods itself may lie
// above the view, and the path begins with a QoS class or a pod.
func siblingPod(elements []string) (int, bool) {
	for i, e := range elements[:min(2, len(elements))] {
		if likelyUID.MatchString(podUID(e)) {
			return i, true
		}
		if !strings.HasSuffix(e, "besteffort") && !strings.HasSuffix(e, "burstable") &&
			!strings.HasSuffix(e, "besteffort.slice") && !strings.HasSuffix(e, "burstable.slice") {
			break
		}
	}
	return 0, false
}

// readPod reads the elements from kubepods (or the pod itself) on.
func (p *Place) readPod(elements []string) {
	for i, e := range elements {
		slice, scope, joined := strings.Cut(e, ":")
		if joined { // slice:prefix:id, runc's notation for systemd taken literally
			p.PodUID = podUID(slice)
			_, id, _ := strings.Cut(scope, ":")
			p.ContainerID, p.Monitor = containerID(id)
			return
		}
		if uid := podUID(e); uid != "" {
			p.PodUID = uid
			if i+1 < len(elements) {
				p.ContainerID, p.Monitor = containerID(elements[i+1])
			}
			return
		}
		if i > 1 { // kubepods, a QoS class, then the pod
			return
		}
	}
}

func podUID(element string) string {
	m := podElement.FindStringSubmatch(element)
	if m == nil {
		return ""
	}
	if strings.HasSuffix(element, ".slice") {
		return strings.ReplaceAll(m[1], "_", "-")
	}
	return m[1]
}

func containerID(element string) (id string, monitor bool) {
	m := containerElement.FindStringSubmatch(element)
	if m == nil {
		return "", false
	}
	return m[2], strings.HasSuffix(m[1], "conmon")
}

func firstContainer(elements []string) (id string, monitor bool) {
	for _, e := range elements {
		if id, monitor := containerID(e); id != "" {
			return id, monitor
		}
	}
	return "", false
}

func before(s, sep string) string {
	s, _, _ = strings.Cut(s, sep)
	return s
}

// placeOf reads one process's cgroups by their weight: the first that names a pod
// decides, after that the first that names a container, then the first that
// names a unit.
func (n *Node) placeOf(c report.Cgroup) Place {
	var best Place
	for _, e := range c.ByWeight() {
		p := n.parsePath(e.Path)
		if p.rank() > best.rank() || best.Path == "" {
			best = p
		}
	}
	return best
}

func (p Place) rank() int {
	switch {
	case p.PodUID != "" && p.ContainerID != "":
		return 5
	case p.PodUID != "":
		return 4
	case p.ContainerID != "":
		return 3
	case p.Unit != "", p.System != "":
		return 2
	case p.Path != "/" && p.Path != "":
		return 1
	}
	return 0
}
