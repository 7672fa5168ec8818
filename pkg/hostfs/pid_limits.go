package hostfs

import (
	"bytes"
	"strconv"
)

// Limit is one line of /proc/PID/limits, getrlimit(2):
//
//	Limit                     Soft Limit           Hard Limit           Units
//	Max open files            1024                 524288               files
//	Max address space         unlimited            unlimited            bytes
//	Max nice priority         0                    0
//
// The name takes 25 columns (fs/proc/base.c); nil is "unlimited". Two limits
// have no unit.
type Limit struct {
	Name       string // "Max open files"
	Soft, Hard *uint64
	Unit       string
}

// LimitOpenFiles is the name of RLIMIT_NOFILE.
const LimitOpenFiles = "Max open files"

const limitNameWidth = 25

// ParseLimits parses the content of /proc/PID/limits. Lines of another form,
// the heading too, are left out.
func ParseLimits(b []byte) []Limit {
	var limits []Limit
	for line := range bytes.Lines(b) {
		if l, ok := parseLimit(line); ok {
			limits = append(limits, l)
		}
	}
	return limits
}

// FindLimit parses one line of them.
func FindLimit(b []byte, name string) (Limit, bool) {
	for line := range bytes.Lines(b) {
		if bytes.HasPrefix(line, []byte(name)) {
			if l, ok := parseLimit(line); ok && l.Name == name {
				return l, true
			}
		}
	}
	return Limit{}, false
}

func parseLimit(line []byte) (l Limit, ok bool) {
	if len(line) <= limitNameWidth {
		return l, false
	}
	f := bytes.Fields(line[limitNameWidth:])
	if len(f) < 2 {
		return l, false
	}
	if l.Soft, ok = limitValue(string(f[0])); !ok {
		return l, false
	}
	if l.Hard, ok = limitValue(string(f[1])); !ok {
		return l, false
	}
	if len(f) > 2 {
		l.Unit = string(f[2])
	}
	l.Name = string(bytes.TrimSpace(line[:limitNameWidth]))
	return l, l.Name != ""
}

func limitValue(s string) (value *uint64, ok bool) {
	if s == "unlimited" {
		return nil, true
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return &n, err == nil
}
