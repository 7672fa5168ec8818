package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(int64(n)) + " " + more
}

// reasonTitles are in the order in which they are told.
func reasonTitles() []struct {
	reason correlate.LeakReason
	title  string
} {
	return []struct {
		reason correlate.LeakReason
		title  string
	}{
		{correlate.PVGone, "no such PersistentVolume in the API"},
		{correlate.NotAttached, "no VolumeAttachment to this node"},
		{correlate.LeakPodGone, "pod gone"},
		{correlate.PodTerminating, "pod Terminating for long"},
		{correlate.DeviceGone, "device gone"},
		{correlate.DeviceEmpty, "device of size 0"},
		{correlate.DeviceErrors, "device or filesystem errors"},
		{correlate.ContainerDead, "copies below a dead container's root directory"},
		{correlate.ContainerUnknown, "copies below an unknown container's root directory"},
		{correlate.Unused, "staged for no pod of this node"},
	}
}

func (c *leakCause) evidence(m *correlate.NodeMounts, limits Thresholds) []string {
	var parts []string
	for _, r := range reasonTitles() {
		if count := c.reasons[r.reason]; count > 0 {
			parts = append(parts, humanize.Comma(int64(count))+" × "+r.title)
		}
	}
	evidence := []string{strings.Join(parts, ", ")}
	v := c.volumes[0]
	if i := slices.IndexFunc(c.volumes, func(v *correlate.Volume) bool { return v.Container == nil }); i >= 0 {
		v = c.volumes[i]
	}
	if v.Container == nil {
		evidence = append(evidence, fmt.Sprintf("e.g. %s%s: %s", v.Name, onDevice(v), v.Reasons[0].Text))
	} else { // each says how many it has, and whose they are
		evidence[0] = v.Reasons[0].Text
	}
	if h := c.holder; h != nil {
		evidence = append(evidence, c.heldBy(h)...)
	}
	if k := m.Kubelet; k != nil && k.CPUPercent != nil && *k.CPUPercent > limits.In(kubeletCPUCritical()) && c.totals.Mounts >= limits.count(kubeletLeaksMin()) {
		evidence = append(evidence, fmt.Sprintf("the kubelet (process %d) takes %.0f %% of a core, as one does that tries in vain to unmount so many", k.PID, *k.CPUPercent))
	}
	return evidence
}

func onDevice(v *correlate.Volume) string {
	if v.Device == nil || v.Device.Name == "" {
		return ""
	}
	return " on " + v.Device.Name
}

func (c *leakCause) heldBy(h *correlate.Holder) []string {
	var evidence []string
	switch {
	case h.Root != "" && c.copies > 0:
		evidence = append(evidence, fmt.Sprintf("%s of them below %s, the root directory of %s", counted(c.copies, "copy", "copies"), h.Root, Title(h.Owner)))
	case h.Namespace != 0:
		evidence = append(evidence, fmt.Sprintf("process %d (%s) has them mounted below %s in a namespace of its own, which an umount on the host does not reach", h.PID, h.Comm, h.Entry))
	}
	if v := h.Via; v != nil {
		evidence = append(evidence, "they came in by "+viaTitle(v)+", a volumeMount of "+podWithWorkload(h.Owner))
	}
	return evidence
}

func podWithWorkload(o correlate.Owner) string {
	if o.Workload != "" {
		return o.Namespace + "/" + o.Workload
	}
	return o.Name()
}

// viaTitle is "hostPath / at /host, mountPropagation HostToContainer
// (spec.containers[name=x].volumeMounts[name=host])".
func viaTitle(v *correlate.Via) string {
	text := "volume " + v.Volume
	if v.HostPath != "" {
		text = "hostPath " + v.HostPath
	}
	text += " at " + v.MountPath
	if v.Propagation != "" {
		text += ", mountPropagation " + v.Propagation
	}
	if v.Field != "" {
		text += " (" + v.Field + ")"
	}
	return text
}

func (c *leakCause) remedy(n *correlate.Node) []Step {
	var steps []Step
	if c.totals.Mounts > 0 {
		steps = append(steps, Step{Do: "have the umount commands written, review them, and run them on the node",
			Run: fmt.Sprintf("kubectl nodedoc mounts %s --leaked --script > umount.sh", place(n))})
	}
	h := c.holder
	if h == nil {
		return steps
	}
	if h.Namespace != 0 {
		steps = append(steps, deletePod(h.Owner, "end the pod that holds them: nothing else unmounts what is in its namespace")...)
	}
	if h.Via != nil && h.Via.HostPath != "" {
		steps = append(steps, Step{Do: fmt.Sprintf("so that it does not come again: give %s a narrower hostPath than %s, without the kubelet's and the runtime's directories", podWithWorkload(h.Owner), h.Via.HostPath)})
	}
	return steps
}
