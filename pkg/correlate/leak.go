package correlate

import (
	"fmt"
	"slices"
	"time"
)

// InTransit is how long a volume may be staged without a pod that uses it: the
// kubelet stages before it mounts, and unstages after a pod is gone. The pods
// that left meanwhile are known (inventory.Asker.Before); this is for one that
// came and went between two questions.
const InTransit = 2 * time.Minute

// judgement is what is found out about one volume.
type judgement struct {
	living  bool // a pod of this node needs it
	ended   bool // that of a pod that has ended, and is still there
	reasons []Reason
	// decided: a reason stands that is enough to call it leaked.
	decided bool
	unknown []string
	// byMount are the reasons of single mounts, beside volume.mounts.
	byMount []LeakReason
	pods    []Owner
}

func (g *judgement) because(r LeakReason, format string, args ...any) {
	g.reasons = append(g.reasons, Reason{Reason: r, Text: fmt.Sprintf(format, args...)})
}

func (g *judgement) cannotTell(why string) {
	if !slices.Contains(g.unknown, why) {
		g.unknown = append(g.unknown, why)
	}
}

// judge applies the rules to a volume: first who needs it, then what is wrong
// with single mounts, and where nobody needs it, with the whole.
func (j *mountJoin) judge(v *volume, since *time.Time) *judgement {
	g := &judgement{byMount: make([]LeakReason, len(v.mounts))}
	j.judgeMounts(v, g)
	j.findUsers(v, g)
	if !g.living && v.root == nil {
		j.judgeVolume(v, g)
		j.judgeDevice(v, g)
		j.judgeUse(v, g, since)
	}
	order := leakReasons()
	slices.SortStableFunc(g.reasons, func(a, b Reason) int { return slices.Index(order, a.Reason) - slices.Index(order, b.Reason) })
	return g
}

// leakReasons are in the order in which they tell the most.
func leakReasons() []LeakReason {
	return []LeakReason{PVGone, NotAttached, LeakPodGone, PodTerminating, DeviceGone, DeviceEmpty, DeviceErrors, ContainerDead, ContainerUnknown, Unused}
}

// judgeMounts finds the mounts that are leaked whoever else needs the volume.
func (j *mountJoin) judgeMounts(v *volume, g *judgement) {
	roots, pods := map[*containerRoot]int{}, map[string]int{}
	var rootsSeen []*containerRoot
	var podsSeen []string
	for k, i := range v.mounts {
		at := &j.at[i]
		uid := at.path.PodUID
		need := podLiving
		if uid != "" {
			need = j.pod(uid)
			g.living, g.ended = g.living || need == podLiving, g.ended || need == podEnded
		}
		switch {
		case at.root != nil && at.root.Why != "":
			if g.byMount[k] = at.root.Why; roots[at.root] == 0 {
				rootsSeen = append(rootsSeen, at.root)
			}
			roots[at.root]++
		case need == podGone || need == podStuck:
			g.byMount[k] = LeakPodGone
			if need == podStuck {
				g.byMount[k] = PodTerminating
			}
			if pods[uid]++; pods[uid] == 1 {
				podsSeen = append(podsSeen, uid)
			}
		case need == podUnasked:
			g.cannotTell(j.podsUnasked())
		case at.root != nil && !at.root.Asked:
			g.cannotTell("nobody can tell whether " + rootTitle(at.root) + " is dead")
		}
	}
	g.addRoots(rootsSeen, roots)
	g.addPods(j, podsSeen)
	// A dead container's copy tells of itself only, unless nothing else is there.
	g.decided = len(podsSeen) > 0 || len(v.mounts) > 0 && !slices.Contains(g.byMount, "")
}

// findUsers finds the pods that use a volume by the API server's word: they may
// not have mounted it yet. Where one has ended a moment ago, the kubelet may
// have unmounted its directory, and be about to unstage.
func (j *mountJoin) findUsers(v *volume, g *judgement) {
	seen := map[string]bool{}
	add := func(uid string) {
		if need := j.pod(uid); uid != "" && !seen[uid] && (need == podLiving || need == podStuck) {
			seen[uid] = true
			g.living = g.living || need == podLiving
			g.pods = append(g.pods, *j.podOwner(uid))
		}
	}
	for _, i := range v.mounts {
		if uid := j.at[i].path.PodUID; j.n.podByUID[uid] != nil {
			add(uid)
		}
	}
	if j.storage == nil {
		return
	}
	names := []string{}
	if v.pv {
		names = append(names, v.name)
	}
	for _, pv := range v.known { // several may stand for one disk
		names = append(names, pv.Name)
	}
	for _, name := range names {
		for _, p := range j.storage.users[name] {
			add(nodeUID(p))
			g.ended = g.ended || p.EndedAt > 0 && j.n.Report.Node.Now-p.EndedAt < int64(InTransit.Seconds())
		}
	}
}

// judgeVolume asks whether the API server still knows the volume.
func (j *mountJoin) judgeVolume(v *volume, g *judgement) {
	s := j.storage
	if !v.pv || s == nil {
		return
	}
	before := len(g.reasons)
	switch {
	case s.VolumesError != "":
		g.cannotTell("PersistentVolumes could not be listed: " + s.VolumesError)
	case len(v.known) == 0 && s.byName[v.name] != nil:
		g.because(PVGone, "PersistentVolume %s of the API is another volume: this one's handle is %s", v.name, v.handle)
	case len(v.known) == 0:
		g.because(PVGone, "PersistentVolume %s is not in the API", v.name)
	}
	switch attached := s.attached[v.name]; {
	case !s.attaches[v.driver] || s.DriversError != "": // unknown drivers are nobody's to judge
	case s.AttachmentsError != "":
		g.cannotTell("VolumeAttachments could not be listed: " + s.AttachmentsError)
	case attached == nil && (v.data == nil || v.data.AttachmentID == "" || s.attached[v.data.AttachmentID] == nil) && !j.attachedByOther(v):
		g.because(NotAttached, "no VolumeAttachment of %s to this node, and %s attaches", v.name, v.driver)
	}
	g.decided = g.decided || len(g.reasons) > before
}

// attachedByOther: the disk is attached as another PersistentVolume of it.
func (j *mountJoin) attachedByOther(v *volume) bool {
	for _, pv := range v.known {
		if j.storage.attached[pv.Name] != nil {
			return true
		}
	}
	return false
}
