package hostfs

import "strings"

// commLength is what fits into comm, TASK_COMM_LEN without its NUL. Before
// Linux 5.17 a longer name of a kernel thread is cut there.
const commLength = 15

// ThreadDevice says whether a kernel thread's name is that of a device's thread.
// device is the kernel's name, "dm-0", and number its "253:0". Where the name
// was cut, every device fits that it could have gone on with, and cut says so.
//
//	jbd2/vdfiw-8  jbd2-ckpt/vdfiw     ext4's journal; the number is its inode
//	xfsaild/sda1  xfs-conv/dm-0  kworker/R-xfs-buf/sda1
//	loop0  md0_raid1  kdmflush/253:0  kcryptd/253:1  f2fs_gc-8:1  kworker/u4:1-flush-8:0
//	irq/34-nvme0q1                    a controller: all its namespaces
func ThreadDevice(comm, device, number string) (match, cut bool) {
	name := comm
	if at := strings.LastIndexByte(name, '/'); strings.HasPrefix(name, "kworker/R-") {
		name = strings.TrimPrefix(name, "kworker/R-") // a workqueue's rescuer
	} else if strings.HasPrefix(name, "kworker/") { // a worker, and what it is doing
		_, doing, _ := strings.Cut(name[at:], "-")
		doing, _, _ = strings.Cut(doing, "+")
		return doing != "" && doing == "flush-"+number, false
	}
	device = strings.ReplaceAll(device, "/", "!")
	prefix, tail, slash := strings.Cut(name, "/")
	switch {
	case prefix == "jbd2" && slash:
		return journalOf(tail, device, len(comm) == commLength)
	case prefix == "irq" && slash:
		_, of, _ := strings.Cut(tail, "-")
		controller, _, _ := strings.Cut(of, "q")
		return len(controller) > len("nvme") && strings.HasPrefix(device, controller+"n"), false
	case slash && tail == number:
		return true, false
	case slash && tail != "" && namesDevice(prefix):
		if tail == device {
			return true, false
		}
		return len(comm) == commLength && strings.HasPrefix(device, tail), true
	}
	return name == device && number != "" || strings.HasPrefix(name, device+"_") && strings.HasPrefix(device, "md") ||
		strings.HasPrefix(name, "f2fs_") && strings.HasSuffix(name, "-"+number), false
}

// journalOf: "vdfiw-8"; cut, also "nvme0n1p1-" and "nvme10n1p1" of "nvme10n1p12".
func journalOf(tail, device string, full bool) (match, cut bool) {
	if tail == device && !full { // a journal on a device of its own
		return true, false
	}
	if inode, ok := strings.CutPrefix(tail, device+"-"); ok {
		return strings.Trim(inode, "0123456789") == "", false
	}
	return full && strings.HasPrefix(device+"-", tail), true
}

func namesDevice(prefix string) bool {
	return prefix == "jbd2-ckpt" || strings.HasPrefix(prefix, "xfs")
}

// ThreadFSType is the filesystem whose threads have a name without a device in
// it: as many of them as such filesystems are mounted.
func ThreadFSType(comm string) string {
	name := strings.TrimPrefix(comm, "kworker/R-")
	for prefix, fstype := range map[string]string{"ext4-rsv": "ext4", "btrfs-": "btrfs"} {
		if strings.HasPrefix(name, prefix) && !strings.Contains(name, "/") {
			return fstype
		}
	}
	return ""
}
