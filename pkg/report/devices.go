package report

// Devices are the block devices that are mounted, or that kernel threads work
// for, whether they are still there or not.
type Devices struct {
	List []Device `json:"list,omitempty"`
	// Detached are processes with files open on mounts that are in no mount
	// namespace. They are sought where a device is Detached; which of them is on
	// which device nothing tells. A working directory, a root or a mapped file is
	// not among them: only touching it would tell.
	Detached []DetachedUse `json:"detached,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// Device is a block device as sysfs, the kernel's threads and its log tell. No
// device is ever opened.
type Device struct {
	Number string `json:"number"` // "253:0", major:minor
	Name   string `json:"name,omitempty"`
	// FSNumber is Filesystem.Number of what is mounted from it, where that is not
	// Number: btrfs has one of its own.
	FSNumber string `json:"fsNumber,omitempty"`
	// Gone: it is mounted, and /sys/dev/block has no such device.
	Gone bool `json:"gone,omitempty"`
	// SizeBytes is 0 for a disk that was taken away; nil: unreadable.
	SizeBytes *uint64 `json:"sizeBytes,omitempty"`
	// State is that of the disk behind it, "running", "offline" (SCSI), "dead"
	// (NVMe); "" where it has none.
	State string `json:"state,omitempty"`
	// DMName is the device mapper's name, BackingFile that of a loop device.
	DMName      string `json:"dmName,omitempty"`
	BackingFile string `json:"backingFile,omitempty"`
	// FSErrors is what the filesystem counts (/sys/fs/ext4/NAME/errors_count and
	// the like), with the times of the first and last, seconds since 1970; nil:
	// it does not count.
	FSErrors     *uint64 `json:"fsErrors,omitempty"`
	FirstErrorAt int64   `json:"firstErrorAt,omitempty"`
	LastErrorAt  int64   `json:"lastErrorAt,omitempty"`
	// LogErrors counts lines of the kernel's log that tell of errors of this
	// device since it was attached, mounted, or threads work for it, whatever is
	// known; LogSample is the last one.
	LogErrors int    `json:"logErrors,omitempty"`
	LogSample string `json:"logSample,omitempty"`
	// Threads counts the kernel threads that work for it, ThreadsSince is the
	// start of the oldest in Node.ClockTicks after boot: of a filesystem's
	// threads that is when it was mounted. Guessed: their names are cut, and
	// fit other devices, too.
	Threads      int    `json:"threads,omitempty"`
	ThreadsSince uint64 `json:"threadsSince,omitempty"`
	Guessed      bool   `json:"guessed,omitempty"`
	// Detached is the type of a filesystem that the kernel keeps on it, and that is
	// mounted in no namespace that a process lives in; ext4 stands for ext2 and ext3,
	// too. What was unmounted by umount -l stays so while somebody uses it, and every
	// umount is so for the moment in which it writes back.
	Detached string `json:"detached,omitempty"`
}

// DetachedUse is a process with Count files open on one mount that is nowhere.
type DetachedUse struct {
	PID   int    `json:"pid"`
	Mount int    `json:"mount"` // mnt_id of /proc/PID/fdinfo
	Count int    `json:"count"`
	Path  string `json:"path,omitempty"` // one of them, from the mount's root
}
