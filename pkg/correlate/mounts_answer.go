package correlate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Mounts says which mounts the node has, whose they are, and which of them are
// leaked. It is worked out once; the zero value is the answer where the report
// has no mounts.
func (n *Node) Mounts() NodeMounts {
	if n.mounts == nil {
		n.mounts = n.joinMounts()
	}
	return *n.mounts
}

func (n *Node) joinMounts() *NodeMounts {
	out := &NodeMounts{Node: n.Name(), Time: n.Time(), ByFilesystem: []MountCount{}, ByDriver: []MountCount{}, ByOwner: []MountCount{}, Volumes: []Volume{}}
	if n.Report.Mounts == nil {
		return out
	}
	j := n.newMountJoin()
	held, uses := j.findHolders(), j.uses()
	for k, v := range j.volumeList {
		out.Volumes = append(out.Volumes, j.answer(v, uses[k]))
	}
	held.share(out.Volumes)
	out.Holders, out.Detached = held.holders, n.detached()
	for k := range out.Volumes {
		out.Volumes[k].countMounts()
	}
	slices.SortStableFunc(out.Volumes, func(a, b Volume) int {
		return cmp.Or(a.order()-b.order(), len(b.Mounts)-len(a.Mounts), strings.Compare(a.Name, b.Name))
	})
	j.sumUp(out)
	j.breakDown(out)
	out.Gaps = append(n.Gaps(), n.mountGaps(held.cut)...)
	return out
}

// order puts the leaked first, then those of which a part is.
func (v *Volume) order() int {
	switch {
	case v.State == VolumeLeaked:
		return 0
	case v.Leaked > 0:
		return 1
	case v.State == VolumeUnknown:
		return 2
	}
	return 3
}

func (j *mountJoin) answer(v *volume, uses []VolumeProcess) Volume {
	since := j.since(v)
	g := j.judge(v, since)
	f := &j.mounts.Filesystems[j.filesystem(v)]
	source := f.Source
	if len(v.mounts) > 0 {
		source = cmp.Or(j.list[v.mounts[0]].Source, source)
	}
	out := Volume{Node: j.n.Name(), Name: cmp.Or(v.name, source, f.Type), Driver: v.driver, Handle: v.handle, Device: v.device, Type: f.Type, Source: source,
		Reasons: g.reasons, Unknown: strings.Join(g.unknown, "; "), Processes: uses, Pods: g.pods, Since: since}
	if len(v.known) > 0 {
		out.Claim = v.known[0].Claim
	}
	if v.root != nil {
		out.Name, out.Container = "root directory of "+rootTitle(v.root), v.root.Owner
	}
	if v.root == nil && !v.block && j.shared[v.key.fs] {
		out.Device = nil // stays, whatever becomes of the volume
	}
	if out.Device != nil && v.root == nil && len(j.byFS[v.key.fs]) == 1 {
		out.KernelThreads = v.device.Threads
	}
	if out.State = g.state(); g.living {
		out.Trouble = j.deviceReasons(v)
	}
	j.addMounts(&out, v, g)
	return out
}

func (v *Volume) countMounts() {
	v.AllMounts = len(v.Mounts)
	for _, h := range v.Holders {
		if h.Namespace != 0 {
			v.AllMounts++
		}
	}
}

// filesystem is the index of a volume's, or of a container's root directory.
func (j *mountJoin) filesystem(v *volume) int {
	switch {
	case v.key.fs >= 0:
		return v.key.fs
	case v.root.fs >= 0:
		return v.root.fs
	}
	return j.list[v.mounts[0]].FS
}

func (g *judgement) state() VolumeState {
	switch {
	case g.living:
		return VolumeLive
	case g.decided:
		return VolumeLeaked
	case len(g.unknown) > 0:
		return VolumeUnknown
	}
	return VolumeLive
}

// addMounts lists a volume's mounts. Where the whole is leaked all of them are,
// but for those that somebody made outside of the kubelet's directories.
func (j *mountJoin) addMounts(out *Volume, v *volume, g *judgement) {
	var whole []LeakReason
	for _, r := range g.reasons {
		switch r.Reason {
		case ContainerDead, ContainerUnknown, LeakPodGone, PodTerminating: // of single mounts
		default:
			if out.State == VolumeLeaked && !slices.Contains(whole, r.Reason) {
				whole = append(whole, r.Reason)
			}
		}
	}
	why := map[LeakReason][]LeakReason{"": whole} // shared by all mounts with the same
	out.Mounts = make([]VolumeMount, 0, len(v.mounts))
	for k, i := range v.mounts {
		at, m := &j.at[i], &j.list[i]
		f := &j.mounts.Filesystems[m.FS]
		vm := VolumeMount{Mount: *m, Number: f.Number, Type: f.Type, Staging: at.found && at.path.Global && at.root == nil}
		vm.Source = cmp.Or(m.Source, f.Source)
		if at.root != nil {
			vm.Copy = at.root.Owner
			if at.below != "" {
				out.Copies++
			}
		}
		if at.path.PodUID != "" {
			vm.Pod = j.podOwner(at.path.PodUID)
		}
		own := g.byMount[k]
		if vm.Leaked = own != "" || len(whole) > 0 && (at.found || at.root != nil); vm.Leaked {
			if why[own] == nil {
				why[own] = append([]LeakReason{own}, whole...)
			}
			vm.Why = why[own]
			out.Leaked++
		}
		out.Mounts = append(out.Mounts, vm)
	}
}

// mountGaps are what the answer lacks beyond Gaps.
func (n *Node) mountGaps(holdersCut bool) []report.Unreadable {
	var gaps []report.Unreadable
	if holdersCut {
		gaps = append(gaps, report.Unreadable{What: "who holds the volumes", Cause: "the report names more mounts in other namespaces than a node has"})
	}
	if n.Inventory == nil || n.Inventory.Storage == nil {
		return gaps
	}
	s := n.Inventory.Storage
	for _, list := range []report.Unreadable{{What: "PersistentVolumes", Cause: s.VolumesError}, {What: "VolumeAttachments", Cause: s.AttachmentsError}, {What: "CSIDrivers", Cause: s.DriversError}} {
		if list.Cause != "" {
			gaps = append(gaps, list)
		}
	}
	return gaps
}
