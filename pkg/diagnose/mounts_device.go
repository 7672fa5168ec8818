package diagnose

import (
	"fmt"
	"regexp"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// deviceName is one that a command may have in it: the node chooses the names.
var deviceName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]*$`)

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
		if len(findings) == descriptorsPerFindingMax {
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
