package hostfs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What runc's makers and distributions link in, and what only looks like it.
func TestRuncVersion(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"release candidate":             {"\x001.0.0-rc93\x00", "1.0.0-rc93"},
		"RHEL 7, of some commit":        {"abc1.0.0-rc10+dev\x00", "1.0.0-rc10+dev"},
		"commit as described":           {"\x00v1.1.12-0-g51d5e94601f2\x00", "1.1.12"},
		"candidate as described":        {"v1.0.0-rc94-0-g2c7861bc\x00", "1.0.0-rc94"},
		"another's, and then its own":   {"v1.0.0-rc1\nv1.2.3\tv1.1.9-0-gccaecfcb\x00", "1.1.9"},
		"Go's note of flags":            {"build\t-ldflags=\"-X main.gitCommit=x -X main.version=1.2.4 \"\n", "1.2.4"},
		"a module it is made of":        {"v1.0.0-rc5\x00", ""},
		"within a longer text":          {"needs 1.0.0-rc93 or later", ""},
		"cut":                           {"1.0.0-rc9", ""},
		"described, but of no commit":   {"v1.1.12-0-gx\x00", ""},
		"describe without its distance": {"v1.1.12-g51d5e94601f2\x00", ""},
		"a Debian package's":            {"\x001.1.5+ds1\x00", ""},
		"nothing":                       {"", ""},
	} {
		if got := RuncVersion([]byte(c.in)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestPackageVersion(t *testing.T) {
	const status = "Package: runc-dev\nVersion: 9\n\nPackage: runc\nStatus: install ok installed\nVersion: 1.1.5+ds1-1\nDepends: libc6\n\nPackage: z\nVersion: 2\n\n"
	for name, c := range map[string]struct{ in, want string }{
		"as it is":                 {status, "1.1.5+ds1-1"},
		"removed, but configured":  {"Package: runc\nStatus: deinstall ok config-files\nVersion: 1\n\n", ""},
		"version of the next only": {"Package: runc\nStatus: x\n\nPackage: z\nVersion: 2\n\n", ""},
		"version at its end":       {"Package: runc\nStatus: install ok installed\nVersion: 3\n\n", "3"},
		"cut":                      {"Package: runc\nVersion: 1.", ""},
		"another":                  {"Package: runc-dev\nVersion: 9\n\n", ""},
	} {
		if got := PackageVersion([]byte(c.in), "runc"); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func FuzzVersions(f *testing.F) {
	f.Add([]byte("v1.1.12-0-g51d5e94601f2\x00main.version=1.2.4 1.0.0-rc93\x00Package: runc\nVersion: 1\n\n"))
	f.Add([]byte("v1.-g-0-g"))
	f.Add([]byte("main.version="))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range []string{RuncVersion(b), PackageVersion(b, "runc")} {
			if len(v) > 100 || !bytes.Contains(b, []byte(v)) {
				t.Errorf("got %q", v)
			}
		}
	})
}

// What lies across two pieces is seen whole; a file beyond the limit is not read on.
func TestScan(t *testing.T) {
	dir := t.TempDir()
	const mark = "v1.1.12-0-g51d5e94601f2\x00"
	for at, want := range map[int]string{0: "1.1.12", 128<<10 - 5: "1.1.12", 300<<10 + 1: "1.1.12", 900 << 10: ""} {
		content := strings.Repeat("x", at) + mark + strings.Repeat("y", 5000)
		if err := os.WriteFile(filepath.Join(dir, "runc"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := OpenRoot(FS{Root: dir}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := r.Scan("/runc", 512<<10, func(piece []byte) bool {
			got = RuncVersion(piece)
			return got != ""
		}); err != nil || got != want {
			t.Errorf("at %d: got %q, %v", at, got, err)
		}
		if err := r.Scan("/", 10, func([]byte) bool { return true }); err == nil {
			t.Error("a directory is read")
		}
		r.Close()
	}
}
