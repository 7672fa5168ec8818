//go:build e2e

package main

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"
)

// traces is what a cluster could leave behind on a machine.
type traces map[string][]string

func readTraces(t *testing.T) traces {
	t.Helper()
	found := traces{"network namespaces": entries(netnsDirectory), "cgroups": cgroups(), "processes": daemons(t)}
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		t.Fatal(err)
	}
	found["mounts"] = strings.Split(string(mounts), "\n")
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		found["links"] = append(found["links"], link.Name)
	}
	for _, path := range kubeletSysctls() {
		value, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found["settings"] = append(found["settings"], path+" "+string(value))
	}
	return found
}

// requireNoTraces compares the machine with what it was. Init gets a moment to collect what has been killed.
func (before traces) requireNoTraces(t *testing.T, dir string) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	after := readTraces(t)
	for !slices.Equal(before["processes"], after["processes"]) && time.Now().Before(deadline) {
		time.Sleep(100 * time.Millisecond)
		after = readTraces(t)
	}
	for kind := range before {
		if !slices.Equal(before[kind], after[kind]) {
			t.Errorf("%s differ:\nbefore %q\nafter  %q", kind, before[kind], after[kind])
		}
	}
	if exists(dir) {
		t.Errorf("%s is still there", dir)
	}
}

func entries(directory string) []string {
	found, err := os.ReadDir(directory)
	if err != nil {
		return []string{"there is no " + directory}
	}
	names := []string{directory}
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	return names
}

func cgroups() []string {
	var directories []string
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			directories = append(directories, path)
		}
		return nil
	})
	return directories
}

// daemons lists the living processes of the kinds that clusters are made of; others come and go on any machine.
func daemons(t *testing.T) []string {
	t.Helper()
	pids, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{"etcd", "kube-", "kubelet", "containerd", "node-init", "pause", "nsenter", "runc", "qemu-"}
	var found []string
	for _, pid := range pids {
		s, err := readStatus(pid)
		if err != nil || s.state == "Z" {
			continue
		}
		if slices.ContainsFunc(kinds, func(kind string) bool { return strings.HasPrefix(s.command, kind) }) {
			found = append(found, strconv.Itoa(pid)+" "+s.command)
		}
	}
	sort.Strings(found)
	return found
}
