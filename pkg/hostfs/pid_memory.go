package hostfs

import "bytes"

// MemoryStatus is what /proc/PID/status says of a process's memory,
// proc_pid_status(5), in bytes; nil: no such line. The parts of VmRSS are since
// Linux 4.5. A zombie and a kernel thread have none.
type MemoryStatus struct{ Anon, File, Shmem, Swap *uint64 }

// ParseMemoryStatus parses the content of /proc/PID/status. Of its 60 lines those of
// memory stand together, before Threads. The kernel escapes a newline in Name.
func ParseMemoryStatus(b []byte) (s MemoryStatus) {
	lines := b[max(0, bytes.Index(b, []byte("\nVmRSS:"))):]
	if end := bytes.Index(lines, []byte("\nThreads:")); end >= 0 {
		lines = lines[:end]
	}
	EachAmount(lines, func(name []byte, n uint64) {
		switch string(name) {
		case "RssAnon":
			s.Anon = &n
		case "RssFile":
			s.File = &n
		case "RssShmem":
			s.Shmem = &n
		case "VmSwap":
			s.Swap = &n
		}
	})
	return s
}

// ParsePSS finds the proportional set size in /proc/PID/smaps_rollup (since Linux
// 4.14), in bytes. The first line is an address range:
//
//	00400000-7ffd4c1fe000 ---p 00000000 00:00 0          [rollup]
//	Rss:                1234 kB
//	Pss:                 567 kB
func ParsePSS(b []byte) (pss uint64, ok bool) {
	EachAmount(b, func(name []byte, n uint64) {
		if string(name) == "Pss" {
			pss, ok = n, true
		}
	})
	return pss, ok
}

// ParseResidentPages is the second number of /proc/PID/statm, proc_pid_statm(5):
//
//	size resident shared text lib data dt
//
// It needs nothing of the process but its address space, and waits for nobody.
func ParseResidentPages(b []byte) (pages uint64, ok bool) {
	_, rest, ok := cutNumber(b)
	if !ok || len(rest) == 0 || rest[0] != ' ' {
		return 0, false
	}
	pages, _, ok = cutNumber(rest[1:])
	return pages, ok
}
