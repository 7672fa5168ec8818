package hostfs

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// EachTaskStat calls fn with the id of each thread of a process and the content
// of its stat, valid during the call. A thread that ends meanwhile is passed over.
func (p *Proc) EachTaskStat(pid int, fn func(tid int, stat []byte)) error {
	fd, err := p.open(p.atPID(pid, "task"), unix.O_DIRECTORY)
	if err != nil {
		return pathError("open", p.path, err)
	}
	defer unix.Close(fd)
	if err := p.guard.check(p.atPID(pid, "task/0/stat")); err != nil { // any thread's stands for all
		return pathError("open", p.path, err)
	}
	path := make([]byte, 0, 32)
	return p.eachEntryOf(fd, func(name []byte) bool {
		tid, ok := parsePID(name)
		if !ok {
			return true
		}
		path = append(append(path[:0], name...), "/stat\x00"...)
		if n, err := p.readAt(fd, path); err == nil {
			fn(tid, p.buf[:n])
		}
		return true
	})
}

// readAt reads a file in an open directory into p.buf.
func (p *Proc) readAt(dir int, path []byte) (int, error) {
	p.enter()
	defer p.leave()
	fd, err := openat(dir, path, unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return 0, err
	}
	n, err := unix.Read(fd, p.buf)
	unix.Close(fd)
	return n, err
}

// ReadTask reads /proc/PID/task/TID/name.
func (p *Proc) ReadTask(pid, tid int, name string) ([]byte, error) {
	return p.ReadPID(pid, "task/"+strconv.Itoa(tid)+"/"+name)
}
