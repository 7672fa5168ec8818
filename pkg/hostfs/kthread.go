package hostfs

import "strings"

// commLength is what fits into comm, TASK_COMM_LEN without its NUL. Before
// Linux 5.17 a longer name of a kernel thread is cut there.
const commLength = 15

// threadKey is one reading of a kernel thread's name: how to find the device
// that it works for.
type threadKey struct {
	by   keyKind
	text string
}

type keyKind uint8

const (
	byName   keyKind = iota
	byNumber         // "253:0"
	byPrefix         // the beginning of a name that was cut
	// byController: all devices of an NVMe controller.
	byController
	// byWorker: a worker that writes something back for the device right now.
	byWorker
)

// threadKeys are the readings of a kernel thread's name, the surest first.
//
//	jbd2/vdfiw-8  jbd2-ckpt/vdfiw     ext4's journal; the number is its inode
//	xfsaild/sda1  xfs-conv/dm-0  kworker/R-xfs-buf/sda1  dio/vdfiw
//	loop0  md0_raid1  kdmflush/253:0  kcryptd/253:1  f2fs_gc-8:1  kworker/u4:1-flush-8:0
//	irq/34-nvme0q1                    a controller: all its namespaces
func threadKeys(comm string) []threadKey {
	name := comm
	if at := strings.LastIndexByte(name, '/'); strings.HasPrefix(name, "kworker/R-") {
		name = strings.TrimPrefix(name, "kworker/R-") // a workqueue's rescuer
	} else if strings.HasPrefix(name, "kworker/") { // a worker, and what it is doing
		_, doing, _ := strings.Cut(name[at:], "-")
		doing, _, _ = strings.Cut(doing, "+")
		if number, ok := strings.CutPrefix(doing, "flush-"); ok {
			return []threadKey{{byWorker, number}}
		}
		return nil
	}
	full := len(comm) == commLength
	prefix, tail, slash := strings.Cut(name, "/")
	switch {
	case name == "", slash && tail == "":
	case !slash:
		return plainKeys(name)
	case prefix == "jbd2":
		return journalKeys(tail, full)
	case prefix == "irq":
		_, of, _ := strings.Cut(tail, "-")
		if controller, _, _ := strings.Cut(of, "q"); len(controller) > len("nvme") {
			return []threadKey{{byController, controller}}
		}
	case isDeviceNumber(tail):
		return []threadKey{{byNumber, tail}}
	case namesDevice(prefix) && full:
		return []threadKey{{byName, tail}, {byPrefix, tail}}
	case namesDevice(prefix):
		return []threadKey{{byName, tail}}
	}
	return nil
}

// plainKeys are those of a name without a slash.
func plainKeys(name string) []threadKey {
	if strings.HasPrefix(name, "f2fs_") {
		return []threadKey{{byNumber, name[strings.LastIndexByte(name, '-')+1:]}}
	}
	keys := []threadKey{{byName, name}}
	if strings.HasPrefix(name, "md") { // md_home_raid1 is of md_home
		for i := range len(name) {
			if name[i] == '_' {
				keys = append(keys, threadKey{byName, name[:i]})
			}
		}
	}
	return keys
}

// journalKeys: "vdfiw-8"; a journal on a device of its own is called "vdfiw".
// Cut, "nvme0n1p1-" is the former, and "nvme10n1p1" may be of "nvme10n1p12".
func journalKeys(tail string, full bool) (keys []threadKey) {
	if at := strings.LastIndexByte(tail, '-'); at > 0 && (isDecimal(tail[at+1:]) || full && at == len(tail)-1) {
		keys = append(keys, threadKey{byName, tail[:at]})
	}
	if full {
		return append(keys, threadKey{byPrefix, tail})
	}
	return append(keys, threadKey{byName, tail})
}

func namesDevice(prefix string) bool {
	return prefix == "jbd2-ckpt" || prefix == "dio" || strings.HasPrefix(prefix, "xfs")
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
