package hostfs

import (
	"os"
	"path/filepath"
	"testing"
)

func TestModules(t *testing.T) {
	const release = "proc/sys/kernel/osrelease"
	for name, c := range map[string]struct {
		files map[string]string
		has   bool
		loads bool
	}{
		"loaded":                 {map[string]string{release: "6.1.0\n", "proc/modules": "", "sys/module/unix_diag/refcnt": "0", "root/lib/modules/6.1.0/modules.builtin": ""}, true, true},
		"built in":               {map[string]string{release: "6.1.0\n", "proc/modules": "", "root/lib/modules/6.1.0/modules.builtin": "kernel/a.ko\nkernel/net/unix/unix_diag.ko\n"}, true, true},
		"to be loaded":           {map[string]string{release: "6.1.0\n", "proc/modules": "", "root/lib/modules/6.1.0/modules.builtin": "kernel/x_unix_diag.ko\n"}, false, true},
		"a kernel without any":   {map[string]string{release: "6.18\n"}, false, false},
		"of another kernel only": {map[string]string{release: "6.1.0\n", "proc/modules": "", "root/lib/modules/5.10/modules.builtin": ""}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, "root"), 0o755); err != nil {
				t.Fatal(err)
			}
			for file, content := range c.files {
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			f := FS{Proc: filepath.Join(dir, "proc"), Sys: filepath.Join(dir, "sys"), Root: filepath.Join(dir, "root")}
			if has, loads := HasModule(f, "unix_diag"), CanLoadModules(f); has != c.has || loads != c.loads {
				t.Errorf("has it: %v, may load it: %v; want %v, %v", has, loads, c.has, c.loads)
			}
		})
	}
}
