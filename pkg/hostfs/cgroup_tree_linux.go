package hostfs

import "golang.org/x/sys/unix"

// CgroupTree reads a cgroup hierarchy relative to its mount point, which is opened
// once. Below it there are no links, only the kernel's directories and files.
type CgroupTree struct{ proc *Proc }

// OpenCgroups opens the mount point of a hierarchy through the node's root: a pod's
// own view may begin at itself. A path of mountinfo has no links in it.
func OpenCgroups(f FS, point string) (*CgroupTree, error) {
	p, err := OpenProc(FS{Proc: f.Root + point, Guard: f.Guard})
	return &CgroupTree{p}, err
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
	fd, err := c.proc.open(c.proc.at("."+cgroup), unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil && st.Nlink == 2 {
		return nil, nil
	}
	err = c.proc.eachTypedEntryOf(fd, func(kind byte, name []byte) bool {
		if kind == unix.DT_DIR {
			names = append(names, string(name))
		}
		return len(names) < limit
	})
	return names, err
}
