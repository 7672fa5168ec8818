//go:build linux

package probe

import (
	"cmp"
	"errors"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

const (
	maxFileTypes     = 100_000 // asked for, in all
	maxTypeMounts    = 200_000 // lines of mountinfo read for it, in all
	fileTypePatience = 500 * time.Millisecond
	maxLostAskers    = 4
)

var (
	errMayWait     = errors.New("may wait for a server, not touched")
	errWhichMount  = errors.New("its filesystem is not known, not touched")
	errNoAnswer    = errors.New("no answer, given up")
	errNotAskAgain = errors.New("not asked: others before have not been answered")
)

// fileTypes asks for the types of files that are open: regular, directory,
// named FIFO, device. Text cannot tell these, and the kernel might ask a server.
// So only those on filesystems without one are asked for, and by somebody who
// can be left behind.
type fileTypes struct {
	fs         hostfs.FS
	info       *fdInfo
	bad        unreadable
	told, left int
	mounts     typeMounts
	asker      *typeAsker
	lost       int // askers
}

func newFileTypes(fs hostfs.FS, info *fdInfo, bad unreadable) *fileTypes {
	return &fileTypes{fs: fs, info: info, bad: bad, left: maxFileTypes,
		mounts: typeMounts{proc: info.proc, types: map[int32]uint8{}, ids: map[string]uint8{}, left: maxTypeMounts}}
}

// finish ends it, and says for how many it has told the type.
func (f *fileTypes) finish() *int {
	if f.asker != nil {
		close(f.asker.ask)
	}
	return &f.told
}

// tell puts the type behind the text of a descriptor's link, where it can.
func (f *fileTypes) tell(pid int, fd, link []byte) []byte {
	info, err := f.info.proc.Read(fdinfoOf(pid, fd))
	if err != nil {
		if !gone(err) {
			f.bad.add("/proc/PID/fdinfo", err)
		}
		return link
	}
	directory := openedAsDirectory(info)
	fstype := ""
	if id, ok := hostfs.FDMount(info); ok {
		fstype = f.mounts.fstype(pid, id)
	}
	mode, err := f.ask(typeQuestion{pid, string(fd), fstype})
	switch {
	case err == nil:
		f.told++
		return hostfs.WithType(link, mode)
	case directory:
		return hostfs.WithType(link, hostfs.TypeDirectory)
	case !gone(err):
		f.bad.add("type of what is open on "+cmp.Or(fstype, "a mount that its process does not have"), err)
	}
	return link
}

func (f *fileTypes) ask(q typeQuestion) (mode uint16, err error) {
	switch {
	case q.fstype == "":
		return 0, errWhichMount
	case !hostfs.Local(q.fstype):
		return 0, errMayWait
	case f.left == 0:
		return 0, errTooMany
	case f.lost == maxLostAskers:
		return 0, errNotAskAgain
	}
	f.left--
	if f.asker == nil {
		if f.asker, err = newTypeAsker(f.fs); err != nil {
			return 0, err
		}
	}
	a, ok := f.asker.put(q, fileTypePatience)
	if !ok {
		f.asker = nil
		f.lost++
		return 0, errNoAnswer
	}
	return a.mode, a.err
}
