//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// cgroups gives the crowd owners: as many cgroups, one after the other filled
// with equally many of its processes. They are of version 2, which every kernel
// since 4.5 can mount beside version 1.
func (b *bench) cgroups(crowd helper, owners int) (remove func() error, err error) {
	mount, err := os.MkdirTemp(b.dir, "cgroup-")
	if err != nil {
		return nil, err
	}
	if err := syscall.Mount("cgroup2", mount, "cgroup2", 0, ""); err != nil {
		return nil, fmt.Errorf("failed to mount cgroups of version 2: %w", err)
	}
	return cgroupsBelow(mount, crowd, owners, false)
}

// memoryCgroups is cgroups in the hierarchy with the memory controller, which is
// mounted at mount.
func (b *bench) memoryCgroups(crowd helper, owners int) (mount string, remove func() error, err error) {
	remove = func() error { return nil }
	if mount, err = os.MkdirTemp(b.dir, "memory-"); err != nil {
		return "", remove, err
	}
	if err := syscall.Mount("cgroup", mount, "cgroup", 0, "memory"); err != nil { // it belongs to version 2
		if err := syscall.Mount("cgroup2", mount, "cgroup2", 0, ""); err != nil {
			return "", remove, fmt.Errorf("failed to mount memory cgroups: %w", err)
		}
	}
	remove, err = cgroupsBelow(mount, crowd, owners, true)
	return mount, remove, err
}

func cgroupsBelow(mount string, crowd helper, owners int, memory bool) (remove func() error, err error) {
	top, err := os.MkdirTemp(mount, "nodedoc-bench-")
	if err != nil {
		return func() error { return nil }, err
	}
	remove = func() (err error) {
		for i := range owners {
			err = errors.Join(err, removeCgroup(filepath.Join(top, strconv.Itoa(i))))
		}
		return errors.Join(err, removeCgroup(top))
	}
	if memory {
		if err := errors.Join(enableMemory(mount), enableMemory(top)); err != nil {
			return remove, err
		}
	}
	return remove, fillCgroups(top, crowd.cmd.Process.Pid, owners)
}

// enableMemory lets the cgroups below have the controller; version 1 has no such
// file, all there have it.
func enableMemory(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, "cgroup.subtree_control"), os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString("+memory")
	return errors.Join(err, f.Close())
}

// removeCgroup waits a little: whose parent was killed dies a moment later.
func removeCgroup(dir string) error {
	err := syscall.Rmdir(dir)
	for end := time.Now().Add(time.Second); errors.Is(err, syscall.EBUSY) && time.Now().Before(end); err = syscall.Rmdir(dir) {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil && !errors.Is(err, syscall.ENOENT) {
		return fmt.Errorf("failed to remove cgroup %s: %w", dir, err)
	}
	return nil
}

func fillCgroups(top string, crowd, owners int) error {
	members, err := startedAfter(crowd)
	if err != nil {
		return err
	}
	each := (len(members) + owners - 1) / owners
	for i, part := range slices.Collect(slices.Chunk(members, each)) {
		dir := filepath.Join(top, strconv.Itoa(i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		for _, pid := range part {
			// Opened anew for each: one write moves one process.
			if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// startedAfter are the processes with higher pids: on the stage nobody but the
// crowd starts any while it is made.
func startedAfter(first int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid > first {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
