package hostfs

import "bytes"

// The file types of st_mode, inode(7).
const (
	typeMask = 0o170000
	// TypeDirectory is that of a directory.
	TypeDirectory = 0o040000
)

// WithType puts the type of st_mode behind the text of a link that is a path.
// A NUL stands between them, which no path has.
func WithType(link []byte, mode uint16) []byte {
	return append(link, 0, byte(mode&typeMask>>12))
}

// MayHaveType says whether a link's text leaves open what type of file it is: a
// path, but for those that the kernel makes up.
func MayHaveType(link []byte) bool {
	return bytes.HasPrefix(link, []byte("/")) && !bytes.HasPrefix(link, []byte("/memfd:")) && !bytes.HasPrefix(link, []byte("/dmabuf:"))
}

// typedLink: the type is the kernel's word, and counts more than the path. What
// a regular file is for, only the path tells: a namespace's mount.
func typedLink(path, format string) FDLink {
	l, kind := pathLink(path), ""
	if len(format) == 1 {
		kind = typeKind(format[0])
	}
	switch l.Kind {
	case "file", "device", "deleted file":
	default:
		return l
	}
	if kind == "" || kind == "file" && l.Kind == "deleted file" {
		return l
	}
	return FDLink{Kind: kind, Pattern: Fold(path)}
}

func typeKind(format byte) string {
	switch format {
	case 0o01:
		return "FIFO"
	case 0o02:
		return "character device"
	case 0o04:
		return "directory"
	case 0o06:
		return "block device"
	case 0o10:
		return "file"
	case 0o12:
		return "symbolic link" // opened by O_PATH, as the next
	case 0o14:
		return "socket file"
	}
	return ""
}
