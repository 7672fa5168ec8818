package diagnose

import (
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// Fewer are what a node has between the end of a pod and the unmounting of its
// volumes.
func idleDevicesMin() Threshold {
	return atLeast(TasksKernelThreads, "devices", 50, "with kernel threads that no pod uses: a finding")
}

// idleToUsed: so many times as many devices are idle as are in use.
const idleToUsed = 2

func tasksKernelThreadsRule() Rule {
	return Rule{
		ID: TasksKernelThreads, find: tasksKernelThreads,
		Title:      "kernel threads work for devices that no pod uses",
		Thresholds: []Threshold{idleDevicesMin()},
		Page: Page{
			Means: "Each mounted filesystem has kernel threads of its own: a journal, a log worker, five and more with XFS, and device mapper and loop devices have theirs. Of volumes that are never unmounted they pile up, invisible to whoever looks for programs, and count against the node's limit of threads.",
			Computed: []string{
				fmt.Sprintf("The names of kernel threads tell the device that they work for (jbd2/vdf-8, xfsaild/dm-3, dmcrypt_write/253:0). A device is idle where its volume is leaked, where its mounts are of pods that are gone, or where it is not mounted at all. {devices} idle ones or more, and %d times as many as are in use, are a finding.", idleToUsed),
			},
			Source: []string{"/proc/PID/comm of kernel threads (PF_KTHREAD in /proc/PID/stat); /proc/PID/mountinfo; /sys/dev/block"},
			Do: []string{
				"See which volumes these are, and who holds them: kubectl nodedoc mounts NODE --leaked.",
				"Unmount them: the threads end with the last mount of a device, in every mount namespace.",
			},
			Fooled: []string{
				"comm has 15 bytes: a long device name is cut, and fits others too; then the one device that goes on so is taken.",
				"A device that is mounted in another mount namespace only looks unmounted where just the host's is read.",
				"Storage systems in pods (Ceph, Longhorn) have many devices that no pod mounts, on purpose.",
			},
		},
	}
}

// tasksKernelThreads: every mounted filesystem has kernel threads of its own. Of
// devices that no pod uses any more they pile up, invisible to whoever looks for
// programs.
func tasksKernelThreads(n *correlate.Node, limits Thresholds, earlier []Finding) []Finding {
	if n.Report.Tasks == nil || n.Report.Mounts == nil {
		return nil
	}
	t, least := n.Tasks(correlate.TaskOptions{}), limits.count(idleDevicesMin())
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
	if idle < least || idle < idleToUsed*used {
		return nil
	}
	kernel := correlate.Owner{Type: correlate.OwnerKernel}
	f := Finding{Severity: Warning, Subject: &kernel, CausedBy: ids(earlier, MountsLeaked, MountsDetached),
		Summary: fmt.Sprintf("%s kernel threads work for %s devices that no pod of this node uses", comma(uint64(threads)), comma(uint64(idle))),
		Remedy: []Step{{Do: "see which volumes these are, and who holds them", Run: mountsCommand(n)},
			{Do: "unmount them: the threads end with the last mount of a device, in every mount namespace"}}}
	for _, g := range t.Kernel {
		if g.Devices >= least && len(f.Evidence) < holdersNamedMax {
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
