package correlate

import (
	"strings"
)

// VolumePath is what a mount point below the kubelet's directory tells, whatever
// that directory's own path is.
type VolumePath struct {
	// Volume is the PersistentVolume, or the name of the volume in its pod; ""
	// where the path has a hash instead.
	Volume string `json:"volume,omitempty"`
	// Plugin is the volume plugin or the CSI driver, as the path has it.
	Plugin string `json:"plugin,omitempty"`
	PodUID string `json:"podUID,omitempty"`
	// Global: the device's one mount on the node, before it is bound into pods.
	Global bool `json:"global,omitempty"`
}

// parseVolumePath reads the kubelet's and its plugins' mount points:
//
//	…/pods/<uid>/volumes/kubernetes.io~csi/<volume>/mount
//	…/pods/<uid>/volumes/kubernetes.io~aws-ebs/<volume>
//	…/pods/<uid>/volumeDevices/kubernetes.io~csi/<volume>
//	…/pods/<uid>/volume-subpaths/<volume>/<container>/<n>
//	…/plugins/kubernetes.io/csi/pv/<volume>/globalmount            to Kubernetes 1.23
//	…/plugins/kubernetes.io/csi/<driver>/<hash>/globalmount        since 1.24
//	…/plugins/kubernetes.io/<plugin>/mounts/<volume>               in the kubelet itself
//
// Where a container has the host's directories mounted within its own, the path
// holds another in front: the last one counts.
func parseVolumePath(point string) (VolumePath, bool) {
	e := strings.Split(strings.Trim(point, "/"), "/")
	for i := len(e) - 3; i >= 0; i-- {
		switch {
		case e[i] == "pods" && likelyUID.MatchString(e[i+1]):
			return podVolume(e[i+1], e[i+2:])
		case e[i] == "plugins" && e[i+1] == "kubernetes.io":
			return globalVolume(e[i+2:])
		}
	}
	return VolumePath{}, false
}

func podVolume(uid string, e []string) (VolumePath, bool) {
	switch {
	case len(e) >= 3 && (e[0] == "volumes" || e[0] == "volumeDevices"):
		return VolumePath{PodUID: uid, Plugin: e[1], Volume: e[2]}, true
	case len(e) >= 2 && e[0] == "volume-subpaths":
		return VolumePath{PodUID: uid, Volume: e[1]}, true
	}
	return VolumePath{}, false
}

func globalVolume(e []string) (VolumePath, bool) {
	switch {
	case len(e) >= 4 && e[0] == "csi" && e[1] == "pv":
		return VolumePath{Global: true, Plugin: "csi", Volume: e[2]}, true
	case len(e) >= 4 && e[0] == "csi" && e[3] == "globalmount":
		return VolumePath{Global: true, Plugin: e[1]}, true
	case len(e) >= 3 && e[1] == "mounts":
		return VolumePath{Global: true, Plugin: e[0], Volume: e[len(e)-1]}, true
	}
	return VolumePath{}, false
}
