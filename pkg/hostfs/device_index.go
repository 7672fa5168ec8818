package hostfs

import (
	"sort"
	"strings"
)

// DeviceIndex finds a device by the name of a kernel thread: a node has had
// 6,385 devices and 19,798 threads.
type DeviceIndex struct {
	devices []BlockDevice
	// Names are as in sysfs. A name may be there twice: that of a disk that was
	// pulled while it was mounted is given to another.
	byName   map[string][]int
	byNumber map[string]int
	sorted   []int // by name
}

// ThreadDevice is a device that a kernel thread works for, by its index.
type ThreadDevice struct {
	Device int
	// Guessed: the thread's name is cut, and goes on like this in one reading.
	Guessed bool
	// Shared: the thread is no device's own: a worker that writes back for it
	// right now, an interrupt of its NVMe controller.
	Shared bool
}

// NewDeviceIndex is one of these devices.
func NewDeviceIndex(devices []BlockDevice) *DeviceIndex {
	x := &DeviceIndex{devices: devices, byName: map[string][]int{}, byNumber: map[string]int{}, sorted: make([]int, len(devices))}
	for i, d := range devices {
		name := toSysName(d.Name)
		x.byName[name] = append(x.byName[name], i)
		x.byNumber[d.Number] = i
		x.sorted[i] = i
	}
	sort.Slice(x.sorted, func(i, j int) bool { return x.name(i) < x.name(j) })
	return x
}

func (x *DeviceIndex) name(i int) string { return toSysName(x.devices[x.sorted[i]].Name) }

// Of are the devices that a kernel thread's name is that of, each once.
func (x *DeviceIndex) Of(comm string) (found []ThreadDevice) {
	add := func(i int, guessed, shared bool) {
		for _, f := range found {
			if f.Device == i {
				return
			}
		}
		found = append(found, ThreadDevice{i, guessed, shared})
	}
	for _, key := range threadKeys(comm) {
		switch key.by {
		case byName:
			for _, i := range x.byName[key.text] {
				add(i, false, false)
			}
		case byNumber, byWorker:
			if i, ok := x.byNumber[key.text]; ok {
				add(i, false, key.by == byWorker)
			}
		case byPrefix:
			x.eachWithPrefix(key.text, func(i int) { add(i, true, false) })
		case byController:
			x.eachWithPrefix(key.text+"n", func(i int) { add(i, false, true) })
		}
	}
	return found
}

// maxGuesses bounds the devices of one name: of 3.10's "xfs-eofblocks/d" all
// those of the device mapper.
const maxGuesses = 1024

func (x *DeviceIndex) eachWithPrefix(prefix string, fn func(int)) {
	from := sort.Search(len(x.sorted), func(i int) bool { return x.name(i) >= prefix })
	for i := from; i < min(len(x.sorted), from+maxGuesses) && strings.HasPrefix(x.name(i), prefix); i++ {
		fn(x.sorted[i])
	}
}
