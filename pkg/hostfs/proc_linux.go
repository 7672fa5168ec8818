package hostfs

import (
	"io"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Proc reads a procfs relative to one open directory: no path is looked up
// twice, and every file is one open, one read, one close.
type Proc struct {
	fd      int
	guard   *Guard
	path    []byte // of the file at hand, ends in NUL
	buf     []byte // what was read of it
	entries []byte // of the directory at hand
	link    []byte // the text of its entry
	lines   []byte // of EachLine, made by its first call
	mounts  []byte // of EachMountLineOf, likewise
}

// entriesBytes takes 10,000 descriptors in one call.
const bufBytes, linkBytes, entriesBytes = 64 << 10, 4096, 256 << 10

// OpenProc opens f.Proc. A Proc has one set of buffers and so serves one
// goroutine.
func OpenProc(f FS) (*Proc, error) {
	fd, err := unix.Open(f.Proc, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: f.Proc, Err: err}
	}
	guard := f.Guard
	if guard == nil {
		guard = NewSilence().Guard()
	}
	return &Proc{fd: fd, guard: guard, buf: make([]byte, bufBytes), link: make([]byte, linkBytes)}, nil
}

// Close closes the directory.
func (p *Proc) Close() error { return unix.Close(p.fd) }

// Read reads up to 64 KiB of a file; the bytes are valid until the next call.
// The kernel fills such a file's read in one go, so one suffices.
func (p *Proc) Read(name string) ([]byte, error) { return p.read(p.at(name)) }

// ReadPID reads /proc/PID/name.
func (p *Proc) ReadPID(pid int, name string) ([]byte, error) { return p.read(p.atPID(pid, name)) }

func (p *Proc) read(path []byte) ([]byte, error) {
	fd, err := p.open(path, unix.O_NOFOLLOW)
	if err != nil {
		return nil, pathError("open", path, err)
	}
	n, err := p.readInto(fd, p.buf)
	unix.Close(fd)
	if err != nil {
		return nil, pathError("read", path, err)
	}
	return p.buf[:n], nil
}

// Readlink reads the link /proc/PID/name.
func (p *Proc) Readlink(pid int, name string) (string, error) {
	path := p.atPID(pid, name)
	n, err := p.readlink(path)
	if err != nil {
		return "", pathError("readlink", path, err)
	}
	return string(p.buf[:n]), nil
}

// at and atPID give the path of name, and of name in a process's directory,
// valid until the next call of either.
func (p *Proc) at(name string) []byte {
	p.path = append(append(p.path[:0], name...), 0)
	return p.path
}

func (p *Proc) atPID(pid int, name string) []byte {
	p.path = append(strconv.AppendInt(p.path[:0], int64(pid), 10), '/')
	p.path = append(append(p.path, name...), 0)
	return p.path
}

func pathError(op string, path []byte, err error) error {
	return &os.PathError{Op: op, Path: string(path[:len(path)-1]), Err: err}
}

// PIDs lists the thread groups, in ascending order.
func (p *Proc) PIDs() ([]int, error) {
	var pids []int
	err := p.eachEntry(p.at("."), func(name []byte) bool {
		if pid, ok := parsePID(name); ok {
			pids = append(pids, pid)
		}
		return true
	})
	slices.Sort(pids) // procfs does, a captured tree does not
	return pids, err
}

// EachMountLineOf calls fn for every line of /proc/PID/mountinfo, see
// EachMountLine. That of a zombie cannot be read: EINVAL.
func (p *Proc) EachMountLineOf(pid int, fn func(*MountLine)) (skipped int, err error) {
	path := p.atPID(pid, "mountinfo")
	fd, err := p.open(path, 0)
	if err != nil {
		return 0, pathError("open", path, err)
	}
	defer unix.Close(fd)
	if p.mounts == nil {
		p.mounts = make([]byte, maxMountLine+mountRead)
	}
	if skipped, err = eachMountLine(procFile{p, fd}, p.mounts, fn); err != nil {
		err = &os.PathError{Op: "read", Path: "mountinfo", Err: err}
	}
	return skipped, err
}

// ReadMounts are the mounts of a process's namespace.
func (p *Proc) ReadMounts(pid int) (mounts []Mount, skipped int, err error) {
	skipped, err = p.EachMountLineOf(pid, func(m *MountLine) { mounts = append(mounts, m.mount()) })
	return mounts, skipped, err
}

// procFile is an open file as an io.Reader.
type procFile struct {
	p  *Proc
	fd int
}

func (f procFile) Read(b []byte) (int, error) {
	n, err := f.p.readInto(f.fd, b)
	switch {
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}
