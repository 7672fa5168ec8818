package hostfs

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"syscall"
	"time"
)

// maxLinks bounds the symbolic links of one path, as the kernel does (ELOOP).
const maxLinks = 40

var errLoop = errors.New("too many symbolic links")

// Resolve follows the symbolic links of a path as a process of the node does: an
// absolute one starts at the node's root. os.Root refuses those, and systemd's
// unit directories are full of them. The last element need not exist.
func (r *Root) Resolve(name string) (string, error) {
	rest := strings.Split(strings.Trim(path.Clean("/"+name), "/"), "/")
	at := "/"
	for links := 0; len(rest) > 0; {
		next := path.Join(at, rest[0])
		rest = rest[1:]
		target, err := r.link(next)
		if err != nil {
			return "", err
		}
		if target == "" {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", errLoop
		}
		if path.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(strings.Trim(target, "/"), "/"), rest...)
	}
	return at, nil
}

// link is the text of a symbolic link, "" for anything else and for nothing.
func (r *Root) link(name string) (string, error) {
	inside, err := r.inside(name)
	if err != nil {
		return "", err
	}
	target, err := r.root.Readlink(inside)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EINVAL) { // EINVAL: no link
		return "", nil
	}
	return target, err
}

// ReadLinked is ReadFile through any symbolic links; resolved is where they lead.
func (r *Root) ReadLinked(name string, limit int64) (b []byte, resolved string, err error) {
	if resolved, err = r.Resolve(name); err == nil {
		b, err = r.ReadFile(resolved, limit)
	}
	return b, resolved, err
}

// ModTime is when a file was last written, by stat(2) below the root.
func (r *Root) ModTime(name string) (time.Time, error) {
	inside, err := r.inside(name)
	if err != nil {
		return time.Time{}, err
	}
	info, err := r.root.Stat(inside)
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}
