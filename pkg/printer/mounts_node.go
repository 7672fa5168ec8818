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
	// Gone were leaked and are not any more, New are now and were not, Left are still.
	Gone []VolumeChange `json:"gone"`
	New  []VolumeChange `json:"new"`
	Left []VolumeChange `json:"left"`

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
	// State that a volume which is leaked no more has now; "" where it is not mounted.
	State correlate.VolumeState `json:"state,omitempty"`
}

// MountTotals are a node's counts at one time.
type MountTotals struct {
	HostMounts    int `json:"hostMounts"`
	AllMounts     int `json:"allMounts"`
	Devices       int `json:"devices"`
	KernelThreads int `json:"kernelThreads"`
	LeakedVolumes int `json:"leakedVolumes"`
	LeakedMounts  int `json:"leakedMounts"`
}

// TotalsOf are the counts of one report.
func TotalsOf(m *correlate.NodeMounts) MountTotals {
	return MountTotals{HostMounts: m.HostMounts, AllMounts: m.AllMounts, Devices: m.Devices, KernelThreads: m.KernelThreads,
		LeakedVolumes: m.Leaked.Volumes, LeakedMounts: m.Leaked.Mounts}
}
