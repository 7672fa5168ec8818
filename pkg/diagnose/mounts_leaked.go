package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// IDs of the rules about mounts.
const (
	MountsLeaked       = "mounts-leaked"
	MountsDeviceErrors = "mounts-device-errors"
	MountsDetached     = "mounts-detached"
)

// From here on leaked volumes cost the node itself: the kubelet looks at every
// mount in each of its loops.
func leakedVolumesCritical() Threshold {
	return atLeast(MountsLeaked, "critical-volumes", 1000, "leaked volumes: critical")
}
func leakedMountsCritical() Threshold {
	return atLeast(MountsLeaked, "critical-mounts", 10_000, "leaked mounts: critical")
}
func kubeletCPUCritical() Threshold {
	return Threshold{Name: MountsLeaked + ".kubelet-cpu", Unit: Percent, Default: 200, Min: 1, Max: 100_000, Means: "of one core that the kubelet takes: critical"}
}
func kubeletLeaksMin() Threshold {
	return atLeast(MountsLeaked, "kubelet-mounts", 50, "leaked mounts: fewer do not explain a busy kubelet")
}

// threadsCritical of what the node may have are leaked devices', in percent.
const threadsCritical = 50.0

func mountsLeakedRule() Rule {
	reasons := make([]string, 0, len(reasonTitles()))
	for _, r := range reasonTitles() {
		reasons = append(reasons, r.title)
	}
	return Rule{
		ID: MountsLeaked, find: mountsLeaked,
		Title:      "volumes that nobody needs any more are still mounted",
		Thresholds: []Threshold{leakedVolumesCritical(), leakedMountsCritical(), kubeletCPUCritical(), kubeletLeaksMin()},
		Page: Page{
			Means: "The kubelet unmounts a volume when its last pod is gone, if it can. What it cannot unmount it tries again, in each of its loops and for ever; each block device keeps its kernel threads, and each new mount namespace copies all mounts. Mostly a container holds them: it has the host's / or /var/lib/kubelet mounted in with mountPropagation, or as a private copy.",
			Computed: []string{
				"A volume is leaked where nobody needs it by anybody's word: no living pod of this node uses it, by its directories, its processes and the API server, which is asked before and after the look. Single mounts are leaked where they are a dead container's, or of a pod that is gone.",
				"Why, in the order of what tells most: " + strings.Join(reasons, "; ") + ".",
				fmt.Sprintf("A pod that is being deleted counts as gone %s after the end of its grace, if nothing of it runs; a staged volume that no pod uses is left alone for its first %s. Errors of the device alone make no leak. What could not be asked makes a volume unknown, and never leaked.",
					Seconds.Text(correlate.StuckAfter), Seconds.Text(correlate.InTransit.Seconds())),
				fmt.Sprintf("There is one finding for each container that holds leaked volumes, and one for those that nobody holds. It is critical from {critical-volumes} volumes or {critical-mounts} mounts on, with {kubelet-mounts} mounts while the kubelet takes more than {kubelet-cpu} of a core, and where their kernel threads are more than %s of those that the node may have.", Percent.Text(threadsCritical)),
			},
			Source: []string{"/proc/PID/mountinfo of each mount namespace; mount_namespaces(7): propagation", "vol_data.json of CSI volumes; PersistentVolumes, VolumeAttachments, CSIDrivers and pods of the API server", "Kubernetes: Volumes, mount propagation; KEP-3756, how the kubelet finds volumes again after its restart"},
			Do: []string{
				"kubectl nodedoc mounts NODE --leaked lists them; --script writes the umount commands, to be reviewed and run on the node.",
				"A copy in a container's own mount namespace ends with that container only: end the pod that holds it.",
				"So that it does not come again: a narrower hostPath for whoever holds them, without the kubelet's and the runtime's directories.",
			},
			Fooled: []string{
				"With an API server that does not answer, most are unknown: the finding says how many.",
				"A driver that stages volumes ahead of pods on purpose seems to leak them.",
				"Where the report lacks mount namespaces that could not be read, holders may be missing.",
			},
		},
	}
}

// leakCause are the leaked volumes that one container holds, or nobody does.
type leakCause struct {
	holder  *correlate.Holder
	volumes []*correlate.Volume
	totals  correlate.LeakTotals
	reasons map[correlate.LeakReason]int // volumes
	copies  int                          // that the holder has
}

// mountsLeaked: one finding for each container that keeps volumes from being
// unmounted, and one for what nobody holds.
func mountsLeaked(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	if n.Report.Mounts == nil {
		return nil
	}
	m := n.Mounts()
	var findings []Finding
	for _, c := range leakCauses(&m) {
		if len(findings) == ownersNamedMax {
			break
		}
		f := Finding{Severity: Warning, Summary: c.summary(), Evidence: c.evidence(&m, limits), Remedy: c.remedy(n)}
		if m.Leaked.Unknown > 0 && len(findings) == 0 { // of the node, not of this cause
			f.Evidence = append(f.Evidence, fmt.Sprintf("of %s nobody can tell: what would could not be asked", counted(m.Leaked.Unknown, "more volume", "more volumes")))
		}
		if c.holder != nil {
			owner := c.holder.Owner
			f.Subject = &owner
		}
		if c.isCritical(n, &m, limits) {
			f.Severity = Critical
		}
		findings = append(findings, f)
	}
	return findings
}

// leakCauses are those with the most mounts first.
func leakCauses(m *correlate.NodeMounts) []*leakCause {
	byOwner := map[correlate.Owner]*leakCause{}
	var list []*leakCause
	for i := range m.Volumes {
		v := &m.Volumes[i]
		if v.Leaked == 0 && v.State != correlate.VolumeLeaked {
			continue
		}
		holder := pinning(v)
		owner := correlate.Owner{}
		if v.Container != nil {
			owner = *v.Container
		}
		if holder != nil {
			owner = holder.Owner
		}
		owner.Workload = "" // a dead container's is known only where a successor is
		c := byOwner[owner]
		if c == nil {
			c = &leakCause{reasons: map[correlate.LeakReason]int{}}
			byOwner[owner] = c
			list = append(list, c)
		}
		c.add(v, holder)
	}
	slices.SortStableFunc(list, func(a, b *leakCause) int { return cmp.Compare(b.totals.Mounts, a.totals.Mounts) })
	return list
}

// pinning is who keeps a volume from being unmounted: a dead container's root
// directory with a copy in it before a namespace that an umount does not reach.
func pinning(v *correlate.Volume) *correlate.Holder {
	var private *correlate.Holder
	for i := range v.Holders {
		switch h := v.Holders[i]; {
		case h.Why != "":
			return h
		case (h.Private || len(v.Mounts) == 0) && h.Namespace != 0 && private == nil && v.State == correlate.VolumeLeaked:
			private = h
		}
	}
	return private
}

func (c *leakCause) add(v *correlate.Volume, holder *correlate.Holder) {
	c.volumes = append(c.volumes, v)
	c.totals.Add(v)
	for i, r := range v.Reasons {
		again := func(of correlate.Reason) bool { return of.Reason == r.Reason } // a device has errors by two sources
		if !slices.ContainsFunc(v.Reasons[:i], again) {
			c.reasons[r.Reason]++
		}
	}
	switch {
	case holder != nil:
		c.copies += holder.Mounts
		// A root directory comes before the volumes that have copies in it, and says less.
		if h := c.holder; h == nil || h.Namespace == 0 && h.Root == "" || h.Via == nil && holder.Via != nil {
			c.holder = holder
		}
	case v.Container != nil && c.holder == nil:
		c.holder = &correlate.Holder{Owner: *v.Container, Why: v.Reasons[0].Reason}
	}
}

func (c *leakCause) isCritical(n *correlate.Node, m *correlate.NodeMounts, limits Thresholds) bool {
	t := c.totals
	if t.Volumes >= limits.count(leakedVolumesCritical()) || t.Mounts >= limits.count(leakedMountsCritical()) {
		return true
	}
	if k := m.Kubelet; k != nil && k.CPUPercent != nil && *k.CPUPercent > limits.In(kubeletCPUCritical()) && t.Mounts >= limits.count(kubeletLeaksMin()) {
		return true
	}
	if tasks := n.Report.Tasks; tasks != nil {
		for _, limit := range []*uint64{tasks.PIDMax, tasks.ThreadsMax} {
			if limit != nil && *limit > 0 && float64(t.KernelThreads) > threadsCritical/100*float64(*limit) {
				return true
			}
		}
	}
	return false
}

func (c *leakCause) summary() string {
	t := c.totals
	mounts := counted(t.Mounts, "leaked mount", "leaked mounts")
	what := counted(t.Volumes, "leaked volume", "leaked volumes") + ", " + mounts
	switch {
	case t.Mounts == 0:
		what = counted(t.Volumes, "leaked volume", "leaked volumes") + ": no mount on the host any more"
	case t.Volumes > 0: // of others, too, maybe
	case t.Parts == 0:
		what = mounts
	case t.Unknown == 0:
		what = mounts + " of " + counted(t.Parts, "volume in use", "volumes in use")
	default:
		what = mounts + " of " + counted(t.Parts, "volume in use or unknown", "volumes in use or unknown")
	}
	if t.KernelThreads > 0 {
		what += ", " + counted(t.KernelThreads, "kernel thread", "kernel threads")
	}
	if c.holder != nil {
		what += "; held by " + Title(c.holder.Owner)
	}
	return what
}
