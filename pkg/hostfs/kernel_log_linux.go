package hostfs

import (
	"os"

	"golang.org/x/sys/unix"
)

// maxKernelLog bounds what is read of the log, in bytes; of a longer one the
// last lines. It is 128 KiB to 2 MiB as kernels come (CONFIG_LOG_BUF_SHIFT).
const maxKernelLog = 4 << 20

// Types of syslog(2).
const (
	syslogReadAll    = 3
	syslogSizeBuffer = 10
)

// ReadKernelLog reads the log by syslog(2): that takes nothing out of it and
// waits for nobody, needs CAP_SYSLOG where kernel.dmesg_restrict is set, and
// begins after the last dmesg --clear. f.Log is read in its place.
func ReadKernelLog(f FS) (string, error) {
	if f.Log != "" {
		b, err := os.ReadFile(f.Log)
		return string(b), err
	}
	size, err := unix.Klogctl(syslogSizeBuffer, nil)
	if err != nil {
		return "", os.NewSyscallError("syslog", err)
	}
	buf := make([]byte, min(size, maxKernelLog))
	n, err := unix.Klogctl(syslogReadAll, buf)
	if err != nil {
		return "", os.NewSyscallError("syslog", err)
	}
	return string(buf[:n]), nil
}
