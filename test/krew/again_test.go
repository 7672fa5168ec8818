package krew

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// again are the platforms that are made twice, one of each system: a link takes seconds.
const again = "linux/amd64 darwin/arm64 windows/amd64"

// Made again from the same files, in another directory, under another umask, in another
// time zone, and without git, archives have the same bytes.
func TestReleaseIsReproducible(t *testing.T) {
	release := absolute(t, "dist/release")
	there := filepath.Join(t.TempDir(), "somewhere", "else")
	copyFiles(t, absolute(t, "."), there)
	version := read(t, filepath.Join(release, "nodedoc.yaml")).Spec.Version
	made, err := os.Stat(filepath.Join(release, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	call(t, []string{"TZ=Asia/Kathmandu", "LC_ALL=C"}, "sh", "-c", "umask 077; exec make -C '"+there+"' release PLATFORMS='"+again+
		"' VERSION="+version+" SOURCE_DATE_EPOCH="+strconv.FormatInt(made.ModTime().Unix(), 10))
	for _, platform := range strings.Fields(again) {
		archives, err := filepath.Glob(filepath.Join(there, "dist/release/*_"+strings.ReplaceAll(platform, "/", "_")+".*"))
		if err != nil || len(archives) != 1 {
			t.Fatalf("%s: %v, %v", platform, archives, err)
		}
		first, err := os.ReadFile(filepath.Join(release, filepath.Base(archives[0])))
		if err != nil {
			t.Fatal(err)
		}
		second, err := os.ReadFile(archives[0])
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("%s: made again it is another one", filepath.Base(archives[0]))
		}
	}
}

// Nothing that was linked names a directory of this machine.
func TestNoPathOfTheMachineIsReleased(t *testing.T) {
	modules, err := exec.Command("go", "env", "GOMODCACHE", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"dist/built/linux-amd64/kubectl-nodedoc", "dist/nodedoc-probe-linux-amd64"} {
		body, err := os.ReadFile(absolute(t, program))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := elf.NewFile(bytes.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		for _, path := range append(strings.Fields(string(modules)), absolute(t, ".")+"/") {
			if bytes.Contains(body, []byte(path)) {
				t.Errorf("%s names %s", program, path)
			}
		}
	}
}

// copyFiles copies what git knows of, or would, with nothing that was built.
func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = from
	names, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		body, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
