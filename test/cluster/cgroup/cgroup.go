// Package cgroup makes, enters and removes control groups in every hierarchy of the machine, be it v1, hybrid or v2.
package cgroup

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// mountRoot is where hierarchies count; a container that mounts them elsewhere as well is not asked.
const mountRoot = "/sys/fs/cgroup"

// Hierarchy is one mounted tree of control groups.
type Hierarchy struct {
	Mount   string
	Unified bool // cgroup v2
	Options string
}

// Tree is all hierarchies together.
type Tree []Hierarchy

// Mounted reads the machine's hierarchies.
func Mounted() (Tree, error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("failed to list the cgroup hierarchies: %w", err)
	}
	defer file.Close()
	tree, err := parse(file)
	if err != nil {
		return nil, fmt.Errorf("failed to list the cgroup hierarchies: %w", err)
	}
	if len(tree) == 0 {
		return nil, fmt.Errorf("failed to find a cgroup hierarchy below %q: mount one there", mountRoot)
	}
	return tree, nil
}

// parse reads mountinfo, one mount per line:
//
//	36 35 98:0 /mnt1 /sys/fs/cgroup/memory rw,noatime master:1 - cgroup cgroup rw,memory
//	             root mount point          options   optional  - type source super options
func parse(r io.Reader) (Tree, error) {
	var tree Tree
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		before, after, found := strings.Cut(lines.Text(), " - ")
		mount, kind := strings.Fields(before), strings.Fields(after)
		if !found || len(mount) < 6 || len(kind) < 3 || !strings.HasPrefix(mount[4], mountRoot) {
			continue
		}
		if kind[0] == "cgroup" || kind[0] == "cgroup2" {
			tree = append(tree, Hierarchy{Mount: mount[4], Unified: kind[0] == "cgroup2", Options: kind[2]})
		}
	}
	return tree, lines.Err()
}

// pure says that there is nothing but v2; in hybrid mode the v2 hierarchy has no controllers worth delegating.
func (t Tree) pure() bool {
	return len(t) == 1 && t[0].Unified
}

func (h Hierarchy) has(controller string) bool {
	for _, option := range strings.Split(h.Options, ",") {
		if option == controller {
			return true
		}
	}
	return false
}
