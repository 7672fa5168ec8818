package correlate

import (
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// NodeMounts are a node's mounts, and which of them nobody needs any more.
type NodeMounts struct {
	Node string `json:"node"`
	// Time when the look began, by the node's clock.
	Time *time.Time `json:"time,omitempty"`
	// HostMounts are those of the host's namespace, AllMounts those of all
	// Namespaces together.
	HostMounts int `json:"hostMounts"`
	AllMounts  int `json:"allMounts"`
	Namespaces int `json:"namespaces"`
	// KubeletNamespace is a process in the kubelet's mount namespace where that has
	// mounts that the node's own does not show: they count as the host's then.
	KubeletNamespace int `json:"kubeletNamespace,omitempty"`
	// Devices counts block devices that are mounted, KernelThreads the threads
	// that they cost.
	Devices       int `json:"devices"`
	KernelThreads int `json:"kernelThreads"`
	// ThreadsUnseen: the node lives in a pid namespace of its own (kind), and its
	// kernel's threads do not.
	ThreadsUnseen bool        `json:"threadsUnseen,omitempty"`
	Leaked        LeakTotals  `json:"leaked"`
	Kubelet       *KubeletUse `json:"kubelet,omitempty"`

	ByFilesystem []MountCount `json:"byFilesystem"`
	ByDriver     []MountCount `json:"byDriver"`
	ByOwner      []MountCount `json:"byOwner"`

	// Volumes, the leaked ones first, those with the most mounts before others.
	Volumes []Volume `json:"volumes"`
	// Holders are all that volumes name in HeldBy.
	Holders []*Holder `json:"holders,omitempty"`
	// Detached is what is mounted nowhere and still in use; nil: nothing.
	Detached *Detached `json:"detached,omitempty"`

	Gaps []report.Unreadable `json:"gaps,omitempty"`
}

// LeakTotals sum up what is leaked.
type LeakTotals struct {
	Volumes int `json:"volumes"`
	// Parts are volumes in use, or unknown, of which some mounts are leaked, Roots
	// dead containers' root directories with mounts that are no volume's.
	Parts int `json:"parts,omitempty"`
	Roots int `json:"roots,omitempty"`
	// Mounts are those of the host's namespace, Copies of these are what stands
	// below a container's root directory.
	Mounts int `json:"mounts"`
	Copies int `json:"copies"`
	// AllMounts are those of all namespaces.
	AllMounts     int `json:"allMounts"`
	Devices       int `json:"devices"`
	KernelThreads int `json:"kernelThreads"`
	// Unknown volumes could not be judged: the API could not be asked.
	Unknown int `json:"unknown"`
}

// KubeletUse is what the kubelet takes.
type KubeletUse struct {
	PID        int      `json:"pid"`
	CPUPercent *float64 `json:"cpuPercent,omitempty"` // of one core
	RSSBytes   int64    `json:"rssBytes,omitempty"`
}

// MountCount is one line of a breakdown of the host's namespace.
type MountCount struct {
	Name string `json:"name"`
	// Owner is set in a breakdown by owner.
	Owner   *Owner `json:"owner,omitempty"`
	Mounts  int    `json:"mounts"`
	Devices int    `json:"devices"`
	Leaked  int    `json:"leaked"`
}

// VolumeState says whether anybody needs a volume's mounts.
type VolumeState string

// States of volumes.
const (
	VolumeLive   VolumeState = "live"
	VolumeLeaked VolumeState = "leaked"
	// VolumeUnknown: what would tell could not be asked or read.
	VolumeUnknown VolumeState = "unknown"
)

// LeakReason is why a mount counts as leaked; its value is stable.
type LeakReason string

// Reasons.
const (
	PVGone           LeakReason = "pv-gone"           // the API server has no such PersistentVolume
	NotAttached      LeakReason = "not-attached"      // no VolumeAttachment of this node, though the driver attaches
	LeakPodGone      LeakReason = "pod-gone"          // the API server has no such pod on this node
	PodTerminating   LeakReason = "pod-terminating"   // long after its grace
	DeviceGone       LeakReason = "device-gone"       // no such device in sysfs
	DeviceEmpty      LeakReason = "device-empty"      // its size is 0
	DeviceErrors     LeakReason = "device-errors"     // its filesystem or the kernel's log counts errors
	ContainerDead    LeakReason = "container-dead"    // below the root directory of a container that is dead or being removed
	ContainerUnknown LeakReason = "container-unknown" // below that of a container that nobody knows
	Unused           LeakReason = "unused"            // staged, and no pod of this node uses it
)

// Reason is one of a volume's, with its facts.
type Reason struct {
	Reason LeakReason `json:"reason"`
	Text   string     `json:"text"` // "PersistentVolume d-bp1 is not in the API"
}

// Volume is what is mounted from one volume, on one node: its staging directory,
// the pods' mounts, and copies of these in containers' root directories.
type Volume struct {
	Node string `json:"node"`
	// Name is the PersistentVolume, else the volume's name in its pod, else the
	// device or source.
	Name   string `json:"name"`
	Driver string `json:"driver,omitempty"`
	Handle string `json:"handle,omitempty"`
	Claim  string `json:"claim,omitempty"` // "namespace/name"
	// Container is set where this is no volume but the root directory of a dead
	// container, with the copies of the node's own filesystems in there.
	Container *Owner `json:"container,omitempty"`
	// Device is nil for filesystems without one.
	Device *report.Device `json:"device,omitempty"`
	Type   string         `json:"type"` // the filesystem's
	Source string         `json:"source,omitempty"`

	State VolumeState `json:"state"`
	// Reasons say why it is leaked, or why a part of its mounts is.
	Reasons []Reason `json:"reasons,omitempty"`
	// Trouble is what is wrong with the device of a volume in use.
	Trouble []Reason `json:"trouble,omitempty"`
	// Unknown says what could not be asked.
	Unknown string `json:"unknown,omitempty"`

	// Mounts are those in the host's namespace; a device that is gone may be
	// mounted in others only. AllMounts counts those of every
	// namespace, and is the least that it can be: a container's volume in which
	// it is counts once.
	Mounts    []VolumeMount `json:"mounts"`
	AllMounts int           `json:"allMounts"`
	Copies    int           `json:"copies"`
	// Leaked counts the mounts of Mounts that are.
	Leaked int `json:"leaked"`
	// Holders are who else has it mounted, containers' root directories first.
	// Volumes share them: they are not to be changed. HeldBy are their places in
	// the node's Holders, which say each once: thousands of volumes have the same.
	Holders []*Holder `json:"-"`
	HeldBy  []uint32  `json:"heldBy,omitempty"`
	// Processes have something open on it.
	Processes []VolumeProcess `json:"processes,omitempty"`
	// Pods use it by the API server's word.
	Pods []Owner `json:"pods,omitempty"`
	// Since is when it was mounted or staged, by the node's clock.
	Since         *time.Time `json:"since,omitempty"`
	KernelThreads int        `json:"kernelThreads"`
}

// VolumeMount is one mount of a volume in the host's namespace.
type VolumeMount struct {
	report.Mount
	// Number and Type are those of its filesystem; Source is always set.
	Number string `json:"number"`
	Type   string `json:"type"`
	// Staging is the device's one mount on the node, before it is bound into pods.
	Staging bool `json:"staging,omitempty"`
	// Copy: it stands below the root directory of this container.
	Copy *Owner `json:"copy,omitempty"`
	// Pod is whose directory of the kubelet's it stands in.
	Pod    *Owner       `json:"pod,omitempty"`
	Leaked bool         `json:"leaked,omitempty"`
	Why    []LeakReason `json:"why,omitempty"`
}

// Holder is a mount namespace in which a volume is mounted, other than the
// host's, or a container's root directory below which the host's has copies.
type Holder struct {
	Owner     Owner  `json:"owner"`
	Namespace uint64 `json:"namespace,omitempty"` // its inode
	PID       int    `json:"pid,omitempty"`
	Comm      string `json:"comm,omitempty"`
	// Root is the container's root directory in the host's namespace, Why what
	// is wrong with that container, Mounts the copies in there. Namespace is 0
	// then.
	Root   string     `json:"root,omitempty"`
	Why    LeakReason `json:"why,omitempty"`
	Mounts int        `json:"mounts,omitempty"`
	// Private: an umount on the host does not reach it, it stays mounted there.
	Private bool `json:"private,omitempty"`
	// Entry is the mount below which it is there, as the container sees it.
	Entry string `json:"entry"`
	// Via is the volumeMount of the pod's spec that let it in.
	Via *Via `json:"via,omitempty"`
}

// Via is a volumeMount, with the path in the pod's spec.
type Via struct {
	Volume      string `json:"volume"`
	HostPath    string `json:"hostPath,omitempty"`
	MountPath   string `json:"mountPath"`
	Propagation string `json:"propagation,omitempty"`
	// Field is "spec.containers[name=agent].volumeMounts[name=host]".
	Field string `json:"field,omitempty"`
}

// VolumeProcess is a process with something open on a volume.
type VolumeProcess struct {
	PID   int    `json:"pid"`
	Comm  string `json:"comm,omitempty"`
	Owner Owner  `json:"owner"`
	What  string `json:"what"` // cwd, root, exe, fd
	Count int    `json:"count"`
	Path  string `json:"path,omitempty"`
}
