//go:build linux

// mountloop reads mounts as mounts.c does, by nodedoc's readers and by others'.
package main

import (
	"fmt"
	"os"

	"github.com/moby/sys/mountinfo"
	mountutils "k8s.io/mount-utils"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

func main() {
	if err := run(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, "mountloop:", err)
		os.Exit(1)
	}
}

func run(role string) error {
	work := map[string]func() (int, error){
		"nodedoc":         func() (int, error) { return ours(readLines, 1) },
		"nodedoc-each":    func() (int, error) { return each(readLines) },
		"nodedoc-numbers": func() (int, error) { return each(readNumbers) },
		"moby": func() (int, error) {
			all, err := mountinfo.GetMounts(nil)
			return len(all), err
		},
		"mount-utils": func() (int, error) {
			all, err := mountutils.ParseMountInfo("/proc/self/mountinfo")
			return len(all), err
		},
	}[role]
	if work == nil {
		return fmt.Errorf("no such loop %q", role)
	}
	n, err := work()
	fmt.Println(n, "mounts")
	return err
}

// counts are mounts by device number.
type counts map[uint64]int

func (c counts) add(major, minor uint32) { c[uint64(major)<<32|uint64(minor)]++ }

type reader func(proc *hostfs.Proc, pid int, c counts) error

func readLines(proc *hostfs.Proc, pid int, c counts) error {
	_, err := proc.EachMountLineOf(pid, func(m *hostfs.MountLine) { c.add(m.Major, m.Minor) })
	return err
}

func readNumbers(proc *hostfs.Proc, pid int, c counts) error {
	ns, err := proc.MountNamespaceID(pid)
	if err != nil {
		return err
	}
	return proc.EachMountBatch(ns, func(batch []uint64) error {
		for _, id := range batch {
			m, err := proc.StatMount(ns, id)
			if err != nil {
				return err
			}
			c.add(m.Major, m.Minor)
		}
		return nil
	})
}

// ours reads the namespaces of these processes.
func ours(read reader, pids ...int) (n int, err error) {
	proc, err := hostfs.OpenProc(hostfs.FS{Proc: "/proc"})
	if err != nil {
		return 0, err
	}
	defer proc.Close()
	for _, pid := range pids {
		c := counts{}
		if err := read(proc, pid, c); err != nil {
			return n, err
		}
		for _, mounts := range c {
			n += mounts
		}
	}
	return n, nil
}

// each reads every namespace once.
func each(read reader) (int, error) {
	proc, err := hostfs.OpenProc(hostfs.FS{Proc: "/proc"})
	if err != nil {
		return 0, err
	}
	defer proc.Close()
	pids, err := proc.PIDs()
	if err != nil {
		return 0, err
	}
	seen := map[string]bool{}
	var first []int
	for _, pid := range pids {
		link, err := proc.Readlink(pid, "ns/mnt")
		if err != nil || seen[link] {
			continue
		}
		seen[link] = true
		first = append(first, pid)
	}
	return ours(read, first...)
}
