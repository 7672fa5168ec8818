package cgroup

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Top lists the groups at the top of any hierarchy that match, each once.
func (t Tree) Top(match func(name string) bool) ([]string, error) {
	var names []string
	for _, hierarchy := range t {
		entries, err := os.ReadDir(hierarchy.Mount)
		if err != nil {
			return nil, fmt.Errorf("failed to list the cgroups of %q: %w", hierarchy.Mount, err)
		}
		for _, entry := range entries {
			if entry.IsDir() && match(entry.Name()) && !slices.Contains(names, entry.Name()) {
				names = append(names, entry.Name())
			}
		}
	}
	return names, nil
}

// Thaw lets the frozen processes of a group run, since a process that the v1 freezer holds does not even die.
func (t Tree) Thaw(group string) error {
	for _, hierarchy := range t {
		if !hierarchy.has("freezer") {
			continue
		}
		for _, directory := range below(filepath.Join(hierarchy.Mount, group)) {
			state := filepath.Join(directory, "freezer.state")
			if err := os.WriteFile(state, []byte("THAWED"), 0o644); err != nil && !os.IsNotExist(err) {
				return fmt.Errorf("failed to thaw cgroup %q: %w", directory, err)
			}
		}
	}
	return nil
}

// Remove removes a group, and those below it, from every hierarchy. Its processes must have been killed; the kernel
// may need a moment to forget them.
func (t Tree) Remove(group string, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for _, hierarchy := range t {
		for {
			err := removeOnce(filepath.Join(hierarchy.Mount, group))
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("failed to remove cgroup %q of %q: %w", group, hierarchy.Mount, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return nil
}

func removeOnce(top string) error {
	directories := below(top)
	slices.Reverse(directories)
	for _, directory := range directories {
		if err := os.Remove(directory); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// below lists top and every group below it, parents first. Groups that vanish meanwhile are left out.
func below(top string) []string {
	var directories []string
	_ = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			directories = append(directories, path)
		}
		return nil
	})
	return directories
}
