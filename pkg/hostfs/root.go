package hostfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// Root reads the node's own state files. Symbolic links are followed inside the
// root only (os.Root walks with openat, on any kernel), so that a link that a
// pod has planted leads nowhere else.
type Root struct {
	root   *os.Root
	mounts []Mount
}

// OpenRoot opens f.Root. mounts, where known, are the mounts of the root's
// namespace: what lies on a remote filesystem is not touched.
func OpenRoot(f FS, mounts []Mount) (*Root, error) {
	r, err := os.OpenRoot(f.Root)
	if err != nil {
		return nil, err
	}
	return &Root{root: r, mounts: mounts}, nil
}

// Close closes the root directory.
func (r *Root) Close() error { return r.root.Close() }

var errRemote = errors.New("on a network filesystem, not touched")

// ReadFile reads a regular file of limit bytes at most.
func (r *Root) ReadFile(name string, limit int64) ([]byte, error) {
	f, err := r.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", name, limit)
	}
	return b, err
}

// ReadDirNames lists a directory, limit names at most, in no order.
func (r *Root) ReadDirNames(name string, limit int) ([]string, error) {
	f, err := r.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(limit)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return names, err
}

// open does not wait on a FIFO: O_NONBLOCK.
func (r *Root) open(name string) (*os.File, error) {
	name = path.Clean("/" + name)
	if Remote(FSTypeAt(r.mounts, name)) {
		return nil, &os.PathError{Op: "open", Path: name, Err: errRemote}
	}
	if name == "/" {
		return r.root.Open(".")
	}
	return r.root.OpenFile(strings.TrimPrefix(name, "/"), os.O_RDONLY|openNonblock, 0)
}
