package correlate

import "github.com/nodedoc/kubectl-nodedoc/pkg/report"

// StuckAfter is how long after the end of its grace a pod that is being deleted
// counts as stuck: seconds. The kubelet unmounts within a few.
const StuckAfter = 600

// podNeed says whether a pod still needs its volumes.
type podNeed int

const (
	podLiving  podNeed = iota
	podEnded           // its volumes are the kubelet's to unmount, sooner or later
	podStuck           // Terminating, long after its grace
	podGone            // not on this node, by the API server's word
	podUnasked         // the API server was not asked, or did not answer
)

// pod says whether the pod of a directory needs its volumes. A pod whose
// processes run needs them whatever the API server says: a static pod may have
// no mirror there, and those of a node that was cut off are deleted while they
// run on. One that is only blocked, or whose sandbox alone is left, is stuck.
func (j *mountJoin) pod(uid string) podNeed {
	if need, ok := j.needs[uid]; ok {
		return need
	}
	need := podGone
	switch p := j.n.podByUID[uid]; {
	case p != nil && p.Deleting && p.DeleteBy > 0 && j.n.Report.Node.Now-p.DeleteBy > StuckAfter && !j.live.working[uid]:
		need = podStuck
	case j.departed[uid] || j.live.pods[uid] || p != nil && !p.Ended():
		need = podLiving
	case p != nil:
		need = podEnded
	case !j.n.podsListed:
		need = podUnasked
	}
	j.needs[uid] = need
	return need
}

// podOwner is the pod of a directory; many mounts share one.
func (j *mountJoin) podOwner(uid string) *Owner {
	if o := j.owners[uid]; o != nil {
		return o
	}
	o := j.n.podOwner(uid, "", report.Container{})
	j.owners[uid] = &o
	return &o
}

// podsUnasked is why nobody knows the node's pods.
func (j *mountJoin) podsUnasked() string {
	if inv := j.n.Inventory; inv != nil && inv.PodsError != "" {
		return "the node's pods could not be listed: " + inv.PodsError
	}
	return "the API server was not asked for the node's pods"
}
