package hostfs

import "bytes"

// ARC is the cache of ZFS, in bytes. Most of it lies in no line of /proc/meminfo: it
// is neither page cache nor slab. It shrinks down to Min when the kernel asks for
// memory; Max is how far it grows (zfs_arc_max).
type ARC struct{ Size, Min, Max uint64 }

// ParseARC parses /proc/spl/kstat/zfs/arcstats of OpenZFS on Linux, a named kstat
// (module/os/linux/spl/spl-kstat.c), of hundreds of lines after two of a header:
//
//	13 1 0x01 147 39984 4280014434 10462436187
//	name                            type data
//	c_min                           4    1044161408
//	c_max                           4    16706582528
//	size                            4    8353291264
//
// ok is false where it has no size.
func ParseARC(b []byte) (a ARC, ok bool) {
	for len(b) > 0 {
		var line []byte
		line, b = cutByte(b, '\n')
		name, rest := cutByte(line, ' ')
		_, value := cutByte(bytes.TrimLeft(rest, " "), ' ') // behind its type
		n, tail, number := cutNumber(bytes.TrimLeft(value, " "))
		if !number || len(tail) > 0 {
			continue
		}
		switch string(name) {
		case "size":
			a.Size, ok = n, true
		case "c_min":
			a.Min = n
		case "c_max":
			a.Max = n
		}
	}
	return a, ok
}
