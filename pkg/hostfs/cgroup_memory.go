package hostfs

import "bytes"

// noMemoryLimit and what is larger is no limit of a v1 cgroup. Without one the
// kernel shows the largest number that it can count to, in whole pages: of 4 KiB
// 9223372036854771712, of 64 KiB 9223372036854710272; before Linux 3.19
// 9223372036854775807 or 18446744073709551615.
const noMemoryLimit = 1 << 62

// ParseMemoryLimit parses memory.max, memory.high, memory.limit_in_bytes; nil: no
// limit, "max" on v2. ok is false where it is neither.
func ParseMemoryLimit(b []byte) (limit *uint64, ok bool) {
	b = bytes.TrimSpace(b)
	if string(b) == "max" {
		return nil, true
	}
	n, ok := ParseNumber(b)
	if !ok || n >= noMemoryLimit {
		return nil, ok
	}
	return &n, true
}

// MemoryStat is what is used of memory.stat, in bytes, for a cgroup and all below
// it; nil: this kernel does not say.
type MemoryStat struct {
	Anon, File, ActiveFile, InactiveFile *uint64
	Shmem, Slab, Kernel, PageTables      *uint64
	Sock, Swap                           *uint64
}

// ParseMemoryStat parses memory.stat. That of v2 (Documentation/admin-guide/
// cgroup-v2.rst) counts what is below; v1's (cgroup-v1/memory.rst) has a line of
// each name for the cgroup alone, and one with "total_" that counts what is below
// if memory.use_hierarchy is 1. The names of v1 are rss and cache; its "shmem" is
// since 4.20, in RHEL 8 earlier.
func ParseMemoryStat(b []byte, v2 bool) (s MemoryStat) {
	EachNumber(b, func(name []byte, n uint64) {
		if !v2 {
			var total bool
			if name, total = bytes.CutPrefix(name, []byte("total_")); !total {
				return
			}
		}
		if field := s.field(string(name), v2); field != nil {
			*field = &n
		}
	})
	return s
}

func (s *MemoryStat) field(name string, v2 bool) **uint64 {
	switch name {
	case "active_file":
		return &s.ActiveFile
	case "inactive_file":
		return &s.InactiveFile
	case "shmem":
		return &s.Shmem
	}
	if !v2 {
		switch name {
		case "rss":
			return &s.Anon
		case "cache":
			return &s.File
		case "swap":
			return &s.Swap
		}
		return nil
	}
	switch name {
	case "anon":
		return &s.Anon
	case "file":
		return &s.File
	case "slab":
		return &s.Slab
	case "kernel":
		return &s.Kernel
	case "pagetables":
		return &s.PageTables
	case "sock":
		return &s.Sock
	}
	return nil
}

// MemoryEvents are counts of a cgroup's life.
type MemoryEvents struct {
	// AtLimit is "max" of v2: with what is below. OOMKills is oom_kill; of v1 it
	// counts processes of the cgroup itself.
	AtLimit, OOMKills *uint64
	UnderOOM          bool
}

// ParseMemoryEvents parses memory.events of v2 and memory.oom_control of v1:
//
//	low 0             oom_kill_disable 0
//	high 0            under_oom 0
//	max 12            oom_kill 3          since Linux 4.13
//	oom 3
//	oom_kill 3
func ParseMemoryEvents(b []byte) (e MemoryEvents) {
	EachNumber(b, func(name []byte, n uint64) {
		switch string(name) {
		case "max":
			e.AtLimit = &n
		case "oom_kill":
			e.OOMKills = &n
		case "under_oom":
			e.UnderOOM = n != 0
		}
	})
	return e
}
