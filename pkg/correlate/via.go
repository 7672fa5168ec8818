package correlate

import (
	"fmt"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// via is the volumeMount of a container, by the API server's word, through which
// a mount got to where its processes see it; nil where there is none.
func (n *Node) via(o Owner, point string) *Via {
	if p := n.podByUID[o.PodUID]; o.PodUID != "" && p != nil {
		return viaOf(p, o.Container, point)
	}
	return nil
}

// viaSuccessor is for a container whose pod is gone: a pod of the same namespace
// whose name has the same stem, with a container of the same name and such a
// volumeMount, comes from the same template. Its workload is given, too.
func (n *Node) viaSuccessor(o Owner, point string) (*Via, string) {
	if n.Inventory == nil || o.Type != OwnerPod || o.PodState == PodKnown || o.Pod == "" {
		return nil, o.Workload
	}
	for i := range n.Inventory.Pods {
		p := &n.Inventory.Pods[i]
		if p.Namespace != o.Namespace || stem(p.Name) != stem(o.Pod) {
			continue
		}
		if v := viaOf(p, o.Container, point); v != nil {
			return v, p.Workload
		}
	}
	return nil, o.Workload
}

// stem is a pod's name without what its controller adds last.
func stem(pod string) string {
	if i := strings.LastIndexByte(pod, '-'); i > 0 {
		return pod[:i]
	}
	return pod
}

func viaOf(p *inventory.Pod, container, point string) *Via {
	var best *inventory.VolumeMount
	for i := range p.VolumeMounts {
		if m := &p.VolumeMounts[i]; m.Container == container && isBelow(point, m.Path) && (best == nil || len(m.Path) > len(best.Path)) {
			best = m
		}
	}
	if best == nil {
		return nil
	}
	v := &Via{Volume: best.Volume, MountPath: best.Path, Propagation: best.Propagation}
	if best.List != "" {
		v.Field = fmt.Sprintf("spec.%s[name=%s].volumeMounts[name=%s]", best.List, best.Container, best.Volume)
	}
	for _, volume := range p.Volumes {
		if volume.Name == best.Volume {
			v.HostPath = volume.HostPath
		}
	}
	return v
}
