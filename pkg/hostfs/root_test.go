//go:build unix

package hostfs

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRootReadsOnlyWhatIsSafe(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret")
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	write("file", "content")
	write("huge", strings.Repeat("x", 101))
	link("file", "inside")
	link(secret, "absolute")
	link("../../../../../../../../"+secret, "upwards")
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "nfs"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("nfs/file", "content")

	root, err := OpenRoot(FS{Root: dir}, []Mount{{"/", "ext4"}, {"/nfs", "nfs4"}})
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, want := range map[string]string{
		"/file": "content", "/inside": "content", "/../file": "content",
		"/huge": "!larger", "/fifo": "!regular", "/absolute": "!escapes", "/upwards": "!escapes",
		"/nfs/file": "!network", "/absent": "!no such", "/": "!regular",
	} {
		t.Run(name, func(t *testing.T) {
			b, err := root.ReadFile(name, 100)
			wantErr, isErr := strings.CutPrefix(want, "!")
			switch {
			case !isErr && (err != nil || string(b) != want):
				t.Errorf("got %q %v, want %q", b, err, want)
			case isErr && (err == nil || !strings.Contains(err.Error(), wantErr)):
				t.Errorf("got %q %v, want an error with %q", b, err, wantErr)
			}
		})
	}
	names, err := root.ReadDirNames("/", 100)
	if err != nil || len(names) != 7 {
		t.Errorf("got %v %v, want 7 names", names, err)
	}
}
