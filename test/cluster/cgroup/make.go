package cgroup

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Make makes a group, and those above it, in every hierarchy, such that processes can be put into it.
func (t Tree) Make(group string) error {
	for _, hierarchy := range t {
		directory := hierarchy.Mount
		for _, part := range strings.Split(strings.Trim(group, "/"), "/") {
			if t.pure() {
				if err := delegate(directory); err != nil {
					return err
				}
			}
			parent := directory
			directory = filepath.Join(directory, part)
			if err := os.Mkdir(directory, 0o755); err != nil && !os.IsExist(err) {
				return fmt.Errorf("failed to make cgroup %q: %w", directory, err)
			}
			if hierarchy.has("cpuset") {
				if err := inheritCpuset(parent, directory); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// delegate hands every controller of a v2 group to its children.
func delegate(directory string) error {
	available, err := os.ReadFile(filepath.Join(directory, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("failed to read the controllers of cgroup %q: %w", directory, err)
	}
	for _, controller := range strings.Fields(string(available)) {
		control := filepath.Join(directory, "cgroup.subtree_control")
		if err := os.WriteFile(control, []byte("+"+controller), 0o644); err != nil {
			return fmt.Errorf("failed to enable controller %q in %q: is this the machine's root cgroup? %w", controller, directory, err)
		}
	}
	return nil
}

// inheritCpuset fills in what a new v1 cpuset lacks: without CPUs and memory nodes no process can enter it.
func inheritCpuset(parent, directory string) error {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		own, err := os.ReadFile(filepath.Join(directory, name))
		if err != nil {
			return fmt.Errorf("failed to read %q of cgroup %q: %w", name, directory, err)
		}
		if len(bytes.TrimSpace(own)) > 0 {
			continue
		}
		inherited, err := os.ReadFile(filepath.Join(parent, name))
		if err != nil {
			return fmt.Errorf("failed to read %q of cgroup %q: %w", name, parent, err)
		}
		if err := os.WriteFile(filepath.Join(directory, name), inherited, 0o644); err != nil {
			return fmt.Errorf("failed to set %q of cgroup %q: %w", name, directory, err)
		}
	}
	return nil
}

// Join moves the calling process into a group of every hierarchy.
func (t Tree) Join(group string) error {
	for _, hierarchy := range t {
		procs := filepath.Join(hierarchy.Mount, group, "cgroup.procs")
		if err := os.WriteFile(procs, []byte("0"), 0o644); err != nil {
			return fmt.Errorf("failed to join cgroup %q of %q: %w", group, hierarchy.Mount, err)
		}
	}
	return nil
}
