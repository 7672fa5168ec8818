package report

// Mounts are the node's mounts: those of the host's namespace one by one, those
// of all others summed up.
type Mounts struct {
	// Method tells how the other namespaces were read: "statmount" (listmount(2)
	// and statmount(2) of a foreign namespace) or "mountinfo".
	Method string `json:"method,omitempty"`
	// Filesystems are the distinct ones that are mounted anywhere. Mount.FS and
	// IndexSets are indices into it.
	Filesystems []Filesystem `json:"filesystems,omitempty"`
	// List are the mounts of the host's namespace, in the kernel's order but that
	// each comes after the one that it is mounted upon.
	List []Mount `json:"list,omitempty"`
	// Left counts mounts beyond what a report holds, Skipped lines that are too
	// long or of another form. Torn: two readings differed (before Linux 5.8), or a
	// line was there twice; List has what either had.
	Left    int  `json:"left,omitempty"`
	Skipped int  `json:"skipped,omitempty"`
	Torn    bool `json:"torn,omitempty"`
	// Namespaces are all mount namespaces that a process lives in, the host's
	// first.
	Namespaces []MountNamespace `json:"namespaces,omitempty"`
	// Uses are processes with something open or at work on a volume.
	Uses []MountUse `json:"uses,omitempty"`
	// VolumeData are the CSI plugin's notes beside its mount points.
	VolumeData []VolumeData `json:"volumeData,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// Filesystem is one superblock, by its device number: the third field of
// proc_pid_mountinfo(5), and stat(2)'s st_dev but for btrfs.
type Filesystem struct {
	Number string `json:"number"` // "major:minor"; major 0 has no device
	Type   string `json:"type"`
	// Source as it was first seen: "/dev/vdf", "server:/export", "tmpfs".
	Source string `json:"source,omitempty"`
}

// Mount is a line of the host's mountinfo. Text is as the kernel has it, its
// octal escapes decoded.
type Mount struct {
	ID     int `json:"id"`
	Parent int `json:"parent"`
	FS     int `json:"fs"` // index into Filesystems
	// Root is the mounted directory within the filesystem; "" stands for "/", which
	// NFS says of all.
	Root string `json:"root,omitempty"`
	// Source is set where it is not the filesystem's: exports of one server are one
	// filesystem to NFS, directories of one share to CIFS.
	Source string `json:"source,omitempty"`
	Point  string `json:"point"`
	// Shared is the peer group, Master that from which it receives; 0: none.
	Shared int `json:"shared,omitempty"`
	Master int `json:"master,omitempty"`
}

// MountNamespace is one mount namespace that processes live in.
type MountNamespace struct {
	Inode uint64 `json:"inode"`
	// Host: its mounts are in List. Kubelet: it is not the node's own but the
	// kubelet's, which has its volumes where the node's first process does not see
	// them.
	Host    bool `json:"host,omitempty"`
	Kubelet bool `json:"kubelet,omitempty"`
	// PID is the lowest one in it, Processes how many live there.
	PID       int `json:"pid"`
	Processes int `json:"processes"`
	// Mounts counts all of it; nil: it could not be read.
	Mounts *int `json:"mounts,omitempty"`
	// Groups are all its mounts but those of the host's namespace, which are in
	// List.
	Groups []MountGroup `json:"groups,omitempty"`
}

// MountGroup are the mounts at and below one place of a namespace: a volume of
// a container, and whatever propagation let in beneath it. A namespace whose root
// is the host's, as of a service with PrivateTmp, is one group with the entry "/".
type MountGroup struct {
	// Entry is the topmost mount point below the namespace's root, as the
	// processes in there see it; "/" for the root itself.
	Entry string `json:"entry"`
	// Receives: the entry is a slave or shared mount, so that what is mounted
	// there on the host comes in; that is its volumeMount's propagation.
	Receives bool `json:"receives,omitempty"`
	Shared   bool `json:"shared,omitempty"`
	Mounts   int  `json:"mounts"`
	// Filesystems that are mounted in it, indices into Mounts.Filesystems.
	Filesystems IndexSet `json:"filesystems"`
	// Sample is a mount point in it, the last made of the deepest; "" where there
	// is only the entry.
	Sample string `json:"sample,omitempty"`
}

// MountUse is a process at work on a filesystem.
type MountUse struct {
	PID int `json:"pid"`
	FS  int `json:"fs"`
	// What: cwd, root, exe or fd.
	What  string `json:"what"`
	Count int    `json:"count"`
	Path  string `json:"path,omitempty"` // one of them
}

// VolumeData is a vol_data.json of the kubelet's CSI plugin
// (pkg/volume/csi/csi_util.go of kubernetes).
type VolumeData struct {
	// Dir is the directory that it lies in; the mount point is below it, "mount"
	// or "globalmount".
	Dir          string `json:"dir"`
	Driver       string `json:"driver,omitempty"`
	VolumeHandle string `json:"volumeHandle,omitempty"`
	// SpecVolID is the PersistentVolume, or for an inline volume a hash.
	SpecVolID    string `json:"specVolID,omitempty"`
	AttachmentID string `json:"attachmentID,omitempty"`
	// Lifecycle is Persistent or Ephemeral.
	Lifecycle string `json:"lifecycle,omitempty"`
	// Written is the file's time, seconds since 1970: when it was staged.
	Written int64 `json:"written,omitempty"`
}
