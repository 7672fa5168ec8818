package hostfs

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"
)

// Root reads the node's own state files. Symbolic links are followed inside the
// root only (os.Root walks with openat, on any kernel), so that a link that a
// pod has planted leads nowhere else.
type Root struct {
	root   *os.Root
	points mountPoints
}

// OpenRoot opens f.Root. mounts, where known, are the mounts of the root's
// namespace: what lies on a remote filesystem is not touched.
func OpenRoot(f FS, mounts []Mount) (*Root, error) {
	r, err := os.OpenRoot(f.Root)
	if err != nil {
		return nil, err
	}
	return &Root{root: r, points: newMountPoints(mounts)}, nil
}

// Sub opens a directory below, for thousands of files in it: a path is walked
// element by element. The caller sees to it that nothing in it is on a network
// filesystem.
func (r *Root) Sub(dir string) (*Root, error) {
	inside, err := r.inside(dir)
	if err != nil {
		return nil, err
	}
	sub, err := r.root.OpenRoot(inside)
	if err != nil {
		return nil, err
	}
	return &Root{root: sub}, nil
}

// Close closes the root directory.
func (r *Root) Close() error { return r.root.Close() }

var (
	errRemote     = errors.New("on a network filesystem, not touched")
	errNotRegular = errors.New("not a regular file")
)

// ReadFile reads a regular file of limit bytes at most. Anything else is not
// even opened: a FIFO's waiting writer would wake, and die of the close.
func (r *Root) ReadFile(name string, limit int64) ([]byte, error) {
	b, _, err := r.ReadDated(name, limit)
	return b, err
}

// ReadDated is ReadFile that also tells when the file was written, by fstat of
// what was opened.
func (r *Root) ReadDated(name string, limit int64) (b []byte, written time.Time, err error) {
	f, info, err := r.OpenRegular(name)
	if err != nil {
		return nil, written, err
	}
	defer f.Close()
	b, err = io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("larger than %d bytes", limit)
	}
	return b, info.ModTime(), err
}

// OpenRegular opens a regular file, for one of which only a part is wanted.
func (r *Root) OpenRegular(name string) (*os.File, os.FileInfo, error) {
	inside, err := r.inside(name)
	if err != nil {
		return nil, nil, err
	}
	before, err := r.root.Stat(inside)
	if err != nil {
		return nil, nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, nil, errNotRegular
	}
	f, err := r.open(name)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() { // it was swapped meanwhile
		err = errNotRegular
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
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
	inside, err := r.inside(name)
	if err != nil {
		return nil, err
	}
	return r.root.OpenFile(inside, os.O_RDONLY|openNonblock, 0)
}

// inside gives a name as os.Root takes it, where it may be touched at all.
func (r *Root) inside(name string) (string, error) {
	name = path.Clean("/" + name)
	if Remote(r.points.fstypeAt(name)) {
		return "", &os.PathError{Op: "open", Path: name, Err: errRemote}
	}
	return cmp.Or(strings.TrimPrefix(name, "/"), "."), nil
}
