package correlate

import (
	"slices"
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
	// Block: a device node, for a pod that wants no filesystem.
	Block bool `json:"block,omitempty"`
}

// kubeletPath is a mount point's path below the kubelet's directory.
type kubeletPath struct {
	VolumePath
	// Hash is the SHA-256 of the volume's handle, where the path has that.
	Hash string
	// Data is where the CSI plugin leaves its vol_data.json, below the kubelet's
	// directory.
	Data string
	// Own: a directory that a CSI driver made for itself; no volume is named.
	Own bool
}

// parseVolumePath reads the kubelet's and its plugins' mount points:
//
//	…/pods/<uid>/volumes/kubernetes.io~csi/<volume>/mount
//	…/pods/<uid>/volumes/kubernetes.io~aws-ebs/<volume>
//	…/pods/<uid>/volumes/<vendor>~<driver>/<volume>                flexvolume
//	…/pods/<uid>/volumeDevices/kubernetes.io~csi/<volume>
//	…/pods/<uid>/volume-subpaths/<volume>/<container>/<n>
//
// and those of globalVolume. Where a container has the host's directories
// mounted within its own, the path holds another in front: the last one counts.
func parseVolumePath(point string) (VolumePath, bool) {
	p, _, ok := findKubeletPath(point)
	return p.VolumePath, ok
}

// findKubeletPath is parseVolumePath, with the path of the kubelet's directory.
func findKubeletPath(point string) (p kubeletPath, dir string, ok bool) {
	e := strings.Split(strings.Trim(point, "/"), "/")
	for i := len(e) - 3; i >= 0; i-- {
		switch {
		case e[i] == "pods" && likelyUID.MatchString(e[i+1]), e[i] == "plugins" && (e[i+1] == inTreePlugins || strings.HasPrefix(e[i+1], escapedInTree)):
			if p, ok = belowKubelet(e[i:]); ok {
				return p, "/" + strings.Join(e[:i], "/"), true
			}
		}
	}
	return kubeletPath{}, "", false
}

// The directory of an in-tree plugin's, and of CSI's, mounts below plugins/. That of
// local volumes has the escaped name, GetGlobalMapPath and getGlobalLocalPath of
// Kubernetes' pkg/volume/local: kubernetes.io~local-volume.
const inTreePlugins, escapedInTree = "kubernetes.io", "kubernetes.io~"

// belowKubelet reads the elements of a path below the kubelet's directory.
func belowKubelet(e []string) (kubeletPath, bool) {
	if len(e) >= 3 && e[0] == "plugins" && strings.HasPrefix(e[1], escapedInTree) {
		e = slices.Concat([]string{e[0], inTreePlugins, e[1][len(escapedInTree):]}, e[2:])
	}
	switch {
	case len(e) >= 3 && e[0] == "pods":
		return podVolume(e)
	case len(e) >= 3 && e[0] == "plugins" && e[1] == inTreePlugins:
		return globalVolume(e)
	case len(e) >= 3 && e[0] == "plugins":
		return kubeletPath{VolumePath: VolumePath{Plugin: e[1]}, Own: true}, true
	}
	return kubeletPath{}, false
}

func podVolume(e []string) (kubeletPath, bool) {
	v := VolumePath{PodUID: e[1]}
	switch {
	case len(e) >= 5 && (e[2] == "volumes" || e[2] == "volumeDevices"):
		v.Plugin, v.Volume, v.Block = e[3], e[4], e[2] == "volumeDevices"
		data := strings.Join(e[:5], "/")
		if v.Block {
			data = "plugins/kubernetes.io/csi/volumeDevices/" + v.Volume + "/data"
		}
		return kubeletPath{VolumePath: v, Data: data}, true
	case len(e) >= 4 && e[2] == "volume-subpaths":
		v.Volume = e[3]
		return kubeletPath{VolumePath: v}, true
	}
	return kubeletPath{}, false
}

// globalVolume reads the directories that the plugins have beside the pods':
//
//	plugins/kubernetes.io/csi/pv/<volume>/globalmount[/…]          to Kubernetes 1.23
//	plugins/kubernetes.io/csi/<driver>/<hash>/globalmount[/…]      since 1.24
//	plugins/kubernetes.io/<plugin>/mounts/<volume>                 in the kubelet itself
//	plugins/kubernetes.io~local-volume/mounts/<volume>
//	plugins/kubernetes.io/flexvolume/<vendor>/<driver>/mounts/<volume>
//	plugins/kubernetes.io/iscsi/<interface>/<portal and target>    also fc, rbd
//
// and the device nodes of blockVolume.
func globalVolume(e []string) (kubeletPath, bool) {
	switch rest := e[2:]; {
	case slices.Contains(rest, "volumeDevices"):
		return blockVolume(e)
	case len(rest) >= 4 && rest[0] == "csi" && rest[1] == "pv" && rest[3] == "globalmount":
		return kubeletPath{VolumePath: VolumePath{Global: true, Plugin: "csi", Volume: rest[2]}, Data: strings.Join(e[:5], "/")}, true
	case len(rest) >= 4 && rest[0] == "csi" && rest[3] == "globalmount":
		return kubeletPath{VolumePath: VolumePath{Global: true, Plugin: rest[1]}, Hash: rest[2], Data: strings.Join(e[:5], "/")}, true
	case len(rest) >= 3 && slices.Contains(rest[1:len(rest)-1], "mounts"),
		len(rest) >= 2 && slices.Contains([]string{"iscsi", "fc", "rbd"}, rest[0]):
		return kubeletPath{VolumePath: VolumePath{Global: true, Plugin: rest[0], Volume: rest[len(rest)-1]}}, true
	}
	return kubeletPath{}, false
}

// blockVolume reads where the device nodes of block volumes are mounted:
//
//	plugins/kubernetes.io/csi/volumeDevices/staging/<volume>[/…]
//	plugins/kubernetes.io/csi/volumeDevices/publish/<volume>/<pod uid>
//	plugins/kubernetes.io/csi/volumeDevices/<volume>/dev/<pod uid>
//	plugins/kubernetes.io/<plugin>/volumeDevices/<volume>/<pod uid>
//	plugins/kubernetes.io~local-volume/volumeDevices/<volume>/<pod uid>
func blockVolume(e []string) (kubeletPath, bool) {
	v := VolumePath{Plugin: e[2], Block: true}
	i := slices.Index(e, "volumeDevices") + 1
	rest := e[i:]
	switch csi := e[2] == "csi"; {
	case len(rest) >= 2 && csi && rest[0] == "staging":
		v.Volume, v.Global = rest[1], true
	case len(rest) >= 3 && csi && rest[0] == "publish":
		v.Volume, v.PodUID = rest[1], rest[2]
	case len(rest) >= 3 && csi && rest[1] == "dev":
		v.Volume, v.PodUID = rest[0], rest[2]
	case len(rest) >= 2 && !csi && likelyUID.MatchString(rest[len(rest)-1]):
		v.Volume, v.PodUID = rest[len(rest)-2], rest[len(rest)-1]
	default:
		return kubeletPath{}, false
	}
	p := kubeletPath{VolumePath: v}
	if e[2] == "csi" {
		p.Data = strings.Join(append(slices.Clone(e[:i]), v.Volume, "data"), "/")
	}
	return p, true
}
