//go:build linux

package probe

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// userHz is USER_HZ, the unit of times in /proc: 100 on every architecture that
// Kubernetes runs on (include/asm-generic/param.h), whatever CONFIG_HZ is.
const userHz = 100

func collectNode(_ context.Context, r run) (publish, error) {
	proc, err := hostfs.OpenProc(r.fs)
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	bad := unreadable{}
	read := func(name string) []byte {
		b, err := proc.Read(name)
		if err != nil {
			bad.add("/proc/"+name, err)
		}
		return b
	}
	line := func(name string) string { return report.Escape(strings.TrimSpace(string(read(name)))) }
	n := report.Node{
		Hostname: line("sys/kernel/hostname"), Kernel: line("sys/kernel/osrelease"),
		BootID: line("sys/kernel/random/boot_id"), Arch: runtime.GOARCH,
		Uptime: hostfs.ParseUptime(read("uptime")), Now: time.Now().Unix(), ClockTicks: userHz,
		BootTime: hostfs.ParseBootTime(readAll(r.fs, "stat", bad)),
		OS:       report.Escape(osName(r.fs, bad)),
	}
	n.Unreadable = bad.list()
	return func(r *run) { r.report.Node = n }, nil
}

// readAll reads a file of /proc that may be longer than one read: /proc/stat
// has a line per CPU and one with a number per interrupt.
func readAll(fs hostfs.FS, name string, bad unreadable) []byte {
	b, err := os.ReadFile(fs.Proc + "/" + name)
	if err != nil {
		bad.add("/proc/"+name, err)
	}
	return b
}

func osName(fs hostfs.FS, bad unreadable) string {
	root, err := hostfs.OpenRoot(fs, nil)
	if err != nil {
		bad.add("/", err)
		return ""
	}
	defer root.Close()
	for _, name := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		var b []byte
		if b, err = root.ReadFile(name, 64<<10); err == nil {
			return hostfs.ParseOSRelease(b)
		}
	}
	bad.add("/etc/os-release", err)
	return ""
}

// ownPID is this process's pid as fs.Proc numbers it: a pod that shares the
// host's pid namespace has the same number in both.
func ownPID(fs hostfs.FS) int {
	self, err := os.Readlink(fs.Proc + "/self")
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(self)
	if err != nil {
		return 0
	}
	return pid
}
