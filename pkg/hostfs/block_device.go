package hostfs

import (
	"os"
	"path/filepath"
	"strings"
)

// BlockDevice is a disk, partition or the like, by sysfs.
type BlockDevice struct {
	Name   string // "dm-0"
	Number string // "253:0"
}

// BlockDevices lists the links of /sys/class/block, limit at most. Nothing here
// touches a disk: these are the kernel's own names and numbers.
func BlockDevices(f FS, limit int) ([]BlockDevice, error) {
	dir, err := os.Open(filepath.Join(f.Sys, "class/block"))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(limit)
	if len(names) == 0 {
		return nil, err
	}
	var list []BlockDevice
	for _, name := range names {
		if number := blockAttribute(f, name, "dev"); number != "" {
			list = append(list, BlockDevice{Name: strings.ReplaceAll(name, "!", "/"), Number: number})
		}
	}
	return list, nil
}

// DMName is the device mapper's name of "dm-0": a logical volume, a multipath
// device; "" for others.
func (d BlockDevice) DMName(f FS) string { return blockAttribute(f, d.Name, "dm/name") }

// BackingFile is the file behind a loop device, "" for others.
func (d BlockDevice) BackingFile(f FS) string { return blockAttribute(f, d.Name, "loop/backing_file") }

func blockAttribute(f FS, name, attribute string) string {
	name = strings.ReplaceAll(name, "/", "!")
	b, err := os.ReadFile(filepath.Join(f.Sys, "class/block", name, attribute))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(b), "\n")
}
