package hostfs

import (
	"errors"
	"path"
	"strings"
)

// Sys reads sysfs. Nothing here touches a disk: these are the kernel's own
// names, numbers and counters.
type Sys struct{ proc *Proc }

// OpenSys opens f.Sys; its reads are under f.Guard, like those of Proc.
func OpenSys(f FS) (*Sys, error) {
	p, err := OpenProc(FS{Proc: f.Sys, Guard: f.Guard})
	return &Sys{p}, err
}

// Close closes the directory.
func (s *Sys) Close() { _ = s.proc.Close() }

// ErrMore says that a list is not complete.
var ErrMore = errors.New("more than are read")

// BlockDevices lists /sys/dev/block, limit at most: one link each. It fails by
// ErrMore where there are more.
func (s *Sys) BlockDevices(limit int) (list []BlockDevice, err error) {
	more := false
	_, err = s.proc.eachLink(s.proc.at("dev/block"), func(name, link []byte) bool {
		if more = len(list) == limit; more {
			return false
		}
		if d, ok := parseBlockLink(string(name), string(link)); ok {
			list = append(list, d)
		}
		return true
	})
	if more {
		err = ErrMore
	}
	return list, err
}

// Block reads an attribute of a block device, without its newline.
func (s *Sys) Block(device, attribute string) (string, error) {
	return s.Read(path.Join("class/block", toSysName(device), attribute))
}

// Read reads a file below /sys, without its newline.
func (s *Sys) Read(name string) (string, error) {
	b, err := s.proc.Read(name)
	return strings.TrimSuffix(string(b), "\n"), err
}

// Names lists a directory below /sys, limit names at most.
func (s *Sys) Names(dir string, limit int) (names []string, err error) {
	err = s.proc.eachEntry(s.proc.at(dir), func(name []byte) bool {
		names = append(names, string(name))
		return len(names) < limit
	})
	return names, err
}

// DMName is the device mapper's name of "dm-0": a logical volume, a multipath
// device; "" for others.
func (s *Sys) DMName(device string) string {
	if !strings.HasPrefix(device, "dm-") {
		return ""
	}
	name, _ := s.Block(device, "dm/name")
	return name
}

// BackingFile is the file behind a loop device, "" for others.
func (s *Sys) BackingFile(device string) string {
	if !strings.HasPrefix(device, "loop") {
		return ""
	}
	file, _ := s.Block(device, "loop/backing_file")
	return file
}

// maxStack bounds device mapper devices upon each other.
const maxStack = 4

// State is that of the disk behind a device: "running", "offline" of SCSI,
// "live", "dead" of NVMe; "" for a disk without one (virtio, loop, zram) and
// where a device mapper's device has several.
func (s *Sys) State(d BlockDevice) string { return s.state(d, maxStack) }

func (s *Sys) state(d BlockDevice, depth int) string {
	name := d.Name
	if d.Disk != "" {
		name = d.Disk
	}
	if !strings.HasPrefix(name, "dm-") {
		state, _ := s.Block(name, "device/state")
		return state
	}
	below, err := s.Names(path.Join("class/block", name, "slaves"), 2)
	if err != nil || len(below) != 1 || depth == 0 {
		return ""
	}
	lower := BlockDevice{Name: fromSysName(below[0])}
	if _, err := s.Block(lower.Name, "partition"); err == nil {
		lower.Disk = DiskOf(lower.Name)
	}
	return s.state(lower, depth-1)
}

// Sectors are where a partition begins on its disk and how long it is, in 512
// bytes.
func (s *Sys) Sectors(partition string) (start, size uint64, err error) {
	if start, err = s.number(path.Join("class/block", toSysName(partition), "start")); err == nil {
		size, err = s.number(path.Join("class/block", toSysName(partition), "size"))
	}
	return start, size, err
}

// SizeBytes is a device's size; 0 once its disk was taken away.
func (s *Sys) SizeBytes(device string) (uint64, error) {
	sectors, err := s.number(path.Join("class/block", toSysName(device), "size"))
	return sectors * 512, err
}
