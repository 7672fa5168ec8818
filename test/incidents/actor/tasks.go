//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// threads are so many of the kernel's, each of which one goroutine keeps.
func threads(most string) error {
	n, err := strconv.Atoi(most)
	if err != nil || n > 2000 {
		return fmt.Errorf("bad number %q", most)
	}
	for range n {
		go func() {
			runtime.LockOSThread()
			_ = sleep()
		}()
	}
	return sleep()
}

// stuck leaves a thread in uninterruptible sleep. A FUSE filesystem answers
// nothing before its daemon has answered the first request, and this one has no
// daemon that reads any. The mount ends with this process's namespace, the wait
// with the process, which alone holds the connection.
func stuck(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("failed to open /dev/fuse (not privileged?): %w", err)
	}
	if err := unix.Mount("stuck", dir, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fd)); err != nil {
		return fmt.Errorf("failed to mount: %w", err)
	}
	go func() {
		_, _ = os.Stat(dir + "/x")
	}()
	return sleep()
}
