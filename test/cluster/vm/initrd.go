// Package vm is what a virtual machine is made of: its first program, its command line, and where Debian comes from.
package vm

import (
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
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
	archive := cpio{out: compressed}
	for _, directory := range []string{"bin", "dev", "modules", "proc", "root"} {
		archive.add(directory, modeDirectory|0o755, nil)
	}
	archive.add("init", modeFile|0o755, initScript)
	archive.add("bin/busybox", modeFile|0o755, busybox)
	for i, module := range modules {
		archive.add(fmt.Sprintf("modules/%02d-%s", i, module.Name), modeFile|0o644, module.Content)
	}
	archive.add("TRAILER!!!", 0, nil)
	if archive.err != nil {
		return fmt.Errorf("failed to write the initial file system: %w", archive.err)
	}
	if err := compressed.Close(); err != nil {
		return fmt.Errorf("failed to finish the initial file system: %w", err)
	}
	return nil
}
