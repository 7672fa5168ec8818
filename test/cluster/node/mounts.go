package node

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// mount is one line of a node's file system table; sources are the machine's, targets the node's.
type mount struct {
	source, target, kind string
	flags                uintptr
	options              string
}

// table is what a node sees on top of its root directory. The machine's programs are shared, read-only, so that
// nothing on a node can harm them; all that Kubernetes writes to is the node's own.
func table() []mount {
	return []mount{
		{"proc", "/proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"sysfs", "/sys", "sysfs", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"/sys/fs/cgroup", "/sys/fs/cgroup", "", unix.MS_BIND | unix.MS_REC, ""},
		{"/dev", "/dev", "", unix.MS_BIND, ""},
		{"devpts", "/dev/pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5"},
		{"tmpfs", "/dev/shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
		{"tmpfs", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
		{"/usr", "/usr", "", unix.MS_BIND | unix.MS_REC, ""},
	}
}

// enterRoot makes root, with all that belongs into it, the root of this mount namespace and lets go of the machine's.
func enterRoot(root string) error {
	// First of all cut the ties: no mount made here may reach the machine.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("failed to make the mounts private: %w", err)
	}
	// Only a mount point can become the root.
	if err := unix.Mount(root, root, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("failed to bind %q on itself: %w", root, err)
	}
	for _, m := range table() {
		if err := m.mount(root); err != nil {
			return err
		}
	}
	if err := shareSystemDirectories(root); err != nil {
		return err
	}
	if err := pivot(root); err != nil {
		return err
	}
	// As on a machine with systemd: volumes with mount propagation need it.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("failed to make the node's mounts shared: %w", err)
	}
	return nil
}

func (m mount) mount(root string) error {
	target := filepath.Join(root, m.target)
	if err := os.MkdirAll(target, 0o755); err != nil {
		return fmt.Errorf("failed to make mount point %q: %w", target, err)
	}
	if err := unix.Mount(m.source, target, m.kind, m.flags, m.options); err != nil {
		return fmt.Errorf("failed to mount %q on %q: %w", m.source, target, err)
	}
	if m.target != "/usr" {
		return nil
	}
	return readOnly(target)
}

func readOnly(target string) error {
	if err := unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("failed to make %q read-only: %w", target, err)
	}
	return nil
}

// shareSystemDirectories brings /bin and its like along: links into /usr where they are merged, mounts where not.
func shareSystemDirectories(root string) error {
	for _, directory := range []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"} {
		info, err := os.Lstat(directory)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("failed to look at %q: %w", directory, err)
		}
		if info.Mode()&os.ModeSymlink == 0 {
			shared := mount{directory, directory, "", unix.MS_BIND | unix.MS_REC, ""}
			if err := shared.mount(root); err != nil {
				return err
			}
			if err := readOnly(filepath.Join(root, directory)); err != nil {
				return err
			}
			continue
		}
		target, err := os.Readlink(directory)
		if err != nil {
			return fmt.Errorf("failed to read link %q: %w", directory, err)
		}
		if err := os.Symlink(target, filepath.Join(root, directory)); err != nil && !os.IsExist(err) {
			return fmt.Errorf("failed to link %q in the node: %w", directory, err)
		}
	}
	return nil
}

// pivot swaps the roots and drops the old one, which pivot_root(".", ".") has stacked on top of the new one.
func pivot(root string) error {
	if err := unix.Chdir(root); err != nil {
		return fmt.Errorf("failed to enter %q: %w", root, err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("failed to make %q the root: %w", root, err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("failed to detach the machine's root: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("failed to enter the node's root: %w", err)
	}
	return nil
}
