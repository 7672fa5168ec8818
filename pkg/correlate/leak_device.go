package correlate

import (
	"fmt"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// judgeDevice looks at the device. Errors alone decide nothing: the kernel
// counts them over a filesystem's whole life.
func (j *mountJoin) judgeDevice(v *volume, g *judgement) {
	for _, r := range j.deviceReasons(v) {
		g.reasons = append(g.reasons, r)
		g.decided = g.decided || r.Reason != DeviceErrors
	}
}

// deviceReasons say what is wrong with a volume's device, whoever uses it.
func (j *mountJoin) deviceReasons(v *volume) []Reason {
	var g judgement
	for _, i := range v.mounts {
		if m := &j.list[i]; v.block && j.at[i].path.Block && strings.HasSuffix(m.Root, "//deleted") {
			g.because(DeviceGone, "device node %s was removed", strings.TrimSuffix(m.Root, "//deleted"))
			break
		}
	}
	d := v.device
	if d == nil {
		return g.reasons
	}
	name := deviceTitle(d)
	switch {
	case d.Gone:
		g.because(DeviceGone, "device %s is not in sysfs any more", name)
	case d.SizeBytes != nil && *d.SizeBytes == 0:
		g.because(DeviceEmpty, "device %s has size 0: the disk was taken away", name)
	case d.State == "offline" || d.State == "dead":
		g.because(DeviceErrors, "the disk of device %s is %s", name, d.State)
	}
	if d.FSErrors != nil && *d.FSErrors > 0 {
		text := "the filesystem on " + name + " counts " + counted(int(min(*d.FSErrors, 1<<31)), "error", "errors")
		if last := time.Unix(d.LastErrorAt, 0).UTC(); d.LastErrorAt > 0 && inCalendar(last) {
			text += ", the last at " + last.Format(time.DateTime) + " UTC"
		}
		g.because(DeviceErrors, "%s", text)
	}
	if d.LogErrors > 0 {
		text := fmt.Sprintf("%s of the kernel's log on errors of %s", counted(d.LogErrors, "line", "lines"), name)
		if d.LogSample != "" {
			text += ", e.g. " + d.LogSample
		}
		g.because(DeviceErrors, "%s", text)
	}
	return g.reasons
}

func deviceTitle(d *report.Device) string {
	if d.Name == "" {
		return d.Number
	}
	return d.Name
}
