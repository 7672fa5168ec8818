package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/nodedoc/kubectl-nodedoc/test/cluster/vm"
)

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
