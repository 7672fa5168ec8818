package hostfs

import "bytes"

// EachNumber calls fn with each line of a flat keyed file, as the kernel's cgroup
// documents call it: memory.stat, memory.events, memory.oom_control.
//
//	anon 1234
//	total_inactive_file 5678
//
// Lines of another form are passed over, and numbers that 64 bits cannot hold: the
// kernel has printed negative ones as 18446744073709547520.
func EachNumber(b []byte, fn func(name []byte, n uint64)) {
	for len(b) > 0 {
		var line []byte
		line, b = cutByte(b, '\n')
		name, rest := cutByte(line, ' ')
		if n, rest, ok := cutNumber(rest); ok && len(rest) == 0 && n < 1<<63 {
			fn(name, n)
		}
	}
}

// ParseNumber parses a file that holds one number, and a newline.
func ParseNumber(b []byte) (uint64, bool) {
	n, rest, ok := cutNumber(bytes.TrimSpace(b))
	return n, ok && len(rest) == 0
}
