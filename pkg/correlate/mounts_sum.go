package correlate

import (
	"cmp"
	"slices"
	"strings"
)

// sumUp counts what the node has, and of that what is leaked.
func (j *mountJoin) sumUp(out *NodeMounts) {
	r := j.n.Report
	out.HostMounts = len(j.mounts.List) + max(j.mounts.Left, 0)
	out.AllMounts, out.Namespaces = out.HostMounts, len(j.mounts.Namespaces)
	for _, ns := range j.mounts.Namespaces {
		if ns.Host && ns.Kubelet {
			out.KubeletNamespace = ns.PID
		}
		if !ns.Host && ns.Mounts != nil {
			out.AllMounts += *ns.Mounts
		}
	}
	for i := range j.mounts.Filesystems {
		if f := &j.mounts.Filesystems[i]; hasDevice(f) && f.Type != "devtmpfs" {
			out.Devices++
		}
	}
	if r.Devices != nil {
		for _, d := range r.Devices.List {
			out.KernelThreads += d.Threads
		}
	}
	out.ThreadsUnseen = r.Processes == nil || r.Processes.KernelThreads == 0
	if k := r.Kubelet; k != nil && k.PID > 0 {
		out.Kubelet = &KubeletUse{PID: k.PID, CPUPercent: k.CPUPercent, RSSBytes: k.RSSBytes}
	}
	for i := range out.Volumes {
		out.Leaked.Add(&out.Volumes[i])
	}
}

// Add counts a volume.
func (t *LeakTotals) Add(v *Volume) {
	if v.State == VolumeUnknown {
		t.Unknown++
	}
	switch {
	case v.Leaked == 0 && v.State != VolumeLeaked:
		return
	case v.Container != nil:
		t.Roots++
	case v.State == VolumeLeaked:
		t.Volumes++
		t.KernelThreads += v.KernelThreads
		if v.Device != nil {
			t.Devices++
		}
	default:
		t.Parts++
	}
	t.Mounts += v.Leaked
	t.AllMounts += v.Leaked
	if v.State == VolumeLeaked {
		t.AllMounts += v.AllMounts - len(v.Mounts)
		t.Copies += v.Copies
		return
	}
	for i := range v.Mounts {
		if v.Mounts[i].Leaked && v.Mounts[i].Copy != nil {
			t.Copies++
		}
	}
}

type countKey struct {
	name  string
	owner *Owner
}

// counts adds up one breakdown.
type counts struct {
	lines   map[countKey]*MountCount
	devices map[countKey]map[int]bool
}

func newCounts() *counts {
	return &counts{lines: map[countKey]*MountCount{}, devices: map[countKey]map[int]bool{}}
}

func (c *counts) add(key countKey, fs int, device, leaked bool) {
	line := c.lines[key]
	if line == nil {
		line = &MountCount{Name: key.name, Owner: key.owner}
		c.lines[key], c.devices[key] = line, map[int]bool{}
	}
	line.Mounts++
	if leaked {
		line.Leaked++
	}
	if device && !c.devices[key][fs] {
		c.devices[key][fs] = true
		line.Devices++
	}
}

func (c *counts) sorted() []MountCount {
	list := make([]MountCount, 0, len(c.lines))
	for _, line := range c.lines {
		list = append(list, *line)
	}
	slices.SortFunc(list, func(a, b MountCount) int {
		return cmp.Or(b.Mounts-a.Mounts, strings.Compare(a.Name, b.Name), cmp.Compare(ownerID(a.Owner), ownerID(b.Owner)))
	})
	return list
}

func ownerID(o *Owner) string {
	if o == nil {
		return ""
	}
	return o.PodUID + o.ContainerID
}

// Names of what has no driver or owner of its own.
const (
	ofNode      = "the node's own"
	ofStaging   = "staging"
	ofContainer = "containers' root directories"
)

// breakDown counts the host's mounts by filesystem, driver and owner.
func (j *mountJoin) breakDown(out *NodeMounts) {
	leaked := map[int]bool{} // by mount id
	for i := range out.Volumes {
		for k := range out.Volumes[i].Mounts {
			if m := &out.Volumes[i].Mounts[k]; m.Leaked {
				leaked[m.ID] = true
			}
		}
	}
	types, drivers, owners := newCounts(), newCounts(), newCounts()
	for i := range j.list {
		m, at := &j.list[i], &j.at[i]
		f := &j.mounts.Filesystems[m.FS]
		device, bad := hasDevice(f), leaked[m.ID]
		driver, owner := ofNode, countKey{name: ofNode}
		switch {
		case at.volume != nil && at.volume.root == nil:
			driver = cmp.Or(at.volume.driver, "unknown")
		case at.root != nil:
			driver = ofContainer
		}
		switch {
		case at.root != nil:
			owner = countKey{name: rootTitle(at.root), owner: at.root.Owner}
		case at.found && at.path.PodUID != "":
			pod := j.podOwner(at.path.PodUID)
			owner = countKey{name: podTitle(pod), owner: pod}
		case at.found:
			owner.name = ofStaging
		}
		types.add(countKey{name: f.Type}, m.FS, device, bad)
		drivers.add(countKey{name: driver}, m.FS, device, bad)
		owners.add(owner, m.FS, device, bad)
	}
	out.ByFilesystem, out.ByDriver, out.ByOwner = types.sorted(), drivers.sorted(), owners.sorted()
}
