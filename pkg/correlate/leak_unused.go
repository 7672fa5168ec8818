package correlate

import "time"

// judgeUse asks whether a volume is staged for nobody. That takes the word of
// the API server on all that could still want it.
func (j *mountJoin) judgeUse(v *volume, g *judgement, since *time.Time) {
	s := j.storage
	switch {
	case !v.staged || g.ended: // the kubelet is still at the pod's mounts
	case !j.n.podsListed:
		g.cannotTell(j.podsUnasked())
	case s == nil:
		g.cannotTell("the API server was not asked for volumes")
	case s.VolumesError != "" && s.unresolved:
		g.cannotTell("PersistentVolumes could not be listed: " + s.VolumesError)
	case !v.pv && j.sharedWithLiving(v):
		g.cannotTell(j.noName(v) + ", and a pod uses the same filesystem: maybe it is the pod's")
	case !g.decided && since != nil && j.n.now().Sub(*since) < InTransit:
	default:
		g.because(Unused, "staged, and no pod of this node uses it")
		g.decided = true
	}
}

// noName is why nobody knows which PersistentVolume is staged: that of CSI is found
// by its note or the hash of its handle, others by the disk's name.
func (j *mountJoin) noName(v *volume) string {
	if v.data == nil && j.at[v.mounts[0]].path.Hash != "" {
		return "its vol_data.json could not be read"
	}
	return "no PersistentVolume is known by its path"
}

// sharedWithLiving: pods have another volume of the same filesystem, or maybe the
// same under its name.
func (j *mountJoin) sharedWithLiving(v *volume) bool {
	for _, other := range j.byFS[v.key.fs] {
		for _, i := range other.mounts {
			if uid := j.at[i].path.PodUID; uid != "" && j.pod(uid) == podLiving {
				return true
			}
		}
	}
	return false
}

// now is the node's time when the report was made; the zero time where the node
// does not say.
func (n *Node) now() time.Time {
	if n.Report.Node.Now == 0 {
		return time.Time{}
	}
	return time.Unix(n.Report.Node.Now, 0)
}

// since is when a volume was mounted: its filesystem's threads started then, and
// the CSI plugin left its note. A note from before the boot tells nothing.
func (j *mountJoin) since(v *volume) *time.Time {
	node := j.n.Report.Node
	var at []time.Time
	if d := v.device; d != nil && d.ThreadsSince > 0 && !d.Guessed && node.ClockTicks > 0 && node.BootTime > 0 {
		seconds := d.ThreadsSince / uint64(node.ClockTicks)
		at = append(at, time.Unix(node.BootTime+int64(min(seconds, 1<<40)), 0))
	}
	for _, i := range v.mounts {
		p := &j.at[i].path
		if data := j.data[p.Data]; p.Data != "" && data != nil && data.Written >= node.BootTime {
			at = append(at, time.Unix(data.Written, 0))
		}
	}
	var first *time.Time
	for i := range at {
		if t := at[i].UTC(); inCalendar(t) && (first == nil || t.Before(*first)) {
			first = &t
		}
	}
	return first
}
