package hostfs

import "strings"

// ParseDeviceStart is the device that a line of the kernel's log tells the
// beginning of: a disk was attached, or a filesystem mounted from it. What the
// log says of the same name before that is of another one, or over.
//
//	EXT4-fs (vdfiw): mounted filesystem with ordered data mode
//	XFS (dm-3): Mounting V5 Filesystem
//	BTRFS info (device sdb): first mount of filesystem 5b0f0b1c-…
//	vdfiw: detected capacity change from 0 to 5368709120
//	sd 2:0:0:0: [sdb] Attached SCSI disk
//	virtio_blk virtio5: [vdfiw] 10485760 512-byte logical blocks (5.37 GB/5.00 GiB)
func ParseDeviceStart(text string) (name string, ok bool) {
	switch head, rest, _ := strings.Cut(text, " ("); {
	case isFilesystem(head):
		inside, said, _ := strings.Cut(rest, ")")
		if !startsWithAny(said, ": mounted filesystem", ": Mounting V", ": first mount of") {
			return "", false
		}
		name = strings.TrimPrefix(inside, "device ")
	case startsWithAny(text, "sd ", "virtio_blk "):
		_, rest, _ := strings.Cut(text, " [")
		inside, said, _ := strings.Cut(rest, "]")
		grown := strings.HasPrefix(said, " new size")
		if strings.HasPrefix(said, " Attached SCSI") || text[0] == 'v' && !grown && strings.Contains(said, "-byte logical blocks") {
			name = inside
		}
	default:
		before, change, _ := strings.Cut(text, ": detected capacity change from ")
		if strings.HasPrefix(change, "0 to ") && change != "0 to 0" {
			name = before
		}
	}
	name = fromSysName(name)
	return name, isDeviceName(name)
}

func startsWithAny(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
