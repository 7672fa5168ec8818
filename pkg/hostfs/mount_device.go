package hostfs

import "io"

// Mount is where a filesystem is mounted.
type Mount struct {
	Point  string
	FSType string
}

// DeviceMount is a line of mountinfo with its device.
type DeviceMount struct {
	Number string // "253:0", major:minor
	Root   string // the mounted directory within the filesystem
	Mount
	Source string
}

// EachMount calls fn for every line of mountinfo, as EachMountLine does, with
// its escapes decoded.
func EachMount(r io.Reader, fn func(DeviceMount)) (skipped int, err error) {
	return EachMountLine(r, func(m *MountLine) { fn(m.device()) })
}

func (m *MountLine) device() DeviceMount {
	return DeviceMount{Number: DeviceNumber(m.Major, m.Minor), Root: Unmangle(m.Root), Mount: m.mount(), Source: Unmangle(m.Source)}
}

func (m *MountLine) mount() Mount {
	return Mount{Point: Unmangle(m.Point), FSType: Unmangle(m.FSType)}
}
