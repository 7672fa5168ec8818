package correlate

import (
	"cmp"
	"slices"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// KernelGroup are kernel threads of one sort.
type KernelGroup struct {
	Pattern string `json:"pattern"`
	Threads int    `json:"threads"`
	// Devices counts those that their names tell apart; 0: they name none. Of
	// these Mounted are mounted in the host's namespace, Leaked belong to leaked
	// volumes; nil: that could not be told.
	Devices int  `json:"devices,omitempty"`
	Mounted *int `json:"mounted,omitempty"`
	Leaked  *int `json:"leaked,omitempty"`
	Blocked int  `json:"blocked,omitempty"`
	Sample  int  `json:"sample"` // the pid of one
	// Owners are the pods with the most of the devices.
	Owners []DeviceCount `json:"owners,omitempty"`
}

// DeviceCount is how many devices an owner uses.
type DeviceCount struct {
	Owner   Owner `json:"owner"`
	Devices int   `json:"devices"`
}

// TaskDevice is a device that kernel threads work for.
type TaskDevice struct {
	Name    string `json:"name"`             // as the threads have it
	Number  string `json:"number,omitempty"` // "" where no device of the node fits
	Threads int    `json:"threads"`
	// Guessed: the threads' names are cut, and this is the one device that fits.
	Guessed bool   `json:"guessed,omitempty"`
	DMName  string `json:"dmName,omitempty"`
	Gone    bool   `json:"gone,omitempty"`
	// Detached is the type of a filesystem that is mounted nowhere, and that the
	// kernel keeps for who uses it.
	Detached string `json:"detached,omitempty"`
	// Mounts counts those of the host's namespace, nil: they could not be read.
	// Point is one of them, the volume's where there is one.
	Mounts *int   `json:"mounts,omitempty"`
	Point  string `json:"point,omitempty"`
	// VolumeName is that of the volume that lies on it, "" for the host's own.
	VolumeName string      `json:"volumeName,omitempty"`
	Volume     *VolumePath `json:"volume,omitempty"`
	// Pod uses it there.
	Pod *Owner `json:"pod,omitempty"`
	// State says whether anybody needs the volume; "" where nobody asked.
	State VolumeState `json:"state,omitempty"`
}

// kernelGroups joins the groups with devices, these with mounts and volumes.
func (n *Node) kernelGroups() ([]KernelGroup, []TaskDevice) {
	x := n.newDeviceIndex()
	devices := map[string]*TaskDevice{} // by number, else name
	groups := make([]KernelGroup, 0, len(n.Report.Tasks.KernelThreads))
	for _, g := range n.Report.Tasks.KernelThreads {
		out := KernelGroup{Pattern: g.Pattern, Threads: g.Count, Devices: g.Devices, Blocked: g.Blocked, Sample: g.Sample}
		mounted, leaked, judged := 0, 0, 0
		owners := map[Owner]int{}
		for _, name := range g.Names {
			found := x.find(name)
			key := cmp.Or(found.Number, found.Name)
			d := devices[key]
			if d == nil {
				d = &found
				n.whatMounted(x, d)
				devices[key] = d
			}
			d.Threads += max(name.Threads, 1)
			if d.Mounts != nil && *d.Mounts > 0 {
				mounted++
			}
			switch d.State {
			case VolumeLeaked:
				leaked++
				judged++
			case VolumeLive:
				judged++
			}
			if d.Pod != nil {
				owners[*d.Pod]++
			}
		}
		if g.Devices > 0 && x.mounts != nil {
			out.Mounted = &mounted
		}
		if judged > 0 {
			out.Leaked = &leaked
		}
		out.Owners = countedOwners(owners)
		groups = append(groups, out)
	}
	return groups, sortedDevices(devices)
}

func countedOwners(counts map[Owner]int) []DeviceCount {
	list := make([]DeviceCount, 0, len(counts))
	for o, count := range counts {
		list = append(list, DeviceCount{o, count})
	}
	slices.SortFunc(list, func(a, b DeviceCount) int {
		return cmp.Or(b.Devices-a.Devices, cmp.Compare(a.Owner.Name(), b.Owner.Name()), cmp.Compare(a.Owner.PodUID, b.Owner.PodUID))
	})
	const most = 5
	return list[:min(most, len(list))]
}

func sortedDevices(devices map[string]*TaskDevice) []TaskDevice {
	list := make([]TaskDevice, 0, len(devices))
	for _, d := range devices {
		list = append(list, *d)
	}
	slices.SortFunc(list, func(a, b TaskDevice) int {
		return cmp.Or(b.Threads-a.Threads, count(b.Mounts)-count(a.Mounts), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Number, b.Number))
	})
	return list
}

func count(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// whatMounted says where a device is mounted, and for whom.
func (n *Node) whatMounted(x *deviceIndex, d *TaskDevice) {
	if x.mounts != nil {
		d.Mounts = new(len(x.mounts[d.Number]))
	}
	for _, m := range x.mounts[d.Number] {
		if d.Point == "" {
			d.Point = m.Point
		}
		v, ok := parseVolumePath(m.Point)
		if !ok || d.Pod != nil {
			continue
		}
		d.Point, d.Volume = m.Point, &v
		if v.PodUID != "" {
			pod := n.podOwner(v.PodUID, "", report.Container{})
			d.Pod = &pod
		}
	}
	if d.Volume != nil {
		d.VolumeName = d.Volume.Volume
	}
	if v := x.volumes[d.Number]; v != nil {
		d.State, d.VolumeName = v.State, v.Name
		if d.Pod == nil && len(v.Pods) > 0 {
			d.Pod = &v.Pods[0]
		}
	}
}

func (n *Node) devicesShown(devices []TaskDevice, f Filter) []TaskDevice {
	return slices.DeleteFunc(devices, func(d TaskDevice) bool { return d.Pod == nil || !n.Shows(f, *d.Pod) })
}
