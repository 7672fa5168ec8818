package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// netnsDirectory is made by the first `ip netns add` after a boot, which also mounts it on itself.
const netnsDirectory = "/run/netns"

// before is what the machine was like before the cluster, where no name tells what is the cluster's.
type before struct {
	Sysctls        map[string]string `json:"sysctls"`
	NetnsDirectory bool              `json:"netnsDirectory"`
}

// kubeletSysctls are what a kubelet sets. They belong to the machine, not to a namespace.
func kubeletSysctls() []string {
	return []string{
		"/proc/sys/vm/overcommit_memory",
		"/proc/sys/vm/panic_on_oom",
		"/proc/sys/kernel/panic",
		"/proc/sys/kernel/panic_on_oops",
		"/proc/sys/kernel/keys/root_maxkeys",
		"/proc/sys/kernel/keys/root_maxbytes",
	}
}

func saveBefore(l layout) error {
	b := before{Sysctls: map[string]string{}, NetnsDirectory: exists(netnsDirectory)}
	for _, path := range kubeletSysctls() {
		value, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("failed to save %q: %w", path, err)
		}
		b.Sysctls[path] = string(value)
	}
	encoded, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return fmt.Errorf("failed to encode the machine's settings: %w", err)
	}
	return write(l.before(), encoded)
}

// restoreBefore puts back what saveBefore remembered; if `up` did not come that far, it changed nothing either.
func restoreBefore(l layout) error {
	encoded, err := os.ReadFile(l.before())
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("failed to read the machine's settings: %w", err)
	}
	var b before
	if err := json.Unmarshal(encoded, &b); err != nil {
		return fmt.Errorf("failed to decode the machine's settings in %q: %w", l.before(), err)
	}
	return errors.Join(b.restoreSysctls(), b.restoreNetnsDirectory())
}

func (b before) restoreSysctls() error {
	var failures []error
	for _, path := range kubeletSysctls() {
		now, err := os.ReadFile(path)
		if err != nil || string(now) == b.Sysctls[path] {
			continue
		}
		if err := os.WriteFile(path, []byte(b.Sysctls[path]), 0o644); err != nil {
			failures = append(failures, fmt.Errorf("failed to restore %q: %w", path, err))
		}
	}
	return errors.Join(failures...)
}

// restoreNetnsDirectory leaves the directory alone if it had been there, or if somebody uses it by now.
func (b before) restoreNetnsDirectory() error {
	entries, err := os.ReadDir(netnsDirectory)
	if b.NetnsDirectory || err != nil || len(entries) > 0 {
		return nil
	}
	if err := unix.Unmount(netnsDirectory, unix.MNT_DETACH); err != nil && err != unix.EINVAL {
		return fmt.Errorf("failed to unmount %q: %w", netnsDirectory, err)
	}
	if err := os.Remove(netnsDirectory); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("failed to remove %q: %w", netnsDirectory, err)
	}
	return nil
}
