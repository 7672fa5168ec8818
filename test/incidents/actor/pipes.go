//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pipes keeps so many open.
func pipes(count string) error {
	n, err := strconv.Atoi(count)
	if err != nil || n > 5000 {
		return fmt.Errorf("bad number %q", count)
	}
	for range n {
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
			return err
		}
	}
	return sleep()
}

// runcInit becomes a program that calls itself so, once a new pipe of its user is
// cut down to two pages.
func runcInit() error {
	for range 600 {
		var fds [2]int
		if err := unix.Pipe(fds[:]); err != nil {
			return err
		}
		size, err := unix.FcntlInt(uintptr(fds[1]), unix.F_GETPIPE_SZ, 0)
		if err != nil {
			return err
		}
		if size <= 2*os.Getpagesize() {
			return syscall.Exec("/proc/self/exe", []string{"runc", "init", strconv.Itoa(fds[1])}, os.Environ())
		}
		unix.Close(fds[0])
		unix.Close(fds[1])
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("new pipes are of the usual size: this user is not over fs.pipe-user-pages-soft")
}

// bootstrap writes more into a pipe than fits, as runc did before 1.0.0 with what
// it tells the container's first process, before anybody reads.
func bootstrap(fd string) error {
	if err := setComm("runc:[2:INIT]"); err != nil {
		return err
	}
	n, err := strconv.Atoi(fd)
	if err != nil {
		return err
	}
	message := make([]byte, 3*os.Getpagesize())
	if _, err := unix.Write(n, message); err != nil {
		return err
	}
	if err := setComm("started"); err != nil {
		return err
	}
	return sleep()
}
