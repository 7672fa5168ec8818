package hostfs

import "bytes"

// EachAmount calls fn with the name and the amount of each line of
//
//	MemTotal:       16314352 kB      /proc/meminfo, proc_meminfo(5)
//	HugePages_Total:       0         a number of pages
//	VmRSS:	    1234 kB              /proc/PID/status
//	Pss:             1234 kB         /proc/PID/smaps_rollup
//
// in bytes where the line says kB (1024, whatever its name), else as it is. Lines
// of another form are passed over, and amounts that 64 bits cannot hold.
func EachAmount(b []byte, fn func(name []byte, amount uint64)) {
	for len(b) > 0 {
		var line []byte
		line, b = cutByte(b, '\n')
		name, rest := cutByte(line, ':')
		amount, unit, ok := cutNumber(bytes.TrimLeft(rest, " \t"))
		switch {
		case !ok:
		case len(unit) == 0:
			fn(name, amount)
		case string(unit) == " kB" && amount < 1<<54:
			fn(name, amount<<10)
		}
	}
}

// cutByte is bytes.Cut by one byte; after is empty where there is none.
func cutByte(b []byte, sep byte) (before, after []byte) {
	at := bytes.IndexByte(b, sep)
	if at < 0 {
		return b, nil
	}
	return b[:at], b[at+1:]
}

// cutNumber cuts a decimal number off; strconv would allocate a string for each
// of millions.
func cutNumber(b []byte) (n uint64, rest []byte, ok bool) {
	i := 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		digit := uint64(b[i] - '0')
		if n > (1<<64-1-digit)/10 {
			return 0, nil, false
		}
		n = n*10 + digit
	}
	return n, b[i:], i > 0
}
