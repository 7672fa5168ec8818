//go:build linux

package probe

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// tmpfsDir is a directory on tmpfs, whatever temporary files are on.
func tmpfsDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "types-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func hold(t *testing.T, path string, flags int) {
	t.Helper()
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	t.Cleanup(func() { unix.Close(fd) })
}

// TestFileTypesOnThisKernel: what link text and O_DIRECTORY do not tell.
func TestFileTypesOnThisKernel(t *testing.T) {
	dir := tmpfsDir(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, fifo := range []string{at("named-fifo"), at("deleted-fifo")} {
		if err := unix.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		hold(t, fifo, unix.O_RDWR)
	}
	listener, err := net.Listen("unix", at("served"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := os.Symlink("nowhere", at("link")); err != nil {
		t.Fatal(err)
	}
	hold(t, at("regular"), unix.O_RDWR|unix.O_CREAT)
	hold(t, at("deleted-file"), unix.O_RDWR|unix.O_CREAT)
	hold(t, dir, unix.O_RDONLY) // and not O_DIRECTORY
	hold(t, "/dev/zero", unix.O_RDONLY)
	hold(t, at("served"), unix.O_PATH)
	hold(t, at("link"), unix.O_PATH|unix.O_NOFOLLOW)
	for _, name := range []string{"deleted-fifo", "deleted-file"} {
		if err := os.Remove(at(name)); err != nil {
			t.Fatal(err)
		}
	}
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses)
	req.FDs, req.FileTypes, req.PIDs = true, true, []int{os.Getpid()}
	fs := hostfs.FS{Proc: "/proc", Sys: "/sys", Root: "/"}
	r := collect(t, fs, req)
	i := slices.IndexFunc(r.Processes.List, func(p report.Process) bool { return p.PID == os.Getpid() })
	kinds := map[string]string{}
	for _, target := range r.Processes.List[i].FDs.Targets {
		kinds[target.Pattern] = target.Kind
	}
	for pattern, want := range map[string]string{
		at("named-fifo"): "FIFO", at("deleted-fifo") + " (deleted)": "FIFO", at("regular"): "file", at("deleted-file"): "deleted file",
		dir: "directory", "/dev/zero": "character device", at("served"): "socket file", at("link"): "symbolic link",
	} {
		if got := kinds[hostfs.Fold(pattern)]; got != want {
			t.Errorf("%s is %q, want %q", pattern, got, want)
		}
	}
	if n := r.Processes.FileTypes; n == nil || *n < 8 {
		t.Errorf("told of %v", n)
	}
	req.FileTypes = false
	if r := collect(t, fs, req); r.Processes.FileTypes != nil {
		t.Errorf("told of %v though nobody asked", r.Processes.FileTypes)
	}
}

// onMounts is a node whose process 100 has files on filesystems of all sorts.
// The links lead to what is there, so that a look at it would be an answer.
const onMounts = smallNode + `
-- proc/100 (process) --
comm app
fd 0 /dev/null
fd 1 /dev/null
fd 2 /dev/null
fd 3 /dev/null
fd 4 /dev/null
fd 5 /dev/null
fd 6 /dev/null
fd 7 pipe:[7]
fd 8 /memfd:x (deleted)
fd 9 /dev/zero
-- proc/1/mountinfo --
10 1 8:1 / / rw - ext4 /dev/sda1 rw
-- proc/100/mountinfo --
20 1 8:1 / / rw - ext4 /dev/sda1 rw
21 20 0:40 / /nas rw - nfs4 nas:/ rw
22 20 0:41 / /s3 rw - fuse.s3fs s3fs rw
23 20 0:42 / /panfs rw - panfs x rw
-- proc/100/fdinfo/0 --
flags:	00
mnt_id:	20
-- proc/100/fdinfo/1 --
flags:	00
mnt_id:	21
-- proc/100/fdinfo/2 --
flags:	00
mnt_id:	22
-- proc/100/fdinfo/3 --
flags:	00
mnt_id:	23
-- proc/100/fdinfo/4 --
flags:	00
mnt_id:	99
-- proc/100/fdinfo/5 --
flags:	00
-- proc/100/fdinfo/9 --
flags:	00
mnt_id:	10
-- proc/100/fdinfo/6 --
flags:	{O_DIRECTORY}
mnt_id:	21
`

func askedTypes(pid int) report.Request {
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses)
	req.FDs, req.FileTypes, req.PIDs = true, true, []int{pid}
	return req
}

func TestFileTypesOnlyOnLocalFilesystems(t *testing.T) {
	r := collect(t, plant(t, onMounts), askedTypes(100))
	if n := r.Processes.FileTypes; n == nil || *n != 2 {
		t.Errorf("told of %v, want those on ext4, the host's mount among them", n)
	}
	i := slices.IndexFunc(r.Processes.List, func(p report.Process) bool { return p.PID == 100 })
	want := []report.Counted{{Name: "device", Count: 5}, {Name: "character device", Count: 2}, {Name: "directory", Count: 1}, {Name: "memfd", Count: 1}, {Name: "pipe", Count: 1}}
	if got := r.Processes.List[i].FDs.Kinds; !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	var untold []string
	for _, u := range r.Processes.Unreadable {
		if about, found := strings.CutPrefix(u.What, "type of what is open on "); found {
			untold = append(untold, about+": "+u.Cause)
		}
	}
	if want := []string{"a mount that its process does not have: its filesystem is not known, not touched", "fuse.s3fs: may wait for a server, not touched",
		"nfs4: may wait for a server, not touched", "panfs: may wait for a server, not touched"}; !slices.Equal(untold, want) {
		t.Errorf("untold are %q, want %q", untold, want)
	}
}

// TestFileTypesThatDoNotAnswer: what hangs in the kernel loses its own answer,
// and after some nobody is asked any more.
func TestFileTypesThatDoNotAnswer(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	look := func(q typeQuestion) typeAnswer {
		if q.fd == "1" {
			<-hang
		}
		return typeAnswer{mode: hostfs.TypeDirectory}
	}
	a := startTypeAsker(look, func() {})
	if got, ok := a.put(typeQuestion{fd: "0"}, time.Hour); !ok || got.mode != hostfs.TypeDirectory {
		t.Errorf("got %+v %v", got, ok)
	}
	if _, ok := a.put(typeQuestion{fd: "1"}, time.Millisecond); ok {
		t.Error("an answer that nobody has given")
	}
	f := newFileTypes(hostfs.FS{Proc: t.TempDir()}, &fdInfo{}, unreadable{})
	f.lost = maxLostAskers
	if _, err := f.ask(typeQuestion{fstype: "ext4"}); err != errNotAskAgain { //nolint:errorlint // that very one
		t.Errorf("got %v", err)
	}
	f.lost, f.left = 0, 0
	if _, err := f.ask(typeQuestion{fstype: "ext4"}); err != errTooMany { //nolint:errorlint // that very one
		t.Errorf("got %v", err)
	}
}
