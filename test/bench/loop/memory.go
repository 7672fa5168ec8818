//go:build linux

package main

import (
	"fmt"
	"path"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

func (l *loop) memory(pid int) error {
	b, err := l.proc.ReadPID(pid, "statm")
	if err != nil {
		return err
	}
	if pages, ok := hostfs.ParseResidentPages(b); ok {
		l.bytes += int(pages) << 12
	}
	if b, err = l.proc.ReadPID(pid, "status"); err != nil {
		return err
	}
	hostfs.ParseMemoryStatus(b)
	return nil
}

func (l *loop) rollup(pid int) error {
	b, err := l.proc.ReadPID(pid, "smaps_rollup")
	if err != nil {
		return err
	}
	pss, _ := hostfs.ParsePSS(b)
	l.bytes += int(pss)
	return nil
}

// cgroups reads how much each holds, what of, and its limit.
func cgroups(mount string) error {
	tree, err := hostfs.OpenCgroups(hostfs.FS{}, mount)
	if err != nil {
		return err
	}
	defer tree.Close()
	usage, limit, v2 := "memory.usage_in_bytes", "memory.limit_in_bytes", false
	if _, err := tree.Read("/", usage); err != nil {
		usage, limit, v2 = "memory.current", "memory.max", true
	}
	dirs := []string{"/"}
	var sum uint64
	for i := 0; i < len(dirs); i++ {
		if b, err := tree.Read(dirs[i], usage); err == nil {
			n, _ := hostfs.ParseNumber(b)
			sum += n
		}
		if b, err := tree.Read(dirs[i], "memory.stat"); err == nil {
			hostfs.ParseMemoryStat(b, v2)
		}
		if b, err := tree.Read(dirs[i], limit); err == nil {
			hostfs.ParseMemoryLimit(b)
		}
		names, err := tree.Children(dirs[i], 1<<20)
		if err != nil && !hostfs.Gone(err) {
			return err
		}
		for _, name := range names {
			dirs = append(dirs, path.Join(dirs[i], name))
		}
	}
	fmt.Printf("%d cgroups, %d bytes\n", len(dirs), sum)
	return nil
}
