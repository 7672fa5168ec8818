package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// layout is where a cluster keeps its things: every path hangs off its directory.
type layout struct {
	dir string
}

func newLayout(dir string) (layout, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return layout{}, fmt.Errorf("failed to make %q absolute: %w", dir, err)
	}
	// These mean something to ip, to overlay mounts or to /proc/mounts.
	if strings.ContainsAny(absolute, " \t\n\\,:") || absolute == "/" {
		return layout{}, fmt.Errorf("failed to use directory %q: give one without blanks, commas, colons and backslashes", absolute)
	}
	return layout{dir: absolute}, nil
}

// lock marks the directory as a cluster's, too.
func (l layout) lock() string       { return filepath.Join(l.dir, "lock") }
func (l layout) state() string      { return filepath.Join(l.dir, "cluster.json") }
func (l layout) kubeconfig() string { return filepath.Join(l.dir, "kubeconfig") }
func (l layout) before() string     { return filepath.Join(l.dir, "before.json") }
func (l layout) build() string      { return filepath.Join(l.dir, "build") }
func (l layout) etcd() string       { return filepath.Join(l.dir, "etcd") }

func (l layout) bin(name string) string    { return filepath.Join(l.dir, "bin", name) }
func (l layout) config(name string) string { return filepath.Join(l.dir, "config", name) }

func (l layout) log(parts ...string) string {
	return filepath.Join(append([]string{l.dir, "log"}, parts...)...)
}

// root is the root directory of a node, as the machine sees it.
func (l layout) root(node string, parts ...string) string {
	return filepath.Join(append([]string{l.dir, "nodes", node, "root"}, parts...)...)
}

// What belongs to a virtual machine: what it unpacks, and how to get in.
func (l layout) vmConfig(node string) string {
	return filepath.Join(l.dir, "nodes", node, "config.tar")
}
func (l layout) vmKey(node string) string { return filepath.Join(l.dir, "nodes", node, "ssh") }
func (l layout) vmKnown(node string) string {
	return filepath.Join(l.dir, "nodes", node, "known_hosts")
}

// write writes a file that only root may read, with the directories above it.
func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("failed to make the directory of %q: %w", path, err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("failed to write %q: %w", path, err)
	}
	return nil
}

// place puts a program somewhere else: as a hard link, which costs nothing, or as a copy on another file system.
func place(program, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("failed to make the directory of %q: %w", path, err)
	}
	if os.Link(program, path) == nil {
		return nil
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return fmt.Errorf("failed to read %q: %w", program, err)
	}
	if err := os.WriteFile(path, content, 0o755); err != nil {
		return fmt.Errorf("failed to write %q: %w", path, err)
	}
	return nil
}
