package correlate

import (
	"path"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// mountJoin is the work of one answer.
type mountJoin struct {
	n      *Node
	mounts *report.Mounts
	list   []report.Mount // those of the host whose filesystem is there
	at     []mountPlace   // beside list
	dirs   []string       // names of the kubelet's directory
	// nodeDisks are filesystems that are the node's own, whatever else is on them.
	nodeDisks map[int]bool
	// shared are those with volumes and other things on them, see findShared.
	shared map[int]bool

	live     liveness
	storage  *storageIndex
	departed map[string]bool
	needs    map[string]podNeed
	owners   map[string]*Owner

	roots    map[string]*containerRoot
	rootList []*containerRoot
	data     map[string]*report.VolumeData
	devices  map[string]*report.Device // by number and by name

	volumes    map[volumeKey]*volume
	podVolumes map[string]string // PersistentVolumes by "<pod uid>/<name>"
	volumeList []*volume
	byFS       [][]*volume
}

// mountPlace is where a mount of the host's namespace stands.
type mountPlace struct {
	root  *containerRoot // below which it stands
	below string         // the path in there, "" for the root directory itself
	path  kubeletPath
	// found: path is that of a volume or of a driver. dir is what is in front,
	// by the path's form alone.
	found  bool
	dir    string
	volume *volume
}

func (n *Node) newMountJoin() *mountJoin {
	j := &mountJoin{n: n, mounts: n.Report.Mounts, live: n.liveness(n.Report.Mounts), storage: n.storageIndex(), nodeDisks: map[int]bool{}, shared: map[int]bool{},
		departed: map[string]bool{}, needs: map[string]podNeed{}, owners: map[string]*Owner{}, roots: map[string]*containerRoot{},
		data: map[string]*report.VolumeData{}, devices: map[string]*report.Device{}, volumes: map[volumeKey]*volume{}, podVolumes: map[string]string{}}
	if n.Inventory != nil {
		for i := range n.Inventory.Departed {
			j.departed[nodeUID(&n.Inventory.Departed[i])] = true
		}
	}
	for i := range j.mounts.VolumeData {
		if _, below, ok := cutKubeletDir(j.mounts.VolumeData[i].Dir); ok {
			j.data[below] = &j.mounts.VolumeData[i]
		}
	}
	if d := n.Report.Devices; d != nil {
		for i := range d.List {
			for _, key := range []string{d.List[i].Number, d.List[i].FSNumber, d.List[i].Name} {
				if key != "" {
					j.devices[key] = &d.List[i]
				}
			}
		}
	}
	own := n.probeIDs()
	for _, m := range j.mounts.List {
		if m.FS >= 0 && m.FS < len(j.mounts.Filesystems) && !containsAny(m.Point, own) {
			j.list = append(j.list, m)
		}
	}
	j.at = make([]mountPlace, len(j.list))
	j.byFS = make([][]*volume, len(j.mounts.Filesystems))
	j.place()
	j.findShared()
	j.group()
	j.addHidden()
	return j
}

// place finds the container's root directory and the kubelet's directory that
// each mount stands in.
func (j *mountJoin) place() {
	j.findRoots()
	for i := range j.list {
		at := &j.at[i]
		point := j.list[i].Point
		if at.root != nil {
			point = at.below
		}
		at.path, at.dir, at.found = findKubeletPath(point)
	}
	j.dirs = j.kubeletDirs()
	for i := range j.list {
		at, point := &j.at[i], j.list[i].Point
		if at.root == nil { // a copy has whatever name the container gave it
			at.path, at.found = j.belowDirs(point)
		}
		if point == "/" || slices.Contains(j.dirs, path.Dir(point)) {
			j.nodeDisks[j.list[i].FS] = true
		}
	}
	for _, dir := range j.dirs {
		if i := j.under(dir); i >= 0 {
			j.nodeDisks[j.list[i].FS] = true
		}
	}
}

// under is the index of the mount that a path lies on, -1 for none.
func (j *mountJoin) under(p string) int {
	on := -1
	for i := range j.list {
		// Of equals the last covers the others.
		if m := &j.list[i]; j.at[i].root == nil && isBelow(p, m.Point) && (on < 0 || len(m.Point) >= len(j.list[on].Point)) {
			on = i
		}
	}
	return on
}

// device is the block device of a mount: that of its filesystem, or the device
// node itself, which the root names.
func (j *mountJoin) device(m *report.Mount, block bool) *report.Device {
	f := &j.mounts.Filesystems[m.FS]
	if block && f.Type == "devtmpfs" {
		node := strings.TrimSuffix(m.Root, "//deleted")
		if d := j.devices[strings.TrimPrefix(node, "/")]; d != nil { // "/pxd/pxd1"
			return d
		}
		return j.devices[path.Base(node)]
	}
	if d := j.devices[f.Number]; d != nil {
		return d
	}
	if name, ok := strings.CutPrefix(f.Source, "/dev/"); ok && f.Source != "/dev/fuse" {
		return j.devices[name] // btrfs has a number of its own
	}
	return nil
}

// hasDevice says whether a filesystem lies on a block device of its own.
func hasDevice(f *report.Filesystem) bool {
	return !strings.HasPrefix(f.Number, "0:") || strings.HasPrefix(f.Source, "/dev/") && f.Source != "/dev/fuse"
}
