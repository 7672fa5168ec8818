package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSaveAgain(t *testing.T) {
	path := save(t, sickNode(), hubInventory())
	copied := filepath.Join(t.TempDir(), "copy.json")
	want, stderr, code := run(t, "fd", "--from", path, "--save", copied)
	if stderr != "" || code != ExitOK {
		t.Fatalf("%q, exit %d", stderr, code)
	}
	if got, _, _ := run(t, "fd", "--from", copied); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestUnwritableSave(t *testing.T) {
	path := save(t, sickNode(), hubInventory())
	dir := t.TempDir()
	for name, c := range map[string]struct{ to, want string }{
		"no such directory": {filepath.Join(dir, "no", "x.json"), "no such file or directory"},
		"a directory":       {dir, "no regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := run(t, "fd", "--from", path, "--save", c.to)
			if code != ExitFailed || !strings.HasPrefix(stderr, "error: failed to save the report to ") || !strings.Contains(stderr, c.want) {
				t.Errorf("got %q, exit %d", stderr, code)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// The answer cost a pod on a sick node: it is told even if it cannot be kept.
func TestUnwritableSaveStillAnswers(t *testing.T) {
	stdout, _, code := run(t, "fd", "--from", save(t, sickNode(), hubInventory()), "--save", filepath.Join(t.TempDir(), "no", "x.json"))
	if !strings.Contains(stdout, "prod/hub-0") || code != ExitFailed {
		t.Errorf("got %q, exit %d", stdout, code)
	}
}
