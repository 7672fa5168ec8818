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
		if err := os.RemoveAll(directory); err != nil {
			return fmt.Errorf("failed to clear %q: %w", directory, err)
		}
		defer os.RemoveAll(directory)
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
	install := exec.CommandContext(ctx, "debootstrap", "--variant=minbase", "--components=main",
		"--include="+strings.Join(vm.Packages(), ","), codename, root, mirror)
	install.Env = append(os.Environ(), instanceVariable+"="+l.dir)
	if err := quietly(install); err != nil {
		return err
	}
	for _, downloaded := range []string{"var/cache/apt/archives", "var/lib/apt/lists"} {
		if err := os.RemoveAll(filepath.Join(root, downloaded)); err != nil {
			return fmt.Errorf("failed to remove %q: %w", downloaded, err)
		}
	}
	// Each machine gets its own, or systemd makes one.
	return os.WriteFile(filepath.Join(root, "etc/machine-id"), nil, 0o444)
}

// writeKernel takes the kernel from the installed Debian, and makes what it needs to reach its disk.
func writeKernel(ctx context.Context, root string, image vm.Image) error {
	kernels, _ := filepath.Glob(filepath.Join(root, "boot", "vmlinuz-*"))
	if len(kernels) != 1 {
		return fmt.Errorf("failed to find one kernel in %q: there are %q", root, kernels)
	}
	if err := place(kernels[0], image.Kernel); err != nil {
		return err
	}
	modules, err := virtioModules(ctx, root, strings.TrimPrefix(filepath.Base(kernels[0]), "vmlinuz-"))
	if err != nil {
		return err
	}
	busybox, err := os.ReadFile(filepath.Join(root, "bin/busybox"))
	if err != nil {
		return fmt.Errorf("failed to read the machine's busybox: %w", err)
	}
	initrd, err := os.Create(image.Initrd)
	if err != nil {
		return fmt.Errorf("failed to make %q: %w", image.Initrd, err)
	}
	defer initrd.Close()
	return vm.WriteInitrd(initrd, busybox, modules)
}

// virtioModules asks the installed Debian: which modules there are, and which of them need others, differs between
// kernels.
func virtioModules(ctx context.Context, root, release string) ([]vm.Module, error) {
	depends, err := exec.CommandContext(ctx, "chroot", root, "modprobe", "--set-version", release, "--all", "--show-depends",
		"virtio_pci", "virtio_blk", "ext4").Output()
	if err != nil {
		return nil, fmt.Errorf("failed to ask for the modules of %q: %w", release, err)
	}
	var modules []vm.Module
	for _, file := range vm.ModuleFiles(string(depends)) {
		read := "cat"
		if strings.HasSuffix(file, ".xz") {
			read = "xzcat"
		}
		content, err := exec.CommandContext(ctx, "chroot", root, "busybox", read, file).Output()
		if err != nil {
			return nil, fmt.Errorf("failed to read module %q: %w", file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".xz")
		modules = append(modules, vm.Module{Name: name, Content: content})
	}
	return modules, nil
}
