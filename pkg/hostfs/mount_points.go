package hostfs

import "strings"

// Mount is where a filesystem is mounted.
type Mount struct {
	Point  string
	FSType string
}

func (m *MountLine) mount() Mount {
	return Mount{Point: Unmangle(m.Point), FSType: Unmangle(m.FSType)}
}

// mountPoints tells what is mounted where, for thousands of questions.
type mountPoints map[string]string

// newMountPoints: of mounts at one point the last made counts.
func newMountPoints(mounts []Mount) mountPoints {
	points := make(mountPoints, len(mounts))
	for _, m := range mounts {
		points[m.Point] = m.FSType
	}
	return points
}

// fstypeAt is the type of the filesystem that a clean path lies on, that of the
// nearest mount point above it.
func (p mountPoints) fstypeAt(path string) string {
	fstype := ""
	EachParent(path, func(parent string) bool {
		t, mounted := p[parent]
		fstype = t
		return !mounted
	})
	return fstype
}

// EachParent calls fn with a clean path, its parent, and so on to "/", until fn
// returns false.
func EachParent(path string, fn func(string) bool) {
	for path != "" && path != "/" {
		if !fn(path) {
			return
		}
		path = path[:max(0, strings.LastIndexByte(path, '/'))]
	}
	fn("/")
}

// Remote says whether reading a file of this filesystem may wait for somebody
// else, a server or a daemon, and so for ever.
func Remote(fstype string) bool {
	for _, t := range []string{"nfs", "cifs", "smb", "fuse", "ceph", "9p", "afs", "lustre", "gluster", "autofs", "beegfs", "gpfs", "orangefs", "ocfs2", "gfs2", "virtiofs", "panfs", "pvfs2", "coda", "vboxsf", "prl_fs", "vmhgfs", "wekafs", "cvfs", "acfs"} {
		if strings.HasPrefix(fstype, t) {
			return true
		}
	}
	return false
}

// Local says whether a filesystem is known to tell a file's type out of memory:
// those of Linux itself without a server, a daemon or a cluster behind them.
// What is not known may have any of these.
func Local(fstype string) bool {
	switch fstype {
	case "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "exfat", "iso9660", "udf", "squashfs", "erofs", "overlay",
		"tmpfs", "ramfs", "rootfs", "devtmpfs", "devpts", "hugetlbfs", "mqueue", "proc", "sysfs", "cgroup", "cgroup2",
		"bpf", "debugfs", "tracefs", "securityfs", "selinuxfs", "configfs", "pstore", "efivarfs", "binfmt_misc", "nsfs":
		return true
	}
	return false
}
