package diagnose

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// blockedDevice is a kernel thread that stays blocked, and the device that its
// name has; nil: none.
type blockedDevice struct {
	row    correlate.BlockedRow
	device *correlate.TaskDevice
	dead   string // what is wrong with the device
}

// blockedKernel: kernel threads that stay blocked where no healthy one does: by
// the kernel's own log, or those of a device, for long or since it is dead. Others
// may wait so for want of work on old kernels.
func blockedKernel(n *correlate.Node, t *correlate.NodeTasks, limits Thresholds) []Finding {
	var stuck []blockedDevice
	for _, row := range t.Blocked {
		if !row.Kernel || row.Stayed == 0 || row.WaitsFor == correlate.WaitsFreezer {
			continue
		}
		b := blockedDevice{row: row, device: deviceOfThread(row.Comm, t.Devices)}
		if b.device != nil {
			b.dead = deadDevice(n, b.device)
		}
		if row.LoggedSeconds > 0 || b.device != nil && (b.dead != "" || row.StayedSeconds >= limits.In(blockedLong())) {
			stuck = append(stuck, b)
		}
	}
	if len(stuck) == 0 {
		return nil
	}
	first := stuck[0]
	f := Finding{Severity: Warning, Subject: &correlate.Owner{Type: correlate.OwnerKernel},
		Summary: fmt.Sprintf("%s %s blocked: %s", english.Plural(len(stuck), "kernel thread", ""), stays(len(stuck)), first.row.Comm)}
	if first.row.WaitsFor != "" {
		f.Summary += " waits for " + first.row.WaitsFor
	}
	for _, b := range stuck[:min(holdersNamedMax, len(stuck))] {
		f.Evidence = append(f.Evidence, blockedEvidence(b.row))
		if b.device != nil {
			f.Evidence = append(f.Evidence, b.worksFor())
		}
	}
	if more := len(stuck) - holdersNamedMax; more > 0 {
		f.Evidence = append(f.Evidence, fmt.Sprintf("and %d more of them", more))
	}
	f.Remedy = []Step{{Do: "no signal ends a kernel thread: what it waits for must come, or fail. See what the kernel says of its device", Run: "dmesg -T | tail -50"},
		{Do: "where the disk does not come back: stop the pods that use it, detach it at the cloud or the array so that its requests fail, else restart the node"}}
	return []Finding{f}
}

func stays(threads int) string {
	if threads == 1 {
		return "stays"
	}
	return "stay"
}

// deviceOfThread: "jbd2/vdf-8", "xfsaild/dm-3", "dmcrypt_write/253:0".
func deviceOfThread(comm string, devices []correlate.TaskDevice) *correlate.TaskDevice {
	_, rest, ok := strings.Cut(comm, "/")
	if !ok {
		rest = comm // loop0
	}
	var found *correlate.TaskDevice
	for i := range devices {
		d := &devices[i]
		for _, name := range []string{d.Name, d.Number} {
			// The longest fits: dm-1 has "dm-1-8", and so has none "dm".
			if name != "" && (rest == name || strings.HasPrefix(rest, name+"-")) && (found == nil || len(name) > len(found.Name)) {
				found = d
			}
		}
	}
	return found
}

// deadDevice is why nothing will come from a device; "" where it lives.
func deadDevice(n *correlate.Node, d *correlate.TaskDevice) string {
	if d.Gone {
		return "gone"
	}
	if n.Report.Devices == nil || d.Number == "" {
		return ""
	}
	for i := range n.Report.Devices.List {
		if of := &n.Report.Devices.List[i]; of.Number == d.Number {
			return deadState(of)
		}
	}
	return ""
}

func deadState(d *report.Device) string {
	switch {
	case d.Gone:
		return "gone"
	case d.SizeBytes != nil && *d.SizeBytes == 0:
		return "of size 0: the disk was taken away"
	case d.State == "offline" || d.State == "dead":
		return d.State
	}
	return ""
}

func (b *blockedDevice) worksFor() string {
	d := b.device
	text := "it works for " + d.Name
	if b.dead != "" {
		text += ", which is " + b.dead
	}
	if d.VolumeName != "" {
		text += "; volume " + d.VolumeName
	} else if d.Point != "" {
		text += ", mounted at " + d.Point
	}
	if d.Pod != nil {
		text += " of " + Title(*d.Pod)
	}
	return text
}
