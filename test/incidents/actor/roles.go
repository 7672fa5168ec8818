//go:build linux

package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// leakFIFOs makes, as docker does for every exec session, two named pipes
// DIR/<container id>/<exec id>-stdout and -stderr, and keeps them open.
func leakFIFOs(dir, perSecond, most string) error {
	rate, err := strconv.Atoi(perSecond)
	if err != nil || rate < 1 {
		return fmt.Errorf("bad rate %q", perSecond)
	}
	left, err := strconv.Atoi(most)
	if err != nil || left > 20_000 {
		return fmt.Errorf("bad bound %q", most)
	}
	container := filepath.Join(dir, id())
	if err := os.MkdirAll(container, 0o700); err != nil {
		return err
	}
	for ; left > 0; left -= 2 {
		session := filepath.Join(container, id())
		for _, stream := range []string{"-stdout", "-stderr"} {
			if err := unix.Mkfifo(session+stream, 0o600); err != nil {
				return err
			}
			// Read and write: such an open does not wait for the other end.
			if _, err := unix.Open(session+stream, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); err != nil {
				return err
			}
		}
		time.Sleep(2 * time.Second / time.Duration(rate))
	}
	return sleep()
}

// sleep never returns. Go would take an empty select for a deadlock where no
// other goroutine waits for anything.
func sleep() error {
	for {
		time.Sleep(time.Hour)
	}
}

// id is 64 hexadecimal digits, as containers and exec sessions have them.
func id() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func hold(files string) error {
	if err := open(files); err != nil {
		return err
	}
	return sleep()
}

// headless leaves a process whose first thread is a zombie while others live
// and hold the descriptors.
func headless(files string) error {
	if err := open(files); err != nil {
		return err
	}
	if os.Getpid() != unix.Gettid() {
		return errors.New("not on the first thread")
	}
	go func() { _ = sleep() }()
	time.Sleep(100 * time.Millisecond)
	_, _, err := unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
	return err
}

func open(files string) error {
	n, err := strconv.Atoi(files)
	if err != nil || n > 20_000 {
		return fmt.Errorf("bad number %q", files)
	}
	for range n {
		if _, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return err
		}
	}
	return nil
}

func zombies(children string) error {
	n, err := strconv.Atoi(children)
	if err != nil || n > 2000 {
		return fmt.Errorf("bad number %q", children)
	}
	for range n {
		if err := exec.Command("/proc/self/exe", "--help").Start(); err != nil {
			return err
		}
	}
	return sleep()
}

// joinCgroup moves this process into the cgroup PATH of every hierarchy that is
// mounted, as a service manager would.
func joinCgroup(path string) error {
	mounts, err := filepath.Glob("/sys/fs/cgroup/*/cgroup.procs")
	if err != nil {
		return err
	}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.procs"); err == nil {
		mounts = []string{"/sys/fs/cgroup/cgroup.procs"}
	}
	for _, m := range mounts {
		root := filepath.Dir(m)
		dir := filepath.Join(root, path)
		if err := makeCgroup(root, path); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0); err != nil {
			return fmt.Errorf("failed to join %s: %w", dir, err)
		}
	}
	return nil
}

// makeCgroup makes the directories. A new v1 cpuset takes nobody before it has
// cpus and memory nodes.
func makeCgroup(root, path string) error {
	dir := root
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		parent := dir
		dir = filepath.Join(dir, part)
		if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
			return err
		}
		for _, f := range []string{"cpuset.cpus", "cpuset.mems"} {
			if own, err := os.ReadFile(filepath.Join(dir, f)); err != nil || strings.TrimSpace(string(own)) != "" {
				continue
			}
			if inherited, err := os.ReadFile(filepath.Join(parent, f)); err == nil {
				_ = os.WriteFile(filepath.Join(dir, f), inherited, 0)
			}
		}
	}
	return nil
}
