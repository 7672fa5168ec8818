package hostfs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// HasModule says whether the kernel has this module in it already: loaded, or
// built in, which /lib/modules/RELEASE/modules.builtin lists,
//
//	kernel/net/unix/unix_diag.ko
func HasModule(f FS, name string) bool {
	if _, err := os.Stat(filepath.Join(f.Sys, "module", name)); err == nil {
		return true
	}
	builtin, err := readModuleFile(f, "modules.builtin")
	return err == nil && bytes.Contains(builtin, []byte("/"+name+".ko\n"))
}

// CanLoadModules says whether the kernel could load one: it was built with
// modules, and those of its release lie on the node.
func CanLoadModules(f FS) bool {
	if _, err := os.Stat(filepath.Join(f.Proc, "modules")); err != nil {
		return false
	}
	_, err := readModuleFile(f, "modules.builtin")
	return !os.IsNotExist(err)
}

func readModuleFile(f FS, name string) ([]byte, error) {
	release, err := os.ReadFile(filepath.Join(f.Proc, "sys/kernel/osrelease"))
	if err != nil {
		return nil, err
	}
	root, err := OpenRoot(f, nil)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.ReadFile("/lib/modules/"+strings.TrimSpace(string(release))+"/"+name, 1<<20)
}
