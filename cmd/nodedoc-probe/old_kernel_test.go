//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// without is how this program runs another one under a filter.
const without = "without-new-system-calls"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == without {
		fmt.Fprintln(os.Stderr, runWithout(os.Args[2:]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// newest are the numbers of finit_module(2), the last system call of Linux 3.10.
// What came later has higher ones: memfd_create, statx, openat2, pidfd_open,
// statmount, listmount.
func newest() (uint32, error) {
	switch runtime.GOARCH {
	case "amd64", "arm64":
		return unix.SYS_FINIT_MODULE, nil
	}
	return 0, fmt.Errorf("the order of system calls on %s is not known here", runtime.GOARCH)
}

// runWithout becomes a program for which, by seccomp(2), later system calls do
// not exist: as on an old kernel, and under the profiles of old runtimes.
func runWithout(command []string) error {
	last, err := newest()
	if err != nil {
		return err
	}
	const allow, errno = 0x7fff0000, 0x00050000 // SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number, seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K, K: last, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: allow},
		{Code: unix.BPF_RET | unix.BPF_K, K: errno | uint32(unix.ENOSYS)},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread() // both are a thread's, and execve keeps those of its caller
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
		return err
	}
	if _, err := unix.PidfdOpen(os.Getpid(), 0); !errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("the filter does nothing: pidfd_open gives %w", err)
	}
	return syscall.Exec(command[0], command, os.Environ())
}

// TestOldKernel: nothing that the probe needs is younger than Linux
// 3.10. It says the same without, and which way it took.
func TestOldKernel(t *testing.T) {
	probe := filepath.Join(t.TempDir(), "probe")
	if out, err := exec.Command("go", "build", "-o", probe, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	child := holder(t)
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses, report.CollectContainers, report.CollectBackground,
		report.CollectMounts, report.CollectDevices, report.CollectTasks, report.CollectKubelet)
	req.PIDs, req.FDs, req.AllFDs, req.FileTypes, req.Users = []int{child}, true, true, true, true
	text, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	ask := []string{probe, "--root", t.TempDir(), "report", string(text)}
	with := reportOf(t, ask)
	old := reportOf(t, append([]string{os.Args[0], without}, ask...))
	for _, r := range []*report.NodeReport{&with, &old} { // this machine may have no kubelet
		r.Probe.Failed = slices.DeleteFunc(r.Probe.Failed, func(f report.Unreadable) bool { return f.What == report.CollectKubelet })
	}
	if len(with.Probe.Failed)+len(old.Probe.Failed) > 0 {
		t.Errorf("failed: %v, without new system calls: %v", with.Probe.Failed, old.Probe.Failed)
	}
	for _, r := range []*report.NodeReport{&with, &old} { // it goes with the machine's free memory
		if p := process(*r, child); p != nil && p.Detail != nil && p.Detail.Rights != nil {
			p.Detail.Rights.OOMScore = nil
		}
	}
	if a, b := process(with, child), process(old, child); a == nil || !reflect.DeepEqual(a, b) {
		t.Errorf("process %d is %+v, without new system calls %+v", child, a, b)
	}
	if !reflect.DeepEqual(with.Node.Unreadable, old.Node.Unreadable) || with.Node.Kernel != old.Node.Kernel || with.Node.BootID != old.Node.BootID {
		t.Errorf("node is %+v, without new system calls %+v", with.Node, old.Node)
	}
	if m := old.Mounts; m != nil && m.Method != "mountinfo" {
		t.Errorf("mounts were read by %q", m.Method)
	}
}

// holder starts a process that holds a bit of everything.
func holder(t *testing.T) (pid int) {
	t.Helper()
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range pair {
			cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(uintptr(fd), "socket"))
		}
	}
	inotify, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(uintptr(inotify), "inotify"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	fmt.Fprintln(in, "ready")
	if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	return cmd.Process.Pid
}

func reportOf(t *testing.T, command []string) report.NodeReport {
	t.Helper()
	var errOut bytes.Buffer
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errOut.String())
	}
	var r report.NodeReport
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// process finds one, without what differs from one look to the next.
func process(r report.NodeReport, pid int) *report.Process {
	for _, p := range r.Processes.List {
		if p.PID == pid {
			p.Cgroup, p.State = 0, "" // the former is an index
			return &p
		}
	}
	return nil
}
