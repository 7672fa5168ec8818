package correlate

import (
	"fmt"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Device is what a kernel thread works for.
type Device struct {
	Name   string `json:"name"`
	Number string `json:"number"`
	// Guessed: the thread's name is cut, and other devices fit too.
	Guessed     bool        `json:"guessed,omitempty"`
	DMName      string      `json:"dmName,omitempty"`
	BackingFile string      `json:"backingFile,omitempty"`
	Mounts      []MountedAt `json:"mounts,omitempty"`
	// MountsTotal counts those left out of Mounts too.
	MountsTotal int `json:"mountsTotal"`
}

// MountedAt is one place where a device is mounted, and whose that is.
type MountedAt struct {
	report.DeviceMount
	Volume *VolumePath `json:"volume,omitempty"`
	// Pod uses it there.
	Pod *Owner `json:"pod,omitempty"`
}

// devices are those behind a kernel thread.
func (n *Node) devices(pid int) []Device {
	if n.Report.Background == nil {
		return nil
	}
	var list []Device
	for _, d := range n.Report.Background.Devices {
		if d.PID != pid {
			continue
		}
		device := Device{Name: d.Name, Number: d.Number, Guessed: d.Guessed, DMName: d.DMName, BackingFile: d.BackingFile,
			MountsTotal: max(d.MountsTotal, len(d.Mounts))}
		for _, m := range d.Mounts {
			device.Mounts = append(device.Mounts, n.mountedAt(m))
		}
		list = append(list, device)
	}
	return list
}

func (n *Node) mountedAt(m report.DeviceMount) MountedAt {
	at := MountedAt{DeviceMount: m}
	if v, ok := parseVolumePath(m.Point); ok {
		at.Volume = &v
		if v.PodUID != "" {
			pod := n.podOwner(v.PodUID, "", report.Container{})
			at.Pod = &pod
		}
	}
	return at
}

// threadNotes say what a kernel thread's name does not.
func (n *Node) threadNotes(p *report.Process, devices []Device) []string {
	b := n.Report.Background
	if b == nil || p.Detail == nil || len(devices) > 0 {
		return nil
	}
	name := strings.TrimPrefix(p.Comm, "kworker/R-")
	for _, m := range b.Mounted {
		if strings.HasPrefix(name, m.Name+"-") {
			return []string{fmt.Sprintf("its name has no device in it: every mounted %s has such a thread; %s mounted with it", m.Name, counted(m.Count, "device is", "devices are"))}
		}
	}
	return nil
}

func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
