package report

// RecordRequest asks the probe to stay and to record, see FrameRecord.
type RecordRequest struct {
	// ForSeconds is how long, EveryMillis how often.
	ForSeconds  int64 `json:"forSeconds"`
	EveryMillis int64 `json:"everyMillis"`
}

// Recording is what a recorder has seen of its node over hours. Times are
// milliseconds since 1970 by the node's clock. Its cgroups, processes and
// containers are those of the report that it stands in: all that its samples
// speak of, whether they still live or not.
type Recording struct {
	StartMillis int64 `json:"startMillis"`
	// NowMillis is when this was told, UptimeMillis that after boot.
	NowMillis    int64 `json:"nowMillis"`
	UptimeMillis int64 `json:"uptimeMillis"`
	// ForSeconds and EveryMillis are what was asked for.
	ForSeconds  int64 `json:"forSeconds"`
	EveryMillis int64 `json:"everyMillis"`
	// Ended: it records no more.
	Ended bool `json:"ended,omitempty"`
	// MemTotal is the node's memory in bytes, FileMax fs.file-max, TasksMax the nearer
	// of kernel.pid_max and kernel.threads-max; 0: unknown.
	MemTotal uint64 `json:"memTotal,omitempty"`
	FileMax  uint64 `json:"fileMax,omitempty"`
	TasksMax uint64 `json:"tasksMax,omitempty"`
	// Samples are PackSamples' bytes.
	Samples []byte `json:"samples,omitempty"`
	// Missed counts samples that did not come about, LastMiss says why.
	Missed   int    `json:"missed,omitempty"`
	LastMiss string `json:"lastMiss,omitempty"`
	// Thinned counts how often older samples were merged in pairs to make room.
	Thinned int `json:"thinned,omitempty"`
	// CPUMillis is what recording has cost of one core, ResidentBytes what the
	// recorder has of memory.
	CPUMillis     int64  `json:"cpuMillis"`
	ResidentBytes uint64 `json:"residentBytes"`
	// FromProcesses are the cgroups, by index, whose memory is the sum of their
	// processes' resident sizes: they have no memory cgroup of their own.
	FromProcesses []int `json:"fromProcesses,omitempty"`
}

// KernelCgroup is the index of the kernel's own threads among a recording's
// cgroups. It has no entries.
const KernelCgroup = 0

// Total is one of a node's numbers in a sample.
type Total int

// Totals of a sample. Bytes, but for counts; TotalLoad is the 1-minute load times
// 100, TotalPressure the memory pressure's "some avg10" in percent times 100.
const (
	TotalAvailable  Total = iota // MemAvailable
	TotalFree                    // MemFree
	TotalSwapUsed                // SwapTotal less SwapFree
	TotalWorkingSet              // of the root cgroup: usage less inactive_file
	TotalKernel                  // SUnreclaim, KernelStack and PageTables
	TotalFiles                   // fs.file-nr
	TotalTasks                   // of /proc/loadavg
	TotalProcesses               // seen, kernel threads included
	TotalUnread                  // processes that gave no answer
	TotalMounts                  // of the host's mount namespace
	TotalLoad
	TotalPressure
	TotalOOMKills // since boot, oom_kill of /proc/vmstat
	NumTotals     = int(TotalOOMKills) + 1
)

// Unknown is a total that the kernel does not have, or that could not be read.
const Unknown = -1

// Sample is a node at one moment; of a merged one (Count > 1) the totals and the
// owners' numbers are each the worst of several moments.
type Sample struct {
	// At is the first moment in milliseconds since 1970, by the node's clock, Uptime
	// the same after boot, asleep or not.
	At, Uptime int64
	// Span lies between its first moment and its last one, in milliseconds.
	Span   int64
	Count  int
	Jump   bool // taken out of turn, since a total had jumped
	Totals [NumTotals]int64
	// Owners by cgroup, ascending; Left sums up those that were left out.
	Owners []SampleOwner
	Left   SampleOwner
	// Processes are the largest by memory, descriptors or threads.
	Processes []SampleProcess
}

// SampleOwner is what one cgroup's processes have.
type SampleOwner struct {
	Cgroup int    // index into Processes.Cgroups
	Memory uint64 // bytes, see Recording.FromProcesses; in whole KiB
	FDs    uint64
	Tasks  uint64
}

// SampleProcess is what one process has.
type SampleProcess struct {
	Process int    // index into Processes.List
	RSS     uint64 // bytes, in whole KiB
	FDs     uint64
	Threads uint64
}
