package saved

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// As root, a rename onto it would replace the device for the whole machine.
func TestWriteLeavesADeviceAlone(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(fifo, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, link} {
		if err := Write(path, testReport(), nil); err == nil || !strings.Contains(err.Error(), "no regular file") {
			t.Errorf("%s: got %v", path, err)
		}
	}
	if info, err := os.Lstat(fifo); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the FIFO is %v now, %v", info, err)
	}
}

func TestWriteOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		if os.Getenv("CI") != "" || os.Geteuid() == 0 {
			t.Fatal(err)
		}
		t.Skipf("NOT TESTED: a full disk needs root, to mount a tiny tmpfs: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}()
	path := filepath.Join(dir, "node.json")
	if err := Write(path, testReport(), nil); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	large := testReport()
	large.Processes.List = append(large.Processes.List, report.Process{PID: 2, Cmdline: strings.Repeat("x", 200<<10)})
	if err := Write(path, large, nil); err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("got %v", err)
	}
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		t.Errorf("the former report is harmed: %d bytes of %d, %v", len(after), len(before), err)
	}
	if got := entries(t, dir); got != "node.json" {
		t.Errorf("left on the full disk: %s", got)
	}
}
