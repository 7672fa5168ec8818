package correlate

import (
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// volumeKey tells volumes apart: by their filesystem, and where that carries
// several, by name; only a PersistentVolume's is the same in all pods.
type volumeKey struct {
	fs        int
	name, pod string
}

// volume is the mounts of one volume, or those of a container's root directory.
type volume struct {
	key    volumeKey
	mounts []int // of mountJoin.list
	root   *containerRoot

	name, driver, handle string
	// pv: the name is certainly that of a PersistentVolume. known are those that
	// the API server has.
	pv     bool
	known  []*inventory.PersistentVolume
	data   *report.VolumeData
	device *report.Device
	staged bool // in a directory that the kubelet made for the volume
	block  bool
}

// group puts each mount into its volume.
func (j *mountJoin) group() {
	whole, own := j.wholeVolumes(), map[int]bool{}
	j.findPodVolumes()
	for i := range j.list {
		at := &j.at[i]
		switch {
		case at.found && !at.path.Own:
			j.add(i, j.keyOf(&at.path, j.list[i].FS, whole[j.list[i].FS]))
		case !at.found && at.root == nil:
			own[j.list[i].FS] = true
		}
	}
	// What has no name of its own goes with the only volume on its filesystem.
	for i := range j.list {
		at, fs := &j.at[i], j.list[i].FS
		switch {
		case at.volume != nil:
		case len(j.byFS[fs]) == 1 && (whole[fs] || !own[fs] && !j.nodeDisks[fs]):
			j.add(i, j.byFS[fs][0].key)
		case at.root != nil && at.root.Why != "":
			j.add(i, volumeKey{fs: -1, name: at.root.Family, pod: at.root.Key})
		}
	}
	for _, v := range j.volumeList {
		if v.root == nil {
			j.identify(v)
		}
	}
}

// wholeVolumes are filesystems on a device that was mounted for one volume:
// whatever name its mounts have, they are that volume's.
func (j *mountJoin) wholeVolumes() map[int]bool {
	whole := map[int]bool{}
	for i := range j.list {
		m, at := &j.list[i], &j.at[i]
		if at.found && at.path.Global && !at.path.Block && (m.Root == "" || m.Root == "/") && !j.nodeDisks[m.FS] && hasDevice(&j.mounts.Filesystems[m.FS]) {
			whole[m.FS] = true
		}
	}
	return whole
}

func (j *mountJoin) keyOf(p *kubeletPath, fs int, whole bool) volumeKey {
	if whole {
		return volumeKey{fs: fs}
	}
	name, pv := j.nameOf(p)
	if pv {
		return volumeKey{fs: fs, name: j.storage.oneOf(name)}
	}
	return volumeKey{fs: fs, name: name, pod: p.PodUID}
}

// nameOf is a volume's name by a mount's path, and whether that is certainly a
// PersistentVolume's.
func (j *mountJoin) nameOf(p *kubeletPath) (name string, pv bool) {
	data := j.data[p.Data]
	switch {
	case p.Data != "" && data != nil && data.SpecVolID != "" && (data.Lifecycle != "Ephemeral" || p.Volume == ""):
		// Before Kubernetes 1.16 none was ephemeral; without a filesystem none is, and
		// the note does not say so.
		return data.SpecVolID, data.Lifecycle == "Persistent" || data.Lifecycle == "" && (p.Global || p.Block)
	case p.Hash != "":
		if j.storage != nil {
			if v := j.storage.hashed(p.Plugin, p.Hash); v != nil {
				return v.Name, true
			}
		}
		return p.Hash, false
	case p.Global && p.Plugin == "csi", p.Block && strings.HasSuffix(p.Plugin, "csi"), strings.HasSuffix(p.Plugin, "local-volume"):
		return p.Volume, true
	}
	if of := j.podVolumes[p.PodUID+"/"+p.Volume]; of != "" && p.Plugin == "" {
		return of, true
	}
	return p.Volume, j.isVolumeName(p)
}

// findPodVolumes notes which volumes of pods are PersistentVolumes by the paths that
// name the plugin: that of a subPath names only the pod and the volume.
func (j *mountJoin) findPodVolumes() {
	for i := range j.list {
		if p := &j.at[i].path; j.at[i].found && p.PodUID != "" && p.Plugin != "" {
			if name, pv := j.nameOf(p); pv {
				j.podVolumes[p.PodUID+"/"+p.Volume] = name
			}
		}
	}
}

// isVolumeName: the API server has a PersistentVolume of that name, and the
// plugin is not one of those that have none.
func (j *mountJoin) isVolumeName(p *kubeletPath) bool {
	switch strings.TrimPrefix(p.Plugin, "kubernetes.io~") {
	case "secret", "configmap", "projected", "downward-api", "empty-dir", "git-repo":
		return false
	}
	return j.storage != nil && p.Volume != "" && (j.storage.byName[p.Volume] != nil || j.storage.attached[p.Volume] != nil)
}

func (j *mountJoin) add(i int, key volumeKey) {
	v := j.volumes[key]
	if v == nil {
		v = &volume{key: key}
		j.volumes[key] = v
		j.volumeList = append(j.volumeList, v)
		if key.fs >= 0 {
			j.byFS[key.fs] = append(j.byFS[key.fs], v)
		} else {
			v.root = j.at[i].root
		}
	}
	v.mounts = append(v.mounts, i)
	j.at[i].volume = v
}

// addHidden adds the devices that are gone and that the host has no mount of any
// more: a namespace that does not see the host's umounts keeps the filesystem.
func (j *mountJoin) addHidden() {
	if j.mounts.Left > 0 { // nobody knows all of the host's
		return
	}
	onHost := map[int]bool{}
	for i := range j.list {
		onHost[j.list[i].FS] = true
	}
	for fs := range j.mounts.Filesystems {
		f := &j.mounts.Filesystems[fs]
		d := j.devices[f.Number]
		if onHost[fs] || d == nil || !hasDevice(f) || !d.Gone && (d.SizeBytes == nil || *d.SizeBytes > 0) {
			continue
		}
		v := &volume{key: volumeKey{fs: fs}, device: d}
		j.volumeList = append(j.volumeList, v)
		j.byFS[fs] = append(j.byFS[fs], v)
	}
}
