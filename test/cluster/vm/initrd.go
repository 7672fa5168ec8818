// Package vm is what a virtual machine is made of: its first program, its command line, and where Debian comes from.
package vm

import (
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"io"

	"github.com/cavaliergopher/cpio"
)

//go:embed init.sh
var initScript []byte

// Module is a kernel module that must be loaded before the disk can be read.
type Module struct {
	Name    string
	Content []byte
}

// WriteInitrd writes the initial file system: a static busybox, the modules in the order in which to load them, and
// the script that is process 1 until systemd is. It is small, since an emulated processor unpacks it.
func WriteInitrd(w io.Writer, busybox []byte, modules []Module) error {
	compressed := gzip.NewWriter(w)
	archive := cpio.NewWriter(compressed) // "newc", the format that the kernel unpacks
	if err := writeFiles(archive, busybox, modules); err != nil {
		return fmt.Errorf("failed to write the initial file system: %w", err)
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("failed to finish the initial file system: %w", err)
	}
	if err := compressed.Close(); err != nil {
		return fmt.Errorf("failed to finish the initial file system: %w", err)
	}
	return nil
}

func writeFiles(archive *cpio.Writer, busybox []byte, modules []Module) error {
	for _, directory := range []string{"bin", "dev", "modules", "proc", "root"} {
		if err := archive.WriteHeader(&cpio.Header{Name: directory, Mode: cpio.TypeDir | 0o755}); err != nil {
			return err
		}
	}
	file := func(name string, permissions cpio.FileMode, content []byte) error {
		if err := archive.WriteHeader(&cpio.Header{Name: name, Mode: cpio.TypeReg | permissions, Size: int64(len(content))}); err != nil {
			return err
		}
		_, err := archive.Write(content)
		return err
	}
	if err := errors.Join(file("init", 0o755, initScript), file("bin/busybox", 0o755, busybox)); err != nil {
		return err
	}
	for i, module := range modules {
		if err := file(fmt.Sprintf("modules/%02d-%s", i, module.Name), 0o644, module.Content); err != nil {
			return err
		}
	}
	return nil
}
