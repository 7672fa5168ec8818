package hostfs

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
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
func UnixSockets(f FS, pid int, own bool, fn func(UnixSocket) bool) error {
	fd, err := diagSocket(f, pid, own)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	patience := unix.NsecToTimeval(diagPatience.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if err := unix.Sendto(fd, unixDiagDump(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return os.NewSyscallError("sendto", err)
	}
	buf := make([]byte, 32<<10) // the kernel fills no more than that at once
	more := true
	for more {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return os.NewSyscallError("recvfrom", err)
		}
		done, err := ParseUnixDiag(buf[:n], func(s UnixSocket) { more = more && fn(s) })
		if err != nil || done || n == 0 {
			return err
		}
	}
	return nil
}

func diagSocket(f FS, pid int, own bool) (fd int, err error) {
	open := func() error {
		var err error
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
		return os.NewSyscallError("socket", err)
	}
	if own {
		err = open()
		return fd, err
	}
	there, err := openNetNS(f, strconv.Itoa(pid))
	if err != nil {
		return -1, err
	}
	defer unix.Close(there)
	back, err := openNetNS(f, "self")
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

func openNetNS(f FS, pid string) (int, error) {
	fd, err := unix.Open(filepath.Join(f.Proc, pid, "ns/net"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	return fd, os.NewSyscallError("open", err)
}

// IsProcfs says whether this is the kernel's procfs and not a copy of one.
func (p *Proc) IsProcfs() bool {
	var fs unix.Statfs_t
	return unix.Fstatfs(p.fd, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC
}
