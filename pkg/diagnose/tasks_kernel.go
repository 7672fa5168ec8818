package diagnose

import (
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// idleDevicesMin: fewer are what a node has between the end of a pod and the
// unmounting of its volumes.
const idleDevicesMin = 50

// tasksKernelThreads: every mounted filesystem has kernel threads of its own. Of
// devices that no pod uses any more they pile up, invisible to whoever looks for
// programs.
func tasksKernelThreads(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.Tasks == nil || n.Report.Mounts == nil {
		return nil
	}
	t := n.Tasks(correlate.TaskOptions{})
	idle, used, threads := 0, 0, 0
	for _, d := range t.Devices {
		switch deviceUse(d) {
		case correlate.VolumeLeaked:
			idle++
			threads += d.Threads
		case correlate.VolumeLive:
			used++
		}
	}
	if idle < idleDevicesMin || idle < 2*used {
		return nil
	}
	kernel := correlate.Owner{Type: correlate.OwnerKernel}
	f := Finding{Severity: Warning, Subject: &kernel, CausedBy: ids(earlier, MountsLeaked, MountsDetached),
		Summary: fmt.Sprintf("%s kernel threads work for %s devices that no pod of this node uses", comma(uint64(threads)), comma(uint64(idle))),
		Remedy: []Step{{Do: "see which volumes these are, and who holds them", Run: mountsCommand(n)},
			{Do: "unmount them: the threads end with the last mount of a device, in every mount namespace"}}}
	for _, g := range t.Kernel {
		if g.Devices >= idleDevicesMin && len(f.Evidence) < holdersNamedMax {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%s %s for %s devices", comma(uint64(g.Threads)), g.Pattern, comma(uint64(g.Devices))))
		}
	}
	f.Evidence = append(f.Evidence, fmt.Sprintf("%s other devices with such threads are in use", comma(uint64(used))))
	if u := t.Usage; u != nil && u.Max > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("they are %.1f %% of the %s threads that the node may have (%s)", 100*float64(threads)/float64(u.Max), comma(u.Max), u.Limit))
	}
	return []Finding{f}
}

// deviceUse is whether anybody needs a device. Where volumes were not judged as a
// whole, its mounts tell: those of a pod that is gone, or none at all.
func deviceUse(d correlate.TaskDevice) correlate.VolumeState {
	switch {
	case d.State != "":
		return d.State
	case d.Mounts == nil:
		return correlate.VolumeUnknown
	case *d.Mounts == 0: // perhaps in another mount namespace
		return correlate.VolumeLeaked
	case d.Volume == nil: // the host's own
		return correlate.VolumeLive
	case d.Pod == nil:
		return correlate.VolumeLeaked
	}
	switch d.Pod.PodState {
	case correlate.PodGone, correlate.PodReplaced:
		return correlate.VolumeLeaked
	case correlate.PodKnown:
		return correlate.VolumeLive
	}
	return correlate.VolumeUnknown
}

func mountsCommand(n *correlate.Node) string {
	return fmt.Sprintf("kubectl nodedoc mounts %s --leaked", place(n))
}
