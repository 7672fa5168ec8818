package hostfs

import "path"

// ActiveFS is a filesystem that the kernel keeps, mounted or not: a mount that
// was detached (umount -l) keeps it as long as somebody uses what is on it.
type ActiveFS struct {
	Type    string
	Devices []string // by the kernel's names; btrfs may have several
}

// maxActiveFS bounds the filesystems of one type.
const maxActiveFS = 65_536

// ActiveFilesystems are those on block devices that have a directory in sysfs
// from their mount to their end: /sys/fs/{ext4,xfs,f2fs}/DEVICE and
// /sys/fs/btrfs/UUID/devices/DEVICE. ext4 stands for ext2 and ext3, too. Other
// names in there ("features", "stats") are no device's, which the caller knows.
func (s *Sys) ActiveFilesystems() (list []ActiveFS) {
	for _, fstype := range [...]string{"ext4", "xfs", "f2fs"} {
		names, _ := s.Names(path.Join("fs", fstype), maxActiveFS) // this kernel may not have it
		for _, name := range names {
			list = append(list, ActiveFS{fstype, []string{fromSysName(name)}})
		}
	}
	all, _ := s.Names("fs/btrfs", maxBtrfs)
	for _, uuid := range all {
		names, err := s.Names(path.Join("fs/btrfs", uuid, "devices"), maxBtrfs)
		if err != nil || len(names) == 0 {
			continue
		}
		for i := range names {
			names[i] = fromSysName(names[i])
		}
		list = append(list, ActiveFS{"btrfs", names})
	}
	return list
}
