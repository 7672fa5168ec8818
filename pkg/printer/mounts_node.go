package printer

import (
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// NodeState says what became of a node that a command asks.
type NodeState string

// States of nodes.
const (
	NodeAnswered NodeState = "answered"
	NodeFailed   NodeState = "failed"
	// NodeSkipped cannot be asked, and nobody asked for it by name.
	NodeSkipped NodeState = "skipped"
	// NodeMissing: the run was interrupted before its answer.
	NodeMissing NodeState = "missing"
)

// MountsNode is what is known of one node's mounts, or why nothing is.
type MountsNode struct {
	Node   string    `json:"node"`
	State  NodeState `json:"state"`
	Reason string    `json:"reason,omitempty"` // why there is no answer
	*correlate.NodeMounts
	Findings []diagnose.Finding `json:"findings,omitempty"`
	// Diff is there where an older report is compared.
	Diff *MountsDiff `json:"diff,omitempty"`
}

// MountsDiff is what has become of a node's leaked volumes since a saved report.
type MountsDiff struct {
	// Since is the older report's time, by the node's clock.
	Since *time.Time `json:"since,omitempty"`
	// Rebooted: the node has been started anew since.
	Rebooted bool `json:"rebooted,omitempty"`
	// Gone were leaked and are not any more, New are now and were not, Left are
	// still. Unknown were, and are mounted, and nobody can tell now.
	Gone    []VolumeChange `json:"gone"`
	New     []VolumeChange `json:"new"`
	Left    []VolumeChange `json:"left"`
	Unknown []VolumeChange `json:"unknown,omitempty"`

	Before MountTotals `json:"before"`
	Now    MountTotals `json:"now"`
}

// VolumeChange is a leaked volume in two reports.
type VolumeChange struct {
	Name   string                 `json:"name"`
	Driver string                 `json:"driver,omitempty"`
	Device string                 `json:"device,omitempty"`
	Why    []correlate.LeakReason `json:"why,omitempty"`
	// Mounts of it that are leaked, in the host's namespace.
	Before int `json:"before"`
	Now    int `json:"now"`
	// State that a volume has now, where it is another one than it was; "" where
	// it is not mounted. Was is what a new one was before, "" where it was not.
	State correlate.VolumeState `json:"state,omitempty"`
	Was   correlate.VolumeState `json:"was,omitempty"`
}

// MountTotals are a node's counts at one time.
type MountTotals struct {
	HostMounts    int `json:"hostMounts"`
	AllMounts     int `json:"allMounts"`
	Devices       int `json:"devices"`
	KernelThreads int `json:"kernelThreads"`
	// ThreadsUnseen: KernelThreads is none since nobody could see them.
	ThreadsUnseen bool `json:"threadsUnseen,omitempty"`
	LeakedVolumes int  `json:"leakedVolumes"`
	LeakedMounts  int  `json:"leakedMounts"`
	// UnknownVolumes could not be judged.
	UnknownVolumes int `json:"unknownVolumes,omitempty"`
}

// TotalsOf are the counts of one report.
func TotalsOf(m *correlate.NodeMounts) MountTotals {
	return MountTotals{HostMounts: m.HostMounts, AllMounts: m.AllMounts, Devices: m.Devices, KernelThreads: m.KernelThreads,
		ThreadsUnseen: m.ThreadsUnseen, LeakedVolumes: m.Leaked.Volumes, LeakedMounts: m.Leaked.Mounts, UnknownVolumes: m.Leaked.Unknown}
}
