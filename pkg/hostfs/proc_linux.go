package hostfs

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Proc reads a procfs relative to one open directory: no path is looked up
// twice, and every file is one open, one read, one close.
type Proc struct {
	fd  int
	buf []byte
	// lines is the buffer of EachLine, made by its first call.
	lines []byte
}

// OpenProc opens f.Proc. A Proc has one buffer and so serves one goroutine.
func OpenProc(f FS) (*Proc, error) {
	fd, err := unix.Open(f.Proc, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: f.Proc, Err: err}
	}
	return &Proc{fd: fd, buf: make([]byte, 64<<10)}, nil
}

// Close closes the directory.
func (p *Proc) Close() error { return unix.Close(p.fd) }

// Read reads up to 64 KiB of a file; the bytes are valid until the next call.
// The kernel fills such a file's read in one go, so one suffices.
func (p *Proc) Read(name string) ([]byte, error) {
	fd, err := unix.Openat(p.fd, name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, p.buf)
	if err != nil {
		return nil, &os.PathError{Op: "read", Path: name, Err: err}
	}
	return p.buf[:n], nil
}

// ReadPID reads /proc/PID/name.
func (p *Proc) ReadPID(pid int, name string) ([]byte, error) {
	return p.Read(strconv.Itoa(pid) + "/" + name)
}

// Readlink reads the link /proc/PID/name.
func (p *Proc) Readlink(pid int, name string) (string, error) {
	path := strconv.Itoa(pid) + "/" + name
	n, err := unix.Readlinkat(p.fd, path, p.buf)
	if err != nil {
		return "", &os.PathError{Op: "readlink", Path: path, Err: err}
	}
	return string(p.buf[:n]), nil
}

// PIDs lists the thread groups, in ascending order.
func (p *Proc) PIDs() ([]int, error) {
	var pids []int
	err := p.eachEntry(".", func(name []byte) bool {
		if pid, ok := parsePID(name); ok {
			pids = append(pids, pid)
		}
		return true
	})
	slices.Sort(pids) // procfs does, a captured tree does not
	return pids, err
}

func parsePID(name []byte) (int, bool) {
	if len(name) == 0 || name[0] == '0' {
		return 0, false
	}
	pid := 0
	for _, c := range name {
		if c < '0' || c > '9' || pid > 1<<24 {
			return 0, false
		}
		pid = pid*10 + int(c-'0')
	}
	return pid, true
}

// ReadMounts parses /proc/PID/mountinfo of a process of the node's own mount
// namespace.
func (p *Proc) ReadMounts(f FS, pid int) ([]Mount, error) {
	b, err := os.ReadFile(filepath.Join(f.Proc, strconv.Itoa(pid), "mountinfo"))
	if err != nil {
		return nil, err
	}
	mounts, _ := ParseMountinfo(b)
	return mounts, nil
}
