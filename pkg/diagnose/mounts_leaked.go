package diagnose

import (
	"cmp"
	"slices"

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
const (
	leakedVolumesCritical = 1000
	leakedMountsCritical  = 10_000
	kubeletCPUCritical    = 200.0 // percent of one core, where there is anything leaked to go round for
	kubeletLeaksMin       = 50    // mounts
)

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
		if len(findings) == descriptorsPerFindingMax {
			break
		}
		f := Finding{Severity: Warning, Summary: c.summary(), Evidence: c.evidence(&m), Remedy: c.remedy(n)}
		if c.holder != nil {
			owner := c.holder.Owner
			f.Subject = &owner
		}
		if c.isCritical(n, &m) {
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
	for _, r := range v.Reasons {
		c.reasons[r.Reason]++
	}
	switch {
	case holder != nil:
		c.copies += holder.Mounts
		if c.holder == nil || c.holder.Via == nil && holder.Via != nil {
			c.holder = holder
		}
	case v.Container != nil && c.holder == nil:
		c.holder = &correlate.Holder{Owner: *v.Container, Why: v.Reasons[0].Reason}
	}
}

func (c *leakCause) isCritical(n *correlate.Node, m *correlate.NodeMounts) bool {
	t := c.totals
	if t.Volumes >= leakedVolumesCritical || t.Mounts >= leakedMountsCritical {
		return true
	}
	if k := m.Kubelet; k != nil && k.CPUPercent != nil && *k.CPUPercent > kubeletCPUCritical && t.Mounts >= kubeletLeaksMin {
		return true
	}
	if tasks := n.Report.Tasks; tasks != nil {
		for _, limit := range []*uint64{tasks.PIDMax, tasks.ThreadsMax} {
			if limit != nil && *limit > 0 && uint64(max(t.KernelThreads, 0)) > *limit/2 {
				return true
			}
		}
	}
	return false
}

func (c *leakCause) summary() string {
	t := c.totals
	what := counted(t.Volumes, "leaked volume", "leaked volumes")
	if t.Volumes == 0 {
		what = "leaked mounts"
		if t.Parts > 0 {
			what += " of " + counted(t.Parts, "volume in use", "volumes in use")
		}
	}
	if t.Mounts > 0 {
		what += ": " + counted(t.Mounts, "mount", "mounts")
	} else {
		what += ": no mount on the host any more"
	}
	if t.KernelThreads > 0 {
		what += ", " + counted(t.KernelThreads, "kernel thread", "kernel threads")
	}
	if c.holder != nil {
		what += "; held by " + Title(c.holder.Owner)
	}
	return what
}
