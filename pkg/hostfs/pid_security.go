package hostfs

import (
	"bytes"
	"strconv"
	"strings"
)

// Security is what /proc/PID/status says of a process's rights, by the keys of
// proc_pid_status(5): CapEff and the like in 16 hexadecimal digits. What this
// kernel does not have is absent.
type Security map[string]string

// ParseSecurity keeps the lines that tell what a process may do.
func ParseSecurity(b []byte) Security {
	s := Security{}
	for line := range bytes.Lines(b) {
		key, value, _ := strings.Cut(string(line), ":")
		switch key {
		case "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "Seccomp", "NoNewPrivs":
			s[key] = strings.TrimSpace(value)
		}
	}
	return s
}

// IDMap is a line of /proc/PID/uid_map, user_namespaces(7):
//
//	inside outside length      0 100000 65536
type IDMap struct{ Inside, Outside, Length int64 }

// maxIDMaps is what the kernel takes at most (UID_GID_MAP_MAX_EXTENTS).
const maxIDMaps = 340

// ParseIDMaps parses a uid_map or gid_map.
func ParseIDMaps(b []byte) []IDMap {
	var maps []IDMap
	for line := range bytes.Lines(b) {
		f := strings.Fields(string(line))
		if len(f) != 3 || len(maps) == maxIDMaps {
			continue
		}
		var v [3]int64
		ok := true
		for i := range f {
			n, err := strconv.ParseInt(f[i], 10, 64)
			v[i], ok = n, ok && err == nil
		}
		if ok {
			maps = append(maps, IDMap{v[0], v[1], v[2]})
		}
	}
	return maps
}

// NamespaceInode is 4026531840 for the link text "net:[4026531840]", 0 for others.
func NamespaceInode(link string) uint64 {
	_, inode, _ := strings.Cut(link, ":[")
	v, _ := strconv.ParseUint(strings.TrimSuffix(inode, "]"), 10, 64)
	return v
}
