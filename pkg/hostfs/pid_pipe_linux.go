package hostfs

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ErrOtherFile says that a descriptor has become another file meanwhile.
var ErrOtherFile = errors.New("it is another file by now")

// errOtherPIDs says that the processes of this procfs have other numbers for us.
var errOtherPIDs = errors.New("this procfs is of another pid namespace")

// PipeSizes asks for the sizes of pipes through copies of a process's descriptors,
// pidfd_getfd(2), since Linux 5.6: F_GETPIPE_SZ and FIONREAD change nothing, and a
// copy that is closed at once is noticed by nobody. Reopening a pipe would wake who
// waits for the other end, or be read as one.
type PipeSizes struct {
	proc  *Proc
	pid   int
	pidfd int
}

// OpenPipeSizes begins with a process. It takes the right to trace it, as reading
// its links does.
func OpenPipeSizes(proc *Proc, pid int) (*PipeSizes, error) {
	n, err := proc.readlink(proc.at("self"))
	if err != nil || string(proc.buf[:n]) != strconv.Itoa(os.Getpid()) {
		return nil, errors.Join(errOtherPIDs, err)
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	return &PipeSizes{proc: proc, pid: pid, pidfd: fd}, nil
}

// Close ends with it.
func (s *PipeSizes) Close() { unix.Close(s.pidfd) }

// Size is a pipe's capacity and content in bytes. same looks at the text of its
// link: where it is another file by now, nothing of it is touched.
func (s *PipeSizes) Size(fd int, same func(link []byte) bool) (capacity, filled uint64, err error) {
	link, err := s.proc.Readlink(s.pid, "fd/"+strconv.Itoa(fd))
	if err != nil {
		return 0, 0, err
	}
	if !same([]byte(link)) {
		return 0, 0, ErrOtherFile
	}
	own, err := unix.PidfdGetfd(s.pidfd, fd, 0)
	if errors.Is(err, unix.EBADF) { // closed meanwhile
		return 0, 0, ErrOtherFile
	}
	if err != nil {
		return 0, 0, os.NewSyscallError("pidfd_getfd", err)
	}
	defer unix.Close(own)
	size, err := unix.FcntlInt(uintptr(own), unix.F_GETPIPE_SZ, 0)
	if err != nil { // EBADF: no pipe
		return 0, 0, os.NewSyscallError("fcntl", err)
	}
	in, err := unix.IoctlGetInt(own, unix.TIOCINQ) // FIONREAD by another name
	if err != nil {
		return 0, 0, os.NewSyscallError("ioctl", err)
	}
	return uint64(size), uint64(in), nil
}

// ReadOrWrite tells what a system call does with a pipe by its number on this
// machine's architecture; "" for others. A 32-bit program's numbers are others.
func ReadOrWrite(call Syscall) string {
	switch call.Number {
	case unix.SYS_READ, unix.SYS_READV:
		return "read"
	case unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_VMSPLICE:
		return "write"
	}
	return ""
}
