package hostfs

import (
	"bytes"
	"encoding/binary"
	"os"

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
	n, err := c.count(c.proc.atPID(pid, "fd"))
	if n == 0 {
		if other := c.proc.otherThreadFD(pid); other != "" {
			return c.count(c.proc.atPID(pid, other))
		}
	}
	return n, err
}

func (c FDCounter) count(dir []byte) (int, error) {
	if !c.BySize {
		n := 0
		err := c.proc.eachEntry(dir, func([]byte) bool { n++; return true })
		return n, err
	}
	var st unix.Stat_t
	c.proc.enter()
	err := fstatat(c.proc.fd, dir, &st) // of the directory itself: that never waits for its process
	c.proc.leave()
	if err != nil {
		return 0, pathError("stat", dir, err)
	}
	return int(st.Size), nil
}

// EachFD calls fn with the link text of each descriptor until fn returns false.
// Both the descriptor's number and the text are valid during the call. A
// descriptor that was closed meanwhile is passed over.
func (p *Proc) EachFD(pid int, fn func(fd, link []byte) bool) error {
	n, err := p.eachLink(p.atPID(pid, "fd"), fn)
	if n == 0 {
		if other := p.otherThreadFD(pid); other != "" {
			_, err = p.eachLink(p.atPID(pid, other), fn)
		}
	}
	return err
}

// eachLink passes on the links in a directory, and says how many entries it had.
func (p *Proc) eachLink(dir []byte, fn func(name, link []byte) bool) (n int, err error) {
	fd, err := p.open(dir, unix.O_DIRECTORY)
	if err != nil {
		return 0, pathError("open", dir, err)
	}
	defer unix.Close(fd)
	err = p.eachEntryOf(fd, func(name []byte) bool {
		n++
		p.enter()
		size, err := readlinkat(fd, name[:len(name)+1], p.link)
		p.leave()
		return err != nil || fn(name, p.link[:size])
	})
	return n, err
}

// otherThreadFD is "task/TID/fd" of a living thread where the first one has
// ended before others, which hold the table: then /proc/PID/fd is empty, or
// cannot be opened. "" for all other processes.
func (p *Proc) otherThreadFD(pid int) string {
	b, err := p.ReadPID(pid, "stat")
	if err != nil {
		return ""
	}
	if s, err := ParseStat(b); err != nil || s.State != 'Z' || s.Threads <= 1 {
		return ""
	}
	found := ""
	_ = p.eachEntry(p.atPID(pid, "task"), func(name []byte) bool {
		if tid, ok := parsePID(name); ok && tid != pid {
			found = "task/" + string(name) + "/fd"
		}
		return found == ""
	})
	return found
}

func (p *Proc) eachEntry(dir []byte, fn func(name []byte) bool) error {
	fd, err := p.open(dir, unix.O_DIRECTORY)
	if err != nil {
		return pathError("open", dir, err)
	}
	defer unix.Close(fd)
	return p.eachEntryOf(fd, fn)
}

func (p *Proc) eachEntryOf(fd int, fn func(name []byte) bool) error {
	return p.eachTypedEntryOf(fd, func(_ byte, name []byte) bool { return fn(name) })
}

// eachTypedEntryOf walks the records of getdents64(2) in the buffer itself: inode
// (8 bytes), offset (8), record length (2), type (1), name up to a NUL, which is
// there behind the name that fn gets. "." and ".." are left out.
func (p *Proc) eachTypedEntryOf(fd int, fn func(kind byte, name []byte) bool) error {
	if p.entries == nil {
		p.entries = make([]byte, entriesBytes)
	}
	for {
		p.enter()
		n, err := unix.Getdents(fd, p.entries)
		p.leave()
		if err != nil {
			return os.NewSyscallError("getdents", err)
		}
		if n == 0 {
			return nil
		}
		for rest := p.entries[:n]; len(rest) > 19; {
			size := int(binary.NativeEndian.Uint16(rest[16:]))
			if size < 20 || size > len(rest) {
				return os.NewSyscallError("getdents", unix.EIO)
			}
			end := bytes.IndexByte(rest[19:size], 0)
			if end < 0 {
				return os.NewSyscallError("getdents", unix.EIO)
			}
			kind, name := rest[18], rest[19:19+end]
			rest = rest[size:]
			if string(name) != "." && string(name) != ".." && !fn(kind, name) {
				return nil
			}
		}
	}
}
