package saved

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// entries are the names in a directory.
func entries(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestWriteReplacesWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "node.json")
	if err := os.WriteFile(path, []byte(strings.Repeat("old", 100_000)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, testReport(), testInventory()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Read(path, nil); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode %v: command lines in it are for the owner only", got)
	}
	if got := entries(t, dir); got != "node.json" {
		t.Errorf("left behind: %s", got)
	}
}

func TestWriteKeepsASymbolicLink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", link); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, testReport(), nil); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != "file" {
		t.Errorf("the link is %q now, %v", to, err)
	}
	if _, _, err := Read(filepath.Join(dir, "file"), nil); err != nil {
		t.Error(err)
	}
}

// A write that fails leaves what was there, and nothing else.
func TestWriteFailsClean(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(t *testing.T, dir string) (path string)
		want    string
		left    string
	}{
		"no such directory": {func(t *testing.T, dir string) string { return filepath.Join(dir, "no", "node.json") },
			"no such file or directory", ""},
		"a file for a directory": {func(t *testing.T, dir string) string {
			mustWrite(t, filepath.Join(dir, "file"))
			return filepath.Join(dir, "file", "node.json")
		}, "not a directory", "file"},
		"the path is a directory": {func(t *testing.T, dir string) string {
			if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
				t.Fatal(err)
			}
			return filepath.Join(dir, "sub")
		}, "it is there already, and is no regular file", "sub"},
		"the path is a directory, with a slash": {func(t *testing.T, dir string) string { return dir + "/" },
			"no regular file", ""},
		"a name too long": {func(t *testing.T, dir string) string { return filepath.Join(dir, strings.Repeat("x", 300)) },
			"file name too long", ""},
		"an empty path": {func(*testing.T, string) string { return "" }, "no regular file", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := c.prepare(t, dir)
			err := Write(path, testReport(), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if got := entries(t, dir); got != c.left {
				t.Errorf("left in the directory: %q, want %q", got, c.left)
			}
		})
	}
}

func mustWrite(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
}
