package report

// Memory is who has the node's memory, by the kernel's own counts: its totals,
// and the memory cgroups. Processes have theirs in Process. All sizes are bytes.
type Memory struct {
	Info      MemInfo        `json:"info,omitzero"`
	HugePages []HugePagePool `json:"hugePages,omitempty"`
	// ARC is the cache of ZFS; nil: there is no ZFS.
	ARC *ARC `json:"arc,omitempty"`
	// CgroupVersion is that of the hierarchy with the memory controller, 1 or 2; 0:
	// this kernel has none.
	CgroupVersion int `json:"cgroupVersion,omitempty"`
	// NoHierarchy: memory.use_hierarchy of v1's root is 0 (always 1 since Linux 5.11).
	// A cgroup then does not count what is below it, unless some parent of it does;
	// the root does.
	NoHierarchy bool `json:"noHierarchy,omitempty"`
	// Samples of the node's totals, oldest first.
	Samples []MemorySample `json:"samples,omitempty"`
	// Cgroups are those that hold memory or in which processes live, parents before
	// children. Left counts those beyond a bound, the smallest.
	Cgroups []MemoryCgroup `json:"cgroups,omitempty"`
	Left    int            `json:"left,omitempty"`
	// Pressure is /proc/pressure/memory; nil: the kernel has no PSI (before 4.20, or psi=0).
	Pressure *Pressure `json:"pressure,omitempty"`
	// Tmpfs are mounts of tmpfs in the host's namespace.
	Tmpfs []TmpfsMount `json:"tmpfs,omitempty"`
	// OvercommitMemory is vm.overcommit_memory, MinFree vm.min_free_kbytes in bytes,
	// Swappiness vm.swappiness.
	OvercommitMemory *int    `json:"overcommitMemory,omitempty"`
	MinFree          *uint64 `json:"minFree,omitempty"`
	Swappiness       *int    `json:"swappiness,omitempty"`

	Unreadable []Unreadable `json:"unreadable,omitempty"`
}

// MemInfo is /proc/meminfo, proc_meminfo(5), in bytes by its own names; nil: this
// kernel has no such line.
type MemInfo struct {
	Total *uint64 `json:"total,omitempty"`
	Free  *uint64 `json:"free,omitempty"`
	// Available is since Linux 3.14, and in RHEL 7's 3.10.
	Available    *uint64 `json:"available,omitempty"`
	Buffers      *uint64 `json:"buffers,omitempty"`
	Cached       *uint64 `json:"cached,omitempty"` // Shmem included
	SwapCached   *uint64 `json:"swapCached,omitempty"`
	ActiveAnon   *uint64 `json:"activeAnon,omitempty"`
	InactiveAnon *uint64 `json:"inactiveAnon,omitempty"`
	ActiveFile   *uint64 `json:"activeFile,omitempty"`
	InactiveFile *uint64 `json:"inactiveFile,omitempty"`
	Unevictable  *uint64 `json:"unevictable,omitempty"`
	Mlocked      *uint64 `json:"mlocked,omitempty"`
	SwapTotal    *uint64 `json:"swapTotal,omitempty"`
	SwapFree     *uint64 `json:"swapFree,omitempty"`
	Dirty        *uint64 `json:"dirty,omitempty"`
	Writeback    *uint64 `json:"writeback,omitempty"`
	AnonPages    *uint64 `json:"anonPages,omitempty"`
	Mapped       *uint64 `json:"mapped,omitempty"`
	Shmem        *uint64 `json:"shmem,omitempty"` // tmpfs included
	Slab         *uint64 `json:"slab,omitempty"`
	// SReclaimable and SUnreclaim are Slab's parts.
	SReclaimable  *uint64 `json:"sReclaimable,omitempty"`
	SUnreclaim    *uint64 `json:"sUnreclaim,omitempty"`
	KernelStack   *uint64 `json:"kernelStack,omitempty"`
	PageTables    *uint64 `json:"pageTables,omitempty"`
	VmallocUsed   *uint64 `json:"vmallocUsed,omitempty"`
	Percpu        *uint64 `json:"percpu,omitempty"`
	AnonHugePages *uint64 `json:"anonHugePages,omitempty"`
	// Hugetlb is all of hugetlb's pools, in use or not (since 4.16).
	Hugetlb     *uint64 `json:"hugetlb,omitempty"`
	CommitLimit *uint64 `json:"commitLimit,omitempty"`
	CommittedAS *uint64 `json:"committedAS,omitempty"`
}

// HugePagePool are the huge pages of one size, /sys/kernel/mm/hugepages. They are
// taken from MemFree whether used or not.
type HugePagePool struct {
	PageBytes uint64 `json:"pageBytes"`
	Pages     uint64 `json:"pages"`
	Free      uint64 `json:"free"`
	Reserved  uint64 `json:"reserved,omitempty"`
	Surplus   uint64 `json:"surplus,omitempty"`
}

// ARC is /proc/spl/kstat/zfs/arcstats, in bytes: how large it is, and between what it
// shrinks and grows. MemAvailable does not count what of it can be freed.
type ARC struct {
	Size uint64 `json:"size"`
	Min  uint64 `json:"min,omitempty"`
	Max  uint64 `json:"max,omitempty"`
}

// MemorySample is the node at one moment.
type MemorySample struct {
	AtMillis  int64   `json:"atMillis"` // since the first sample
	Free      *uint64 `json:"free,omitempty"`
	Available *uint64 `json:"available,omitempty"`
	// RootUsage and RootInactiveFile are those of the root memory cgroup; of v2, which
	// has no usage there, anon and file of memory.stat: what v1's is made of.
	RootUsage        *uint64 `json:"rootUsage,omitempty"`
	RootInactiveFile *uint64 `json:"rootInactiveFile,omitempty"`
	// Kernel is memory of the kernel's own that cannot be freed: SUnreclaim, PageTables,
	// KernelStack and Percpu.
	Kernel *uint64 `json:"kernel,omitempty"`
}

// MemoryCgroup is one memory cgroup, what is below it included (hierarchical
// counts). The first one is the root, as the kubelet reads it (through cAdvisor):
// memory.usage_in_bytes and memory.stat on v1; on v2, which has no memory.current
// there, what usage is made of is left to the client: for kubelets since 1.29 (the
// runc library 1.1.9) Anon + File, which is what the kernel gives for v1's root
// (mem_cgroup_usage() of mm/memcontrol.c: neither slab nor other kernel memory is in
// it), for earlier ones MemTotal - MemFree of the same moment.
type MemoryCgroup struct {
	// Path from the root of its hierarchy, "/" the root.
	Path string `json:"path"`
	// Usage is memory.current, memory.usage_in_bytes. UsageBefore that at the first
	// sample; nil: it was not there.
	Usage       *uint64 `json:"usage,omitempty"`
	UsageBefore *uint64 `json:"usageBefore,omitempty"`
	// Limit is memory.max, memory.limit_in_bytes; nil: none. High is memory.high.
	Limit *uint64 `json:"limit,omitempty"`
	High  *uint64 `json:"high,omitempty"`
	// Peak is memory.peak (since 5.19), memory.max_usage_in_bytes.
	Peak *uint64 `json:"peak,omitempty"`
	// Swap is memory.swap.current, the swap of memory.stat.
	Swap *uint64 `json:"swap,omitempty"`
	// What memory.stat says, total_ on v1.
	Anon         *uint64 `json:"anon,omitempty"` // v1: total_rss
	AnonBefore   *uint64 `json:"anonBefore,omitempty"`
	File         *uint64 `json:"file,omitempty"` // v1: total_cache; Shmem included
	ActiveFile   *uint64 `json:"activeFile,omitempty"`
	InactiveFile *uint64 `json:"inactiveFile,omitempty"`
	Shmem        *uint64 `json:"shmem,omitempty"`
	ShmemBefore  *uint64 `json:"shmemBefore,omitempty"`
	Slab         *uint64 `json:"slab,omitempty"`   // v2
	Kernel       *uint64 `json:"kernel,omitempty"` // v2 since 5.18; v1: memory.kmem.usage_in_bytes
	PageTables   *uint64 `json:"pageTables,omitempty"`
	Sock         *uint64 `json:"sock,omitempty"`
	// AtLimit counts how often the limit was hit: memory.events' max, memory.failcnt.
	// OOMKills counts processes killed in it: oom_kill (since 4.13); v1's has only those
	// of the cgroup itself, v2's those below, too, also of cgroups that have ended.
	AtLimit  *uint64 `json:"atLimit,omitempty"`
	OOMKills *uint64 `json:"oomKills,omitempty"`
	// UnderOOM: it waits for memory now (v1, under_oom), e.g. with the killer disabled.
	UnderOOM bool      `json:"underOOM,omitempty"`
	Pressure *Pressure `json:"pressure,omitempty"`
	// Processes live directly in it, by Processes.Cgroups, or below it where v2 does
	// not count memory apart.
	Processes int `json:"processes,omitempty"`
}

// Pressure is one file of PSI (Documentation/accounting/psi.rst): the share of
// time, in percent, in which some or all tasks waited, over 10, 60 and 300 seconds.
type Pressure struct {
	Some PressureLine `json:"some"`
	Full PressureLine `json:"full"`
}

// PressureLine is a line of it.
type PressureLine struct {
	Avg10       float64 `json:"avg10"`
	Avg60       float64 `json:"avg60"`
	Avg300      float64 `json:"avg300"`
	TotalMicros uint64  `json:"totalMicros"`
}

// TmpfsMount is a mount of tmpfs or ramfs. What is in it nobody asks: that would be
// statfs of a mount.
type TmpfsMount struct {
	Point string `json:"point"`
	// Limit is its size= option; nil: none is shown (half of memory, or ramfs); 0: it
	// has none.
	Limit *uint64 `json:"limit,omitempty"`
}

// ProcessMemory is what /proc/PID/status and smaps_rollup say, in bytes.
type ProcessMemory struct {
	// RSSBefore is the resident size at the first sample; nil: it was not there.
	RSSBefore *uint64 `json:"rssBefore,omitempty"`
	// RSSSteps are resident sizes at several moments from the first sample to the
	// last; none: there were these two.
	RSSSteps []uint64 `json:"rssSteps,omitempty"`
	// Anon, File and Shmem are the parts of the resident size (since 4.5).
	Anon  *uint64 `json:"anon,omitempty"`
	File  *uint64 `json:"file,omitempty"`
	Shmem *uint64 `json:"shmem,omitempty"`
	Swap  *uint64 `json:"swap,omitempty"`
	// PSS shares pages out among those who map them: smaps_rollup (since 4.14), read
	// of the largest only.
	PSS         *uint64 `json:"pss,omitempty"`
	OOMScore    *int    `json:"oomScore,omitempty"`
	OOMScoreAdj *int    `json:"oomScoreAdj,omitempty"`
	// Exe and Cwd are link texts, of the largest: hints only, they name no owner.
	Exe string `json:"exe,omitempty"`
	Cwd string `json:"cwd,omitempty"`
}
