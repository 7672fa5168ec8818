//go:build linux

package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const mebibyte = 1 << 20

// become replaces this process by another program: a daemon in the cgroup and
// under the process ID that this one was given.
func become(command []string) error {
	program, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	return syscall.Exec(program, command, os.Environ())
}

// grow takes memory of its own, so many MiB per second up to a bound, and goes
// from one directory of a tree to the next all the while, as updatedb does. Without
// a tree it stays where it is.
func grow(perSecond, most string, trees []string) error {
	rate, err := strconv.Atoi(perSecond)
	if err != nil || rate < 1 || rate > 200 {
		return fmt.Errorf("bad rate %q", perSecond)
	}
	bound, err := strconv.Atoi(most)
	if err != nil || bound > 600 {
		return fmt.Errorf("bad bound %q", most)
	}
	directories, err := directoriesBelow(trees)
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Second / time.Duration(rate))
	for i := 0; ; i++ {
		if i < bound {
			if err := take(); err != nil {
				return err
			}
		}
		if len(directories) > 0 {
			_ = os.Chdir(directories[i%len(directories)]) // one may have gone
		}
		<-tick.C
	}
}

func directoriesBelow(trees []string) ([]string, error) {
	var found []string
	for _, tree := range trees {
		err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				found = append(found, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// take touches each page of a mebibyte that nothing else has.
func take() error {
	b, err := unix.Mmap(-1, 0, mebibyte, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	for i := 0; i < len(b); i += os.Getpagesize() {
		b[i] = 1
	}
	return nil
}

// fill writes a file of so many MiB.
func fill(file, size string) error {
	n, err := strconv.Atoi(size)
	if err != nil || n > 200 {
		return fmt.Errorf("bad size %q", size)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	block := make([]byte, mebibyte)
	for i := range block {
		block[i] = byte(i)
	}
	for range n {
		if _, err := f.Write(block); err != nil {
			return err
		}
	}
	return f.Close()
}
