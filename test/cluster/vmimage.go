package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/vm"
)

// vmDiskSize is what a machine may fill; the file has holes, and takes about a seventh of it.
const vmDiskSize = "4G"

// buildVMImage makes the disk, kernel and initial file system of virtual machines if the cache lacks them: the release
// of Debian that this machine has, from the mirror that this machine uses. The cache is keyed by the release and by
// what is put on the disk.
func buildVMImage(ctx context.Context, l layout, p progress) (vm.Image, error) {
	if runtime.GOARCH != "amd64" {
		return vm.Image{}, fmt.Errorf("failed to make a virtual machine on %s: only amd64 is known", runtime.GOARCH)
	}
	osRelease, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return vm.Image{}, fmt.Errorf("failed to read this machine's release: %w", err)
	}
	codename, err := vm.Codename(string(osRelease))
	if err != nil {
		return vm.Image{}, err
	}
	cache, err := vmCache(codename)
	if err != nil {
		return vm.Image{}, err
	}
	image := vmImageIn(cache)
	if exists(cache) {
		return image, nil
	}
	p.say("installing Debian %s for virtual machines: a minute or two, once", codename)
	if err := makeVMImage(ctx, l, codename, cache); err != nil {
		return vm.Image{}, err
	}
	p.say("installed Debian %s", codename)
	return image, nil
}

func vmImageIn(directory string) vm.Image {
	return vm.Image{
		Kernel: filepath.Join(directory, "vmlinuz"),
		Initrd: filepath.Join(directory, "initrd.gz"),
		Disk:   filepath.Join(directory, "disk.raw"),
	}
}

func vmCache(codename string) (string, error) {
	var key bytes.Buffer
	// The initial file system stands for all that is not in the list of packages.
	if err := vm.WriteInitrd(&key, nil, nil); err != nil {
		return "", err
	}
	fmt.Fprintln(&key, codename, vm.Packages(), vmDiskSize)
	sum := sha256.Sum256(key.Bytes())
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("failed to find the user's cache: set HOME or XDG_CACHE_HOME: %w", err)
	}
	return filepath.Join(cache, "nodedoc-cluster", "vm-"+codename+"-"+hex.EncodeToString(sum[:])[:12]), nil
}

// makeVMImage works below the cluster's directory, where `down` finds what an end half way leaves, mounts included.
func makeVMImage(ctx context.Context, l layout, codename, cache string) error {
	root, unfinished := filepath.Join(l.build(), "debian"), cache+".unfinished"
	for _, directory := range []string{l.build(), unfinished} {
		if err := unmountAndRemove(directory); err != nil {
			return err
		}
		defer func() { _ = unmountAndRemove(directory) }()
	}
	if err := os.MkdirAll(unfinished, 0o755); err != nil {
		return fmt.Errorf("failed to make the cache %q: %w", unfinished, err)
	}
	if err := debootstrap(ctx, l, codename, root); err != nil {
		return err
	}
	image := vmImageIn(unfinished)
	if err := writeKernel(ctx, root, image); err != nil {
		return err
	}
	if err := command(ctx, "mkfs.ext4", "-q", "-d", root, image.Disk, vmDiskSize); err != nil {
		return err
	}
	if err := os.Rename(unfinished, cache); err != nil {
		return fmt.Errorf("failed to put %q in its place: %w", cache, err)
	}
	return nil
}

// unmountAndRemove first cuts what a failed installation leaves mounted: /proc and /sys.
func unmountAndRemove(directory string) error {
	if err := unmountBelow(directory); err != nil {
		return err
	}
	if err := os.RemoveAll(directory); err != nil {
		return fmt.Errorf("failed to clear %q: %w", directory, err)
	}
	return nil
}

func debootstrap(ctx context.Context, l layout, codename, root string) error {
	targets := vm.Targets()
	said, err := exec.CommandContext(ctx, targets[0], targets[1:]...).Output()
	if err != nil {
		return fmt.Errorf("failed to ask apt for its mirrors: %w", err)
	}
	mirror, err := vm.Mirror(string(said), codename)
	if err != nil {
		return err
	}
	log := l.log("debootstrap.log")
	if err := write(log, nil); err != nil {
		return err
	}
	// It says hundreds of lines: into a file with them.
	install := exec.CommandContext(ctx, "sh", "-c", `exec "$@" >"$0" 2>&1`, log,
		"debootstrap", "--variant=minbase", "--components=main", "--include="+strings.Join(vm.Packages(), ","), codename, root, mirror)
	install.Env = append(os.Environ(), instanceVariable+"="+l.dir)
	// What it has started must not go on installing into what is being removed.
	install.Cancel = func() error { return syscall.Kill(-install.Process.Pid, syscall.SIGKILL) }
	if err := quietly(install); err != nil {
		return daemon{Log: log}.blame(fmt.Errorf("failed to install Debian %s from %s: %w", codename, mirror, err))
	}
	for _, downloaded := range []string{"var/cache/apt/archives", "var/lib/apt/lists"} {
		if err := os.RemoveAll(filepath.Join(root, downloaded)); err != nil {
			return fmt.Errorf("failed to remove %q: %w", downloaded, err)
		}
	}
	// Each machine gets its own, or systemd makes one.
	return os.WriteFile(filepath.Join(root, "etc/machine-id"), nil, 0o444)
}
