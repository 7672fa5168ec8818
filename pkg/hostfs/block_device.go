package hostfs

import "strings"

// BlockDevice is a disk, partition or the like, by sysfs.
type BlockDevice struct {
	Name   string // "dm-0", "cciss/c0d0"
	Number string // "253:0"
	Disk   string // of a partition, its disk's name
}

// parseBlockLink reads a link of /sys/dev/block, whose name is the number. A
// partition's directory lies in its disk's:
//
//	8:1 -> ../../devices/pci0000:00/…/block/sda/sda1
//	259:1 -> ../../devices/pci0000:00/…/nvme/nvme0/nvme0n1/nvme0n1p1
//	252:0 -> ../../devices/virtual/block/dm-0
func parseBlockLink(number, target string) (BlockDevice, bool) {
	dirs := strings.Split(target, "/")
	if len(dirs) < 2 || !isDeviceNumber(number) || dirs[len(dirs)-1] == "" {
		return BlockDevice{}, false
	}
	d := BlockDevice{Number: number, Name: fromSysName(dirs[len(dirs)-1])}
	parent := fromSysName(dirs[len(dirs)-2])
	if rest, below := strings.CutPrefix(d.Name, parent); below && isDecimal(strings.TrimPrefix(rest, "p")) {
		d.Disk = parent
	}
	return d, true
}

// In sysfs, and in the names of kernel threads, '!' stands for a name's '/'.
func fromSysName(name string) string { return strings.ReplaceAll(name, "!", "/") }
func toSysName(name string) string   { return strings.ReplaceAll(name, "/", "!") }

// isDeviceNumber: "253:0".
func isDeviceNumber(s string) bool {
	major, minor, ok := strings.Cut(s, ":")
	return ok && isDecimal(major) && isDecimal(minor)
}

func isDecimal(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// DiskOf is the disk of a partition by its name alone, "sda" of "sda1",
// "nvme0n1" of "nvme0n1p2" (disk_name() of block/partitions/core.c: a 'p' where
// the disk's name ends in a digit), "" for what is no partition.
func DiskOf(name string) string {
	disk := strings.TrimRight(name, "0123456789")
	if shorter, ok := strings.CutSuffix(disk, "p"); ok && strings.TrimRight(shorter, "0123456789") != shorter && shorter != "" && disk != name {
		return shorter
	}
	for _, kind := range [...]string{"sd", "vd", "xvd", "hd"} {
		if strings.HasPrefix(disk, kind) && disk != name {
			return disk
		}
	}
	return ""
}
