package hostfs

import (
	"bytes"
	"strconv"
	"strings"
)

// MountLine is a line of /proc/PID/mountinfo, proc_pid_mountinfo(5):
//
//	36 35 98:0 /root /mount/point rw,noatime master:1 shared:2 - ext4 /dev/root rw
//	 id parent dev  root  point    options   0..n optional    - type source super
//
// Its texts are as the kernel has them, octal escapes and all (Unmangle), and
// valid only as long as whoever hands them out says.
type MountLine struct {
	ID, Parent   int
	Major, Minor uint32
	Root, Point  []byte
	// Shared is the peer group, Master that from which it receives; 0: none.
	Shared, Master int
	FSType, Source []byte
	Super          []byte // options of the superblock
}

// maxMountLine bounds one line: an ordinary user can make one of hundreds of
// KB in a user namespace. Such a line is left out, the others stand.
const maxMountLine = 64 << 10

// parseMountLine takes a line without its newline. Fields are separated by one
// space each: a source may be empty. Optional fields of names yet to come are
// passed over.
func parseMountLine(line []byte, m *MountLine) bool {
	if len(line) > maxMountLine {
		return false
	}
	*m = MountLine{}
	var id, parent, device, field []byte
	rest := line
	for _, to := range []*[]byte{&id, &parent, &device, &m.Root, &m.Point, &field} {
		if *to, rest = nextField(rest); len(*to) == 0 {
			return false
		}
	}
	for {
		if field, rest = nextField(rest); len(field) == 0 {
			return false
		}
		if len(field) == 1 && field[0] == '-' {
			break
		}
		m.optional(field)
	}
	m.FSType, rest = nextField(rest)
	m.Source, rest = nextField(rest)
	m.Super, _ = nextField(rest)
	var ok1, ok2, ok3 bool
	m.ID, ok1 = decimal(id)
	m.Parent, ok2 = decimal(parent)
	m.Major, m.Minor, ok3 = deviceNumber(device)
	return ok1 && ok2 && ok3 && len(m.FSType) > 0
}

func nextField(b []byte) (field, rest []byte) {
	end := bytes.IndexByte(b, ' ')
	if end < 0 {
		return b, nil
	}
	return b[:end], b[end+1:]
}

// optional is "shared:N", "master:N"; "propagate_from:N" and "unbindable" tell
// nothing that anybody asks for.
func (m *MountLine) optional(field []byte) {
	if n, ok := bytes.CutPrefix(field, []byte("shared:")); ok {
		m.Shared, _ = decimal(n)
	} else if n, ok := bytes.CutPrefix(field, []byte("master:")); ok {
		m.Master, _ = decimal(n)
	}
}

func deviceNumber(b []byte) (major, minor uint32, ok bool) {
	colon := bytes.IndexByte(b, ':')
	if colon < 0 {
		return 0, 0, false
	}
	ma, ok1 := decimal(b[:colon])
	mi, ok2 := decimal(b[colon+1:])
	return uint32(ma), uint32(mi), ok1 && ok2
}

// decimal is a number of the kernel's, an int at the most.
func decimal(b []byte) (n int, ok bool) {
	if len(b) == 0 || len(b) > 10 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, n <= 1<<31-1
}

// DeviceNumber is "major:minor".
func DeviceNumber(major, minor uint32) string {
	return strconv.FormatUint(uint64(major), 10) + ":" + strconv.FormatUint(uint64(minor), 10)
}

// Unmangle decodes the kernel's octal escapes (mangle() of fs/proc_namespace.c):
// space, tab, newline and backslash are \040 \011 \012 \134, and '#' is \043.
func Unmangle(s []byte) string {
	if bytes.IndexByte(s, '\\') < 0 {
		return string(s)
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && octal(s[i+1]) && octal(s[i+2]) && octal(s[i+3]) {
			b.WriteByte((s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | (s[i+3] - '0'))
			i += 3
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func octal(c byte) bool { return c >= '0' && c <= '7' }
