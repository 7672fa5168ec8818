package hostfs

import (
	"encoding/binary"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// FDCounter counts descriptors the cheapest way that this kernel has.
type FDCounter struct {
	proc *Proc
	// BySize: since Linux 6.2 st_size of /proc/PID/fd is the number of open
	// descriptors (commit f1f1f2569901). Before, it is 0.
	BySize bool
}

// NewFDCounter finds out which way works, by this process's own descriptors:
// it has some, so a size of 0 means an older kernel. Another filesystem than
// procfs has sizes of its own, and is listed.
func NewFDCounter(p *Proc) FDCounter {
	var fs unix.Statfs_t
	var st unix.Stat_t
	bySize := unix.Fstatfs(p.fd, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC &&
		unix.Fstatat(p.fd, "self/fd", &st, 0) == nil && st.Size > 0
	return FDCounter{proc: p, BySize: bySize}
}

// Method names the way in use.
func (c FDCounter) Method() string {
	if c.BySize {
		return "st_size"
	}
	return "getdents"
}

// Count is the number of descriptors of a process.
func (c FDCounter) Count(pid int) (int, error) {
	n, err := c.count(strconv.Itoa(pid) + "/fd")
	if n == 0 {
		// The first thread may have ended before others, which hold the table.
		if dir := c.proc.otherThread(pid); dir != "" {
			return c.count(dir + "/fd")
		}
	}
	return n, err
}

func (c FDCounter) count(dir string) (int, error) {
	if !c.BySize {
		n := 0
		err := c.proc.eachEntry(dir, func([]byte) bool { n++; return true })
		return n, err
	}
	var st unix.Stat_t
	if err := unix.Fstatat(c.proc.fd, dir, &st, 0); err != nil {
		return 0, &os.PathError{Op: "stat", Path: dir, Err: err}
	}
	return int(st.Size), nil
}

// EachFD calls fn with the number and the link text of each descriptor until fn
// returns false. Both are valid during the call. A descriptor that was closed
// meanwhile is passed over.
func (p *Proc) EachFD(pid int, fn func(fd, link []byte) bool) error {
	dir := strconv.Itoa(pid) + "/fd"
	if other := p.otherThread(pid); other != "" {
		dir = other + "/fd"
	}
	dirFD, err := unix.Openat(p.fd, dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(dirFD)
	link := make([]byte, 4096)
	return p.eachEntryOf(dirFD, dir, func(name []byte) bool {
		n, err := unix.Readlinkat(dirFD, string(name), link)
		return err != nil || fn(name, link[:n])
	})
}

// otherThread is the directory of a living thread, "PID/task/TID", where the
// first one has ended: then /proc/PID/fd is empty, or cannot be opened. "" for
// all other processes.
func (p *Proc) otherThread(pid int) string {
	b, err := p.ReadPID(pid, "stat")
	if err != nil {
		return ""
	}
	if s, err := ParseStat(b); err != nil || s.State != 'Z' || s.Threads <= 1 {
		return ""
	}
	task := strconv.Itoa(pid) + "/task"
	found := ""
	_ = p.eachEntry(task, func(name []byte) bool {
		if tid, ok := parsePID(name); ok && tid != pid {
			found = task + "/" + string(name)
		}
		return found == ""
	})
	return found
}

func (p *Proc) eachEntry(dir string, fn func(name []byte) bool) error {
	fd, err := unix.Openat(p.fd, dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(fd)
	return p.eachEntryOf(fd, dir, fn)
}

// eachEntryOf walks the records of getdents64(2) in the buffer itself: inode
// (8 bytes), offset (8), record length (2), type (1), name up to a NUL. "." and
// ".." are left out.
func (p *Proc) eachEntryOf(fd int, dir string, fn func(name []byte) bool) error {
	for {
		n, err := unix.Getdents(fd, p.buf)
		if err != nil {
			return &os.PathError{Op: "getdents", Path: dir, Err: err}
		}
		if n == 0 {
			return nil
		}
		for rest := p.buf[:n]; len(rest) > 19; {
			size := int(binary.NativeEndian.Uint16(rest[16:]))
			if size < 20 || size > len(rest) {
				return &os.PathError{Op: "getdents", Path: dir, Err: unix.EIO}
			}
			name := rest[19:size]
			rest = rest[size:]
			for i, c := range name {
				if c == 0 {
					name = name[:i]
					break
				}
			}
			if string(name) == "." || string(name) == ".." {
				continue
			}
			if !fn(name) {
				return nil
			}
		}
	}
}
