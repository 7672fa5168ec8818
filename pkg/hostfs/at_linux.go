package hostfs

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// openat(2), readlinkat(2), fstatat(2) and statx(2) for a path that ends in NUL, as
// getdents64(2) gives it. Those of package unix take a string, which costs an
// allocation or two a call, and a node has 200,000 links to read.
//
// unix.Syscall and not RawSyscall: the runtime must know of a call that blocks.

func openat(dir int, path []byte, flags int) (int, error) {
	fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(&path[0])), uintptr(flags|unix.O_CLOEXEC), 0, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

func readlinkat(dir int, path, link []byte) (int, error) {
	n, _, errno := unix.Syscall6(unix.SYS_READLINKAT, uintptr(dir), uintptr(unsafe.Pointer(&path[0])),
		uintptr(unsafe.Pointer(&link[0])), uintptr(len(link)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func fstatat(dir int, path []byte, st *unix.Stat_t) error {
	_, _, errno := unix.Syscall6(unix.SYS_NEWFSTATAT, uintptr(dir), uintptr(unsafe.Pointer(&path[0])), uintptr(unsafe.Pointer(st)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// statxMode is statx(2) for the type alone, without a question to a server.
func statxMode(dir int, path []byte) (mode uint16, err error) {
	const flags = unix.AT_STATX_DONT_SYNC | unix.AT_NO_AUTOMOUNT
	var st unix.Statx_t
	_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(dir), uintptr(unsafe.Pointer(&path[0])), flags,
		unix.STATX_TYPE, uintptr(unsafe.Pointer(&st)), 0)
	if errno != 0 {
		return 0, errno
	}
	return st.Mode, nil
}

// enter and leave stand around each system call.
func (p *Proc) enter() { p.guard.calls.Add(1) }
func (p *Proc) leave() { p.guard.calls.Add(1) }

// open, readlink and readInto are what all else is made of: system calls
// that the guard knows of. None is made for a file that is known not to answer.

func (p *Proc) open(path []byte, flags int) (int, error) {
	if err := p.guard.check(path); err != nil {
		return -1, err
	}
	p.enter()
	defer p.leave()
	return openat(p.fd, path, unix.O_RDONLY|flags)
}

func (p *Proc) readlink(path []byte) (int, error) {
	if err := p.guard.check(path); err != nil {
		return 0, err
	}
	p.enter()
	defer p.leave()
	return readlinkat(p.fd, path, p.buf)
}

func (p *Proc) readInto(fd int, buf []byte) (int, error) {
	p.enter()
	defer p.leave()
	return unix.Read(fd, buf)
}
