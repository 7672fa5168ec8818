package correlate

import (
	"slices"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// deviceIndex finds a device by the name that a kernel thread has of it.
type deviceIndex struct {
	byName   map[string]*report.Device
	byNumber map[string]*report.Device
	names    []string // sorted
	// mounts of the host's namespace, by the device's number; nil: unknown.
	mounts map[string][]report.Mount
	// volumes by the device's number; nil: nobody has judged them.
	volumes map[string]*Volume
}

func (n *Node) newDeviceIndex() *deviceIndex {
	x := &deviceIndex{byName: map[string]*report.Device{}, byNumber: map[string]*report.Device{}, volumes: n.volumesByDevice()}
	if r := n.Report.Devices; r != nil {
		for i := range r.List {
			x.add(&r.List[i])
		}
	}
	if r := n.Report.Mounts; r != nil {
		x.mounts = map[string][]report.Mount{}
		for _, fs := range r.Filesystems {
			// Also of a device that was taken away while it was mounted.
			if name, ok := strings.CutPrefix(fs.Source, "/dev/"); ok && !strings.HasPrefix(fs.Number, "0:") {
				x.add(&report.Device{Number: fs.Number, Name: name})
			}
		}
		for _, m := range r.List {
			if m.FS >= 0 && m.FS < len(r.Filesystems) {
				number := r.Filesystems[m.FS].Number
				x.mounts[number] = append(x.mounts[number], m)
			}
		}
	}
	for name := range x.byName {
		x.names = append(x.names, name)
	}
	slices.Sort(x.names)
	return x
}

// add: the first word on a name or number stays.
func (x *deviceIndex) add(d *report.Device) {
	if d.Name != "" && x.byName[d.Name] == nil {
		x.byName[d.Name] = d
	}
	if x.byNumber[d.Number] == nil {
		x.byNumber[d.Number] = d
	}
}

// find is the device of that name or number. Of a cut name the one that goes on
// so counts where it is the only one.
func (x *deviceIndex) find(t report.ThreadDeviceName) TaskDevice {
	out := TaskDevice{Name: t.Name}
	d := x.byName[t.Name]
	if strings.Contains(t.Name, ":") {
		d = x.byNumber[t.Name]
	}
	if t.Cut {
		at, exact := slices.BinarySearch(x.names, t.Name)
		fits := 0
		for i := at; fits < 2 && i < len(x.names) && strings.HasPrefix(x.names[i], t.Name); i++ {
			fits++
		}
		switch {
		case fits == 1:
			d, out.Guessed = x.byName[x.names[at]], !exact
		case fits > 1 && !exact:
			d = nil
		case fits > 1:
			out.Guessed = true
		}
	}
	if d != nil {
		out.Number, out.DMName, out.Gone, out.Detached = d.Number, d.DMName, d.Gone, d.Detached
		if out.Guessed || strings.Contains(t.Name, ":") && d.Name != "" {
			out.Name = d.Name
		}
	}
	return out
}

// volumesByDevice are the volumes with a device, by its number; nil where nothing
// is known of volumes. Of several on one device that counts which is still used.
func (n *Node) volumesByDevice() map[string]*Volume {
	if n.Report.Mounts == nil {
		return nil
	}
	byNumber := map[string]*Volume{}
	volumes := n.Mounts().Volumes
	for i := range volumes {
		v := &volumes[i]
		number := ""
		if v.Device != nil {
			number = v.Device.Number
		} else if len(v.Mounts) > 0 {
			number = v.Mounts[0].Number
		}
		if number == "" || strings.HasPrefix(number, "0:") {
			continue
		}
		if known := byNumber[number]; known == nil || need(v.State) > need(known.State) {
			byNumber[number] = v
		}
	}
	return byNumber
}

func need(s VolumeState) int {
	switch s {
	case VolumeLive:
		return 2
	case VolumeUnknown:
		return 1
	}
	return 0
}
