package hostfs

import (
	"os"

	"golang.org/x/sys/unix"
)

// CgroupTree reads a cgroup hierarchy relative to its mount point, which is opened
// once through the node's root: a pod's own view may begin at itself. Below it
// there are no links, only the kernel's directories and files.
type CgroupTree struct{ proc *Proc }

// OpenCgroups opens the mount point of a hierarchy; its reads are under f.Guard.
func OpenCgroups(f FS, root *Root, point string) (*CgroupTree, error) {
	dir, err := root.open(point)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	fd, err := unix.FcntlInt(dir.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "dup", Path: point, Err: err}
	}
	p, err := OpenProc(FS{Proc: f.Proc, Guard: f.Guard})
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	unix.Close(p.fd)
	p.fd = fd
	return &CgroupTree{p}, nil
}

// Close closes the directory.
func (c *CgroupTree) Close() { _ = c.proc.Close() }

// Read reads a file of a cgroup by its path from the mount point, "/" that one;
// the bytes are valid until the next call.
func (c *CgroupTree) Read(cgroup, file string) ([]byte, error) {
	return c.proc.Read("." + cgroup + "/" + file)
}

// Children are the names of the cgroups below, limit at most. A directory with
// two links has none: the kernel counts each one's "..".
func (c *CgroupTree) Children(cgroup string, limit int) (names []string, err error) {
	path := c.proc.at("." + cgroup)
	c.proc.enter()
	var st unix.Stat_t
	err = fstatat(c.proc.fd, path, &st)
	c.proc.leave()
	if err != nil || st.Nlink == 2 {
		return nil, err
	}
	fd, err := c.proc.open(path, unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	err = c.proc.eachTypedEntryOf(fd, func(kind byte, name []byte) bool {
		if kind == unix.DT_DIR {
			names = append(names, string(name))
		}
		return len(names) < limit
	})
	return names, err
}
