package printer

import (
	"fmt"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// mountsShown bounds the mounts of one device; wide shows all that are known.
const mountsShown = 4

// deviceLines lead from a kernel thread's device to the volume and the pod.
func deviceLines(devices []correlate.Device, s Style) [][2]string {
	var lines [][2]string
	for _, d := range devices {
		lines = append(lines, [2]string{"device", deviceText(d, s)})
		if d.MountsTotal == 0 {
			lines = append(lines, [2]string{"mounted", "nowhere in the node's own mount namespace"})
		}
		shown := d.Mounts
		if !s.Wide {
			shown = shown[:min(len(shown), mountsShown)]
		}
		volumes := map[string]bool{}
		for _, m := range shown {
			lines = append(lines, [2]string{"mounted", m.FSType + " " + m.Point})
		}
		if more := d.MountsTotal - len(shown); more > 0 && len(shown) > 0 {
			lines = append(lines, [2]string{"mounted", fmt.Sprintf("%d times more", more)})
		}
		for _, m := range d.Mounts {
			if text := volumeText(m, s); text != "" && !volumes[text] && len(volumes) < mountsShown {
				volumes[text] = true
				lines = append(lines, [2]string{"volume", text})
			}
		}
	}
	return lines
}

func deviceText(d correlate.Device, s Style) string {
	text := s.bold()(d.Name) + " " + d.Number
	if d.DMName != "" {
		text += ", " + d.DMName
	}
	if d.BackingFile != "" {
		text += ", backed by " + d.BackingFile
	}
	if d.Guessed {
		text += " (or another: the thread's name is cut at 15 characters)"
	}
	return text
}

func volumeText(m correlate.MountedAt, s Style) string {
	if m.Volume == nil {
		return ""
	}
	var parts []string
	if m.Volume.Volume != "" {
		parts = append(parts, s.bold()(m.Volume.Volume))
	}
	if m.Volume.Plugin != "" {
		parts = append(parts, "of "+strings.ReplaceAll(m.Volume.Plugin, "~", "/"))
	}
	switch {
	case m.Pod != nil:
		pod := "in pod " + s.bold()(strings.TrimPrefix(ownerCell(*m.Pod), "pod "))
		if m.Pod.Workload != "" {
			pod += " of " + m.Pod.Workload
		}
		parts = append(parts, pod)
	case m.Volume.Global:
		parts = append(parts, "mounted for the node, before it is bound into pods")
	}
	return strings.Join(parts, " ")
}
