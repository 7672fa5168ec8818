package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// mayLowerOOMScore says whether this process has CAP_SYS_RESOURCE, which root lacks in containers and some machines.
func mayLowerOOMScore() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_SYS_RESOURCE) != 0
}

// snapshotter is overlayfs where the file system of the node's root can carry it, and plain copies where it cannot.
func snapshotter(root string) string {
	trial, err := os.MkdirTemp(root, "overlay-")
	if err != nil {
		return "native"
	}
	defer os.RemoveAll(trial)
	for _, directory := range []string{"lower", "upper", "work", "merged"} {
		if os.Mkdir(filepath.Join(trial, directory), 0o755) != nil {
			return "native"
		}
	}
	// In a mount namespace of its own, so that no mount is left behind whatever happens.
	options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", trial)
	mount := exec.Command("unshare", "--mount", "--", "mount", "-t", "overlay", "overlay", "-o", options, filepath.Join(trial, "merged"))
	if mount.Run() != nil {
		return "native"
	}
	return "overlayfs"
}
