package correlate

import "strings"

// identify finds a volume's names from those of its mounts: what the kubelet
// wrote down tells more than a path.
func (j *mountJoin) identify(v *volume) {
	for _, i := range v.mounts {
		m, at := &j.list[i], &j.at[i]
		if !at.found || at.path.Own {
			continue
		}
		v.block = v.block || at.path.Block
		v.staged = v.staged || at.path.Global && at.root == nil
		if v.device == nil && (!j.nodeDisks[m.FS] || at.path.Block) {
			v.device = j.device(m, at.path.Block)
		}
		// Since Kubernetes 1.24 only a pod's note has the attachment.
		if data := j.data[at.path.Data]; at.path.Data != "" && data != nil && (v.data == nil || v.data.AttachmentID == "" && data.AttachmentID != "") {
			v.data, v.driver, v.handle = data, data.Driver, data.VolumeHandle
		}
		if name, pv := j.nameOf(&at.path); v.name == "" || pv && !v.pv {
			v.name, v.pv = name, pv
		}
		if plugin := strings.TrimPrefix(at.path.Plugin, "kubernetes.io~"); v.driver == "" && plugin != "csi" {
			v.driver = plugin
		}
	}
	if v.driver == "" {
		v.driver = j.driverOfSubPath(v)
	}
	if v.data != nil && v.data.Lifecycle == "Ephemeral" {
		v.pv = false
		return
	}
	if j.storage != nil && (v.pv || v.staged) {
		j.identifyByAPI(v)
	}
}

// identifyByAPI: what the API server says of a volume is certain.
func (j *mountJoin) identifyByAPI(v *volume) {
	handle := v.handle
	if handle == "" && !v.pv { // an in-tree plugin's directory is named after the disk
		handle = v.name
	}
	if v.known = j.storage.named(v.name, v.driver, handle); len(v.known) == 0 {
		return
	}
	v.pv, v.name = true, v.known[0].Name
	if v.handle = v.known[0].Handle; v.handle != handle {
		v.known = append(v.known, j.storage.byHandle[driverHandle{v.known[0].Driver, v.handle}]...)
	}
	if driver, inTree := strings.CutPrefix(v.known[0].Driver, "kubernetes.io/"); !inTree || v.driver == "" {
		v.driver = driver
	}
}

// driverOfSubPath: the path of a subPath does not name the plugin. The directory
// that is mounted does, where it is one of the kubelet's, else the pod's spec.
func (j *mountJoin) driverOfSubPath(v *volume) string {
	for _, i := range v.mounts {
		at := &j.at[i]
		if p, _, ok := findKubeletPath(j.list[i].Root); ok && p.PodUID == at.path.PodUID && p.Plugin != "" {
			return strings.TrimPrefix(p.Plugin, "kubernetes.io~")
		}
		pod := j.n.podByUID[at.path.PodUID]
		if pod == nil {
			continue
		}
		for _, of := range pod.Volumes {
			switch {
			case of.Name != v.name:
			case of.HostPath != "":
				return "host-path"
			default:
				return of.Driver
			}
		}
	}
	return ""
}
