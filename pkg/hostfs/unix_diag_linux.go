package hostfs

import (
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// diagPatience bounds the wait for each part of an answer.
const diagPatience = 2 * time.Second

// UnixSockets asks sock_diag(7), Linux 3.3 and later, for all unix sockets of
// the network namespace that process pid lives in, and calls fn with each
// until it returns false. The name is valid during the call.
//
// For another namespace than this process's, which own tells, one thread goes
// there to open the netlink socket, and back; that takes CAP_SYS_ADMIN.
func (p *Proc) UnixSockets(pid int, own bool, fn func(UnixSocket) bool) error {
	fd, err := p.diagSocket(pid, own)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	patience := unix.NsecToTimeval(diagPatience.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	// A netlink socket that is not connected talks to the kernel.
	p.enter()
	_, err = unix.Write(fd, unixDiagDump())
	p.leave()
	if err != nil {
		return os.NewSyscallError("write", err)
	}
	buf := make([]byte, 32<<10) // the kernel fills no more than that at once
	more := true
	for more {
		n, err := p.readInto(fd, buf)
		if err != nil {
			return os.NewSyscallError("read", err)
		}
		done, err := ParseUnixDiag(buf[:n], func(s UnixSocket) { more = more && fn(s) })
		if err != nil || done || n == 0 {
			return err
		}
	}
	return nil
}

func (p *Proc) diagSocket(pid int, own bool) (fd int, err error) {
	open := func() error {
		var err error
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
		return os.NewSyscallError("socket", err)
	}
	if own {
		err = open()
		return fd, err
	}
	there, err := p.openNetNS(p.atPID(pid, "ns/net"))
	if err != nil {
		return -1, err
	}
	defer unix.Close(there)
	back, err := p.openNetNS(p.at("self/ns/net"))
	if err != nil {
		return -1, err
	}
	defer unix.Close(back)
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
			runtime.UnlockOSThread()
			done <- os.NewSyscallError("setns", err)
			return
		}
		err := open()
		// A thread that cannot go back stays locked, and ends here.
		if unix.Setns(back, unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	err = <-done
	return fd, err
}

func (p *Proc) openNetNS(path []byte) (int, error) {
	fd, err := p.open(path, 0)
	if err != nil {
		return -1, pathError("open", path, err)
	}
	return fd, nil
}

// IsProcfs says whether this is the kernel's procfs and not a copy of one.
func (p *Proc) IsProcfs() bool {
	var fs unix.Statfs_t
	return unix.Fstatfs(p.fd, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC
}
