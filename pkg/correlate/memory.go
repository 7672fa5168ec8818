package correlate

import (
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// NodeMemory is who has a node's memory, what the kubelet makes of it, and whom
// the kernel has killed. All sizes are bytes.
type NodeMemory struct {
	Node string `json:"node"`
	// Time when the look began, by the node's clock.
	Time *time.Time `json:"time,omitempty"`
	// Kernel is the node as the kernel counts it, Kubelet as the kubelet does.
	Kernel  *KernelMemory  `json:"kernel,omitempty"`
	Kubelet *KubeletMemory `json:"kubelet,omitempty"`
	// Differences say which terms make the two disagree, the largest first.
	Differences []MemoryDifference `json:"differences"`
	Eviction    *Eviction          `json:"eviction,omitempty"`
	Pressure    *report.Pressure   `json:"pressure,omitempty"`

	By      By              `json:"by"`
	Filter  *MemoryFiltered `json:"filter,omitempty"`
	Seconds float64         `json:"seconds"` // between the two looks
	Rows    []MemoryRow     `json:"rows"`
	// Accounted is the sum of all rows' working sets, filtered or not; Rest is what
	// that leaves of the node's memory.
	Accounted uint64 `json:"accounted"`
	Rest      []Term `json:"rest"`
	// Processes are the largest, of any owner.
	Processes []MemoryProcess `json:"processes"`
	// OOMKills are grouped by victim, the newest first.
	OOMKills []OOMVictim `json:"oomKills"`
	// OOMSince is how far back the kernel's log goes.
	OOMSince *time.Time `json:"oomSince,omitempty"`
	// Evictions are pods that the kubelet evicted, by the API server's word.
	Evictions []EvictedPod `json:"evictions"`

	Gaps []report.Unreadable `json:"gaps,omitempty"`
}

// KernelMemory is the node's memory by the kernel's count; nil: it does not say.
type KernelMemory struct {
	report.MemInfo
	HugePages []report.HugePagePool `json:"hugePages,omitempty"`
	ARC       *report.ARC           `json:"arc,omitempty"` // the cache of ZFS
	// Used is Total less Available; of a kernel without Available, less Free,
	// Buffers, Cached and SReclaimable, as free(1) had it.
	Used uint64 `json:"used"`
	// AvailablePerSecond is the trend over the samples; nil: there was one only.
	AvailablePerSecond *float64 `json:"availablePerSecond,omitempty"`
	// Falls: it became less with each step between the samples.
	Falls bool `json:"falls,omitempty"`
	// OwnPerSecond is the growth of what is the kernel's own and cannot be freed;
	// OwnGrows: it never became less between the samples. nil: not known.
	OwnPerSecond *float64 `json:"ownPerSecond,omitempty"`
	OwnGrows     bool     `json:"ownGrows,omitempty"`
	// Parts are the kernel's own memory, charged to a cgroup or not.
	Parts []Term `json:"parts"`
}

// KubeletMemory is the kubelet's arithmetic, made of what it reads:
//
//	working set      = usage − inactive_file (not below 0)
//	memory.available = capacity − working set
type KubeletMemory struct {
	CgroupVersion int     `json:"cgroupVersion"`
	Capacity      uint64  `json:"capacity"`
	Usage         uint64  `json:"usage"`
	InactiveFile  uint64  `json:"inactiveFile"`
	WorkingSet    uint64  `json:"workingSet"`
	Available     uint64  `json:"available"`
	Terms         []Term  `json:"terms"` // how Usage was made, where the root has no such file (v2)
	Summary       *uint64 `json:"summary,omitempty"`
	// SummaryAge is how old the kubelet's own number is, in seconds.
	SummaryAge float64 `json:"summaryAge,omitempty"`
}

// Term is a number with its name and where it comes from.
type Term struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	Source string `json:"source"` // "memory.stat", "/proc/meminfo"
}

// MemoryDifference is one term by which MemAvailable and memory.available differ:
// what the kernel counts as free and the kubelet does not is positive.
type MemoryDifference struct {
	Term
	Why string `json:"why"` // a sentence
}

// Eviction is when the kubelet evicts pods for memory on this node.
type Eviction struct {
	// Source is where it is known from, one of the FromX.
	Source     string              `json:"source"`
	Thresholds []EvictionThreshold `json:"thresholds"`
	// Available is memory.available now, KernelAvailable the kernel's MemAvailable;
	// nil: not known.
	Available       *uint64 `json:"available,omitempty"`
	KernelAvailable *uint64 `json:"kernelAvailable,omitempty"`
	// AtZero is what memory.available will still be when MemAvailable is 0: the
	// kernel's own memory, which the kubelet does not count, and what the kernel keeps
	// free.
	AtZero *uint64 `json:"atZero,omitempty"`
	// FallsBy is by how many bytes a second memory.available falls, with each step of
	// the sample; 0: it does not.
	FallsBy float64 `json:"fallsBy,omitempty"`
	// Notified: the kernel tells the kubelet at once when a threshold is crossed
	// (kernelMemcgNotification, v1 only), else it looks every 10 s.
	Notified bool `json:"notified,omitempty"`
	// Pressure is the MemoryPressure condition; nil: not known.
	Pressure      *bool      `json:"pressure,omitempty"`
	PressureSince *time.Time `json:"pressureSince,omitempty"`
	Reserved      *Reserved  `json:"reserved,omitempty"`
	// TooLow: MemAvailable runs out before the hard threshold can fire, if there is
	// one. Proposed is a threshold that would fire in time, in bytes; 0: none. Why is
	// there in either case.
	TooLow   bool   `json:"tooLow,omitempty"`
	Proposed uint64 `json:"proposed,omitempty"`
	Why      string `json:"why,omitempty"`
}

// EvictionThreshold is one threshold for memory.
type EvictionThreshold struct {
	Signal string `json:"signal"` // memory.available, allocatableMemory.available
	Hard   bool   `json:"hard"`
	// Written is as the configuration has it, "12%"; Bytes is what it comes to.
	Written string `json:"written"`
	Bytes   uint64 `json:"bytes"`
	// Grace is a soft one's, in seconds.
	Grace float64 `json:"grace,omitempty"`
	// Margin is memory.available less Bytes: below 0 it is met now.
	Margin int64 `json:"margin"`
	// SecondsLeft until it is met, as it goes now; nil: not in sight.
	SecondsLeft *float64 `json:"secondsLeft,omitempty"`
}

// Reserved is what is set aside for the system, against what it really uses.
type Reserved struct {
	Capacity    uint64 `json:"capacity"`
	Allocatable uint64 `json:"allocatable"`
	Kube        uint64 `json:"kube"`
	System      uint64 `json:"system"`
	Eviction    uint64 `json:"eviction"` // the hard threshold, which is set aside, too
	// HugePages are all pools, used or not: no pod gets them as memory either.
	HugePages uint64 `json:"hugePages,omitempty"`
	// Used is the working set of all that is in no pod, with the kernel's own memory
	// but for huge pages.
	// Reclaimable of it is page cache that the kernel would drop (active_file).
	Used        uint64 `json:"used"`
	Reclaimable uint64 `json:"reclaimable"`
	// PodsUse is the working set of kubepods, Requested the sum of requests, Limits
	// that of limits.
	PodsUse   uint64 `json:"podsUse"`
	Requested uint64 `json:"requested"`
	Limits    uint64 `json:"limits"`
}

// MemoryFiltered says what a filter let through.
type MemoryFiltered struct {
	Namespace string `json:"namespace,omitempty"`
	Selector  string `json:"selector,omitempty"`
	Matched   int    `json:"matched"` // of Of owners
	Of        int    `json:"of"`
	Bytes     uint64 `json:"bytes"`
}

// MemoryRow is one owner in the ranking.
type MemoryRow struct {
	Owner Owner `json:"owner"`
	PID   int   `json:"pid,omitempty"` // ranked by process
	// WorkingSet is usage less inactive_file of its cgroup; of an owner without one
	// of its own, the sum of what its processes have alone (PSS, else anonymous).
	WorkingSet uint64 `json:"workingSet"`
	// FromProcesses: it is such a sum.
	FromProcesses bool    `json:"fromProcesses,omitempty"`
	Percent       float64 `json:"percent"` // of the node's memory
	Usage         uint64  `json:"usage"`
	Anon          uint64  `json:"anon"`
	File          uint64  `json:"file"` // page cache without Shmem
	Shmem         uint64  `json:"shmem"`
	// MappedShmem is the most of Shmem that one process maps: a database's buffers are
	// mapped, what lies in a tmpfs is not.
	MappedShmem uint64 `json:"mappedShmem,omitempty"`
	// MappedByAll is the sum of what processes map of it that map much: of a
	// database's buffers each of its processes has touched another part.
	MappedByAll uint64   `json:"mappedByAll,omitempty"`
	Kernel      uint64   `json:"kernel"`
	Swap        uint64   `json:"swap,omitempty"`
	RSS         uint64   `json:"rss"`           // sum over its processes: shared pages count in each
	PSS         *uint64  `json:"pss,omitempty"` // where read of all its large ones
	PerSecond   *float64 `json:"perSecond,omitempty"`
	// ShmemPerSecond is the growth of Shmem, which PerSecond does not have.
	ShmemPerSecond *float64 `json:"shmemPerSecond,omitempty"`
	Request        uint64   `json:"request,omitempty"`
	Limit          uint64   `json:"limit,omitempty"` // the cgroup's own
	// Fullest is the container nearest to its limit.
	Fullest *MemoryLimitUse `json:"fullest,omitempty"`
	// Volumes are its volumes in memory with what is in them, where the kubelet says.
	Volumes   []MemoryVolumeUse `json:"volumes,omitempty"`
	Processes int               `json:"processes"`
	Heaviest  *MemoryProcess    `json:"heaviest,omitempty"`
	Container string            `json:"container,omitempty"`
	// Risk is that of an OOM kill within its limit: "", "high" at 90 % of it without
	// page cache that can go.
	Risk string `json:"risk,omitempty"`
	// OOMKills are the processes killed in it, as far as its cgroups, or the kernel's
	// log, still tell; nil: neither does.
	OOMKills *int             `json:"oomKills,omitempty"`
	Pressure *report.Pressure `json:"pressure,omitempty"`
	// Host: it is not in kubepods, so that no pod's limit holds it.
	Host bool `json:"host,omitempty"`
	// Note says what a row is that no process has.
	Note string `json:"note,omitempty"`
}

// MemoryLimitUse is a cgroup against its limit.
type MemoryLimitUse struct {
	Container  string  `json:"container"` // "": the pod's own, or the unit's
	Path       string  `json:"path"`
	WorkingSet uint64  `json:"workingSet"`
	Limit      uint64  `json:"limit"`
	Percent    float64 `json:"percent"`
	// Held is usage without page cache, which no reclaim frees: anonymous memory,
	// tmpfs, the kernel's.
	Held uint64 `json:"held"`
	// AtLimit counts how often the limit was hit, OOMKills the processes that were
	// killed for it; UnderOOM: it waits for memory now.
	AtLimit  uint64 `json:"atLimit,omitempty"`
	OOMKills uint64 `json:"oomKills,omitempty"`
	UnderOOM bool   `json:"underOOM,omitempty"`
}

// MemoryVolumeUse is a volume in memory.
type MemoryVolumeUse struct {
	Name  string  `json:"name"`
	Used  *uint64 `json:"used,omitempty"`
	Limit uint64  `json:"limit,omitempty"`
}

// MemoryProcess is one of the largest processes.
type MemoryProcess struct {
	Owner     Owner    `json:"owner"`
	PID       int      `json:"pid"`
	Comm      string   `json:"comm"`
	Cmdline   string   `json:"cmdline,omitempty"`
	RSS       uint64   `json:"rss"`
	PSS       *uint64  `json:"pss,omitempty"`
	Swap      uint64   `json:"swap,omitempty"`
	PerSecond *float64 `json:"perSecond,omitempty"`
	Age       float64  `json:"ageSeconds"`
	// Background is why a host's process runs: timer, cron file; nil in a pod.
	Background *Background `json:"background,omitempty"`
	// Misleading: its cwd or executable lies in a pod's directory while its cgroup is
	// the host's.
	Misleading string `json:"misleading,omitempty"`
	ScoreAdj   *int   `json:"oomScoreAdj,omitempty"`
}

// OOMVictim are the OOM kills of one owner with the same name and constraint.
type OOMVictim struct {
	Owner Owner  `json:"owner"`
	Comm  string `json:"comm"`
	Kills int    `json:"kills"`
	// Processes were killed in all: of a container with memory.oom.group all die by
	// one kill.
	Processes int            `json:"processes,omitempty"`
	First     *time.Time     `json:"first,omitempty"`
	Last      *time.Time     `json:"last,omitempty"`
	Kill      report.OOMKill `json:"kill"` // the newest
	// Scope is whose limit it was: container, pod, "pods" (all of kubepods), cgroup,
	// node; "" where nobody says.
	Scope string `json:"scope"`
	// Request and Limit are the container's, by its spec; 0: none, or not known.
	Request  uint64 `json:"request,omitempty"`
	Limit    uint64 `json:"limit,omitempty"`
	Restarts int    `json:"restarts,omitempty"`
	// API: container statuses say OOMKilled as well; APIOnly: the log does not.
	API     bool `json:"api,omitempty"`
	APIOnly bool `json:"apiOnly,omitempty"`
	// NamedBy are the sources of the names of a pod that the API server does not have,
	// some of the NamedByX.
	NamedBy []string `json:"namedBy,omitempty"`
}

// EvictedPod is a pod that the kubelet evicted.
type EvictedPod struct {
	Owner   Owner      `json:"owner"`
	At      *time.Time `json:"at,omitempty"`
	Message string     `json:"message,omitempty"`
	// Refused: the kubelet would not let it start, as those that are bound to it while
	// it has pressure, and those that it finds when it starts anew itself. What ran
	// was not evicted for it.
	Refused bool `json:"refused,omitempty"`
}
