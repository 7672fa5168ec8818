package hostfs

import (
	"bytes"
	"strconv"
	"strings"
)

// ParseBootTime finds "btime SECONDS" of /proc/stat: boot, in seconds since
// 1970 by the node's clock. 0 where there is none.
func ParseBootTime(b []byte) int64 {
	for line := range bytes.Lines(b) {
		if v, ok := bytes.CutPrefix(line, []byte("btime ")); ok {
			t, _ := strconv.ParseInt(string(bytes.TrimSpace(v)), 10, 64)
			return t
		}
	}
	return 0
}

// ParseUptime parses /proc/uptime: "seconds idle-seconds".
func ParseUptime(b []byte) float64 {
	first, _, _ := strings.Cut(string(b), " ")
	up, _ := strconv.ParseFloat(first, 64)
	return max(up, 0)
}

// ParseOSRelease gives PRETTY_NAME of os-release(5): KEY=value, the value in
// quotes as a shell takes them.
func ParseOSRelease(b []byte) string {
	for line := range bytes.Lines(b) {
		if v, ok := bytes.CutPrefix(line, []byte("PRETTY_NAME=")); ok {
			return strings.Trim(string(bytes.TrimSpace(v)), `"'`)
		}
	}
	return ""
}

// UserName finds the name of uid in passwd(5): "name:password:uid:gid:…".
func UserName(passwd []byte, uid int) string {
	for line := range bytes.Lines(passwd) {
		f := bytes.Split(line, []byte(":"))
		if len(f) >= 7 && string(f[2]) == strconv.Itoa(uid) {
			return string(f[0])
		}
	}
	return ""
}
