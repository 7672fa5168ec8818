package hostfs

import (
	"bytes"
	"strings"
)

// Mount is what is used of one line of /proc/PID/mountinfo,
// proc_pid_mountinfo(5):
//
//	36 35 98:0 /root /mount/point rw,noatime master:1 shared:2 - ext4 /dev/root rw
//	 id parent dev  root  point    options   0..n optional    - type source super
type Mount struct {
	Point  string
	FSType string
}

// maxMountLine bounds one line: an ordinary user can make one of hundreds of
// KB in a user namespace. Such a line is left out, the others stand.
const maxMountLine = 64 << 10

func parseMountLine(line []byte) (Mount, bool) {
	if len(line) > maxMountLine {
		return Mount{}, false
	}
	f := bytes.Fields(line)
	for i := 6; i+1 < len(f); i++ {
		if string(f[i]) == "-" {
			return Mount{Point: unmangle(string(f[4])), FSType: string(f[i+1])}, true
		}
	}
	return Mount{}, false
}

// unmangle decodes the kernel's octal escapes (mangle() of fs/seq_file.c):
// space, tab, newline and backslash are \040 \011 \012 \134, and '#' is \043.
func unmangle(s string) string {
	if !strings.Contains(s, `\`) {
		return s
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

// FSTypeAt is the type of the filesystem that path lies on: of the mounts whose
// point is a parent of it, the longest and, of equals, the last made.
func FSTypeAt(mounts []Mount, path string) string {
	best, fstype := -1, ""
	for _, m := range mounts {
		inside := path == m.Point || m.Point == "/" || strings.HasPrefix(path, m.Point+"/")
		if inside && len(m.Point) >= best {
			best, fstype = len(m.Point), m.FSType
		}
	}
	return fstype
}

// Remote says whether reading a file of this filesystem may wait for somebody
// else, a server or a daemon, and so for ever.
func Remote(fstype string) bool {
	for _, t := range []string{"nfs", "cifs", "smb", "fuse", "ceph", "9p", "afs", "lustre", "gluster", "autofs", "beegfs", "gpfs", "orangefs", "ocfs2", "gfs2"} {
		if strings.HasPrefix(fstype, t) {
			return true
		}
	}
	return false
}
