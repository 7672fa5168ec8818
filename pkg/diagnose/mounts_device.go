package diagnose

import (
	"fmt"
	"regexp"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// deviceName is one that a command may have in it: the node chooses the names.
var deviceName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]*$`)

func mountsDeviceErrorsRule() Rule {
	return Rule{
		ID: MountsDeviceErrors, find: mountsDeviceErrors,
		Title: "a volume is in use, and its device is broken",
		Page: Page{
			Means: "A pod uses a volume of which the disk was taken away, is offline, or has errors. It is no leak: whoever uses it reads errors, or loses what it writes, and does not always say so.",
			Computed: []string{
				"A finding for each volume in use with one of these: its device node was removed, the device is not in sysfs any more, has size 0, or is in state offline or dead; its filesystem counts errors (ext4, btrfs); lines of the kernel's log tell of errors of it.",
				"Of the log only the kernel's own lines count, which no process can write, and of these such as came after the device was attached or mounted: a name is given again.",
			},
			Source: []string{"/sys/dev/block/MAJOR:MINOR: size, device/state; /sys/fs/ext4/NAME/errors_count, last_error_time; /sys/fs/btrfs/UUID/devinfo", "syslog(2): facility and level of a line tell who wrote it"},
			Do: []string{
				"See what the kernel says of it: dmesg -T on the node.",
				"Save what can be read, stop the pods that use it, and have the filesystem checked (fsck) or the volume replaced.",
			},
			Fooled: []string{
				"ext4 counts errors over a filesystem's whole life, until fsck sets them back: the last one's time is told with them.",
				"The kernel's log is a ring: errors of long ago are no longer in it. Filesystems other than ext4 and btrfs keep no count.",
				"A disk that was pulled out and came back has another name: the old one stays broken for who has it mounted.",
			},
		},
	}
}

// mountsDeviceErrors: a volume that a pod uses, on a device that is broken. It is
// no leak: whoever uses it needs to know.
func mountsDeviceErrors(n *correlate.Node, limits Thresholds, _ []Finding) []Finding {
	if n.Report.Mounts == nil {
		return nil
	}
	var findings []Finding
	m := n.Mounts()
	for i := range m.Volumes {
		v := &m.Volumes[i]
		if len(v.Trouble) == 0 {
			continue
		}
		if len(findings) == ownersNamedMax {
			break
		}
		f := Finding{Severity: Warning, Summary: fmt.Sprintf("volume %s%s is in use, and its device is broken", v.Name, onDevice(v))}
		for _, r := range v.Trouble {
			f.Evidence = append(f.Evidence, r.Text)
		}
		for k := range v.Pods[:min(len(v.Pods), holdersNamedMax)] {
			f.Evidence = append(f.Evidence, Title(v.Pods[k])+" uses it")
		}
		if d := v.Device; d != nil && deviceName.MatchString(d.Name) {
			f.Remedy = append(f.Remedy, Step{Do: "see what the kernel says of it, on the node", Run: "dmesg -T | grep -w " + d.Name})
		}
		f.Remedy = append(f.Remedy, Step{Do: "save what can be read, stop the pods that use it, and have its filesystem checked or the volume replaced"})
		if len(v.Pods) > 0 {
			f.Subject = &v.Pods[0]
			f.Summary += ": " + Title(v.Pods[0])
		}
		findings = append(findings, f)
	}
	return findings
}
