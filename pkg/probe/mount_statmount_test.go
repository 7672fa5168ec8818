//go:build linux

package probe

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// mountSome makes more mounts than are worth statmount, below an entry and
// beside it; an entry is mounted over, one only receives, a name has spaces.
const mountSome = `set -e
mount --make-rslave /
cd "$1"
mkdir 'the entry' b c
mount -t tmpfs 'my source' "$1/the entry"
mount --make-shared "$1/the entry"
mount -t tmpfs one b; mount -t tmpfs two b
mount --bind 'the entry' c
mount --make-slave c
i=0; while [ $i -lt 260 ]; do mkdir "the entry/$i"; i=$((i+1)); done
for d in 'the entry'/*; do mount --bind b "$d"; done
cd 'the entry'
echo ready
read end`

// inNamespace starts a process with these mounts in a namespace of its own.
func inNamespace(t *testing.T, dir string) (pid int) {
	t.Helper()
	args := []string{"--mount", "sh", "-c", mountSome, "sh", dir}
	if os.Geteuid() != 0 {
		args = append([]string{"--map-root-user"}, args...)
	}
	cmd := exec.Command("unshare", args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the namespace: %q, %v", line, err)
	}
	return cmd.Process.Pid
}

// TestStatmountSaysWhatMountinfoDoes on this kernel; one that lacks it must say so.
func TestStatmountSaysWhatMountinfoDoes(t *testing.T) {
	pid := inNamespace(t, t.TempDir())
	var got [2]*mounts
	for way := range got {
		m := newMounts(run{fs: hostfs.FS{Proc: "/proc"}, report: &report.NodeReport{}}, openProc(t, "/proc"))
		m.noStatmount = way == 0
		ns := report.MountNamespace{}
		if err := m.sumUp(&ns, pid); err != nil {
			t.Fatal(err)
		}
		m.out.Namespaces = []report.MountNamespace{ns}
		got[way] = m
	}
	a, b := got[0].out, got[1].out
	if want := methodOfThisKernel(t); a.Method != methodMountinfo || b.Method != want {
		t.Errorf("read by %s and %s, want %s", a.Method, b.Method, want)
	}
	b.Method = a.Method
	if len(a.Namespaces[0].Groups) == 0 || *a.Namespaces[0].Mounts < 264 || len(b.Unreadable) != 0 || !reflect.DeepEqual(a, b) {
		t.Errorf("mountinfo says\n%+v\nstatmount\n%+v", a, b)
	}
	if x, y := fmt.Sprint(got[0].view(&got[0].tree)), fmt.Sprint(got[1].view(&got[1].tree)); x != y {
		t.Errorf("mountinfo shows\n%s\nstatmount\n%s", x, y)
	}
}

func methodOfThisKernel(t *testing.T) string {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	if r := (run{report: &report.NodeReport{Node: report.Node{Kernel: unix.ByteSliceToString(u.Release[:])}}}); r.kernelBefore(6, 11) {
		return methodMountinfo
	}
	return methodStatmount
}

// A process at work on a volume, in a namespace that is taken for the host's.
func TestUsesOnThisKernel(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pods/x/volumes/v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	pid := inNamespace(t, dir)
	fs := hostfs.FS{Proc: "/proc", Sys: "/sys", Root: fmt.Sprintf("/proc/%d/root", pid)}
	m := collect(t, fs, report.NewRequest(report.CollectMounts)).Mounts
	var host report.MountNamespace
	for _, ns := range m.Namespaces {
		if ns.Host {
			host = ns
		}
	}
	if host.PID != pid || host.Mounts == nil || *host.Mounts != len(m.List) {
		t.Errorf("the host's namespace is %+v", host)
	}
	want := report.MountUse{PID: pid, What: "cwd", Count: 1, Path: dir + "/the entry"}
	for _, mount := range m.List {
		if mount.Point == want.Path {
			want.FS = mount.FS
		}
	}
	if of := m.Filesystems[want.FS]; of.Type != "tmpfs" || of.Source != "my source" || !slices.Contains(m.Uses, want) {
		t.Errorf("the entry is %+v, uses are %+v, want %+v", of, m.Uses, want)
	}
}
