package hostfs

import "strings"

// TmpfsLimit is the size= or nr_blocks= of a tmpfs, among its mount options, in
// bytes, tmpfs(5); nil: neither is there, which is half of the memory. 0: no limit.
// The kernel shows "size=1234k"; whoever mounts may say m, g, t, or % of total.
func TmpfsLimit(options string, total, pageSize uint64) (limit *uint64) {
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		if key != "size" && key != "nr_blocks" {
			continue
		}
		n, unit, ok := cutNumber([]byte(value))
		shift, known := 0, true
		switch strings.ToLower(string(unit)) {
		case "":
		case "k":
			shift = 10
		case "m":
			shift = 20
		case "g":
			shift = 30
		case "t":
			shift = 40
		case "%":
			n = total / 100 * min(n, 1000)
		default:
			known = false
		}
		if !ok || !known || n > 1<<(62-shift) {
			continue
		}
		n <<= shift
		if key == "nr_blocks" && n < 1<<40 {
			n *= pageSize
		}
		limit = &n
	}
	return limit
}
