package hostfs

import (
	"bytes"
	"strconv"
)

// ParseIDMap finds the line of /proc/PID/uid_map, user_namespaces(7), in which a user
// ID of the host lies: "INSIDE FIRST COUNT", as the host's reader sees it. ok is false
// where the process has the host's own IDs, "0 0 4294967295".
func ParseIDMap(b []byte, uid int) (inside, first, count int, ok bool) {
	for line := range bytes.Lines(b) {
		var n [3]int
		f := bytes.Fields(line)
		if len(f) != len(n) {
			continue
		}
		for i := range n {
			v, err := strconv.ParseUint(string(f[i]), 10, 32)
			if err != nil {
				return 0, 0, 0, false
			}
			n[i] = int(v)
		}
		if uid >= n[1] && uid-n[1] < n[2] && n[0] != n[1] {
			return n[0], n[1], n[2], true
		}
	}
	return 0, 0, 0, false
}
