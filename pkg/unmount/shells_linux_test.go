package unmount

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// A script is run for real: root makes a mount namespace for it.

// ownNamespace gives the test's thread a mount namespace, which dies with it, and a
// tmpfs to mount below.
func ownNamespace(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("umounts are tested for real: run this test as root")
	}
	dir := t.TempDir()
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		t.Fatal(err)
	}
	mountTmpfs(t, dir)
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func mountTmpfs(t *testing.T, point string) {
	t.Helper()
	if err := os.MkdirAll(point, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", point, "tmpfs", 0, ""); err != nil {
		t.Fatalf("%q: %v", point, err)
	}
}

func bind(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		t.Fatalf("%q on %q: %v", from, to, err)
	}
}

var octal = regexp.MustCompile(`\\[0-7]{3}`)

func unmangle(s string) string {
	return octal.ReplaceAllStringFunc(s, func(o string) string {
		v, _ := strconv.ParseUint(o[1:], 8, 8)
		return string([]byte{byte(v)})
	})
}

// mountsBelow are those at and below a directory but the one on it itself, as a
// report has them.
func mountsBelow(t *testing.T, dir string) []correlate.VolumeMount {
	t.Helper()
	data, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var mounts []correlate.VolumeMount
	for line := range strings.Lines(string(data)) {
		f := strings.Split(line, " ")
		point := unmangle(f[4])
		if !strings.HasPrefix(point, dir+"/") {
			continue
		}
		m := correlate.VolumeMount{Number: f[2], Leaked: true, Why: []correlate.LeakReason{correlate.PVGone}}
		m.ID, _ = strconv.Atoi(f[0])
		m.Parent, _ = strconv.Atoi(f[1])
		m.Root, m.Point = report.Escape(unmangle(f[3])), report.Escape(point)
		_, rest, _ := strings.Cut(line, " - ")
		m.Type, _, _ = strings.Cut(rest, " ")
		_, _ = fmt.Sscanf(f[2], "0:%d", &m.FS)
		for _, field := range f[6:] {
			_, _ = fmt.Sscanf(field, "shared:%d", &m.Shared)
			_, _ = fmt.Sscanf(field, "master:%d", &m.Master)
		}
		mounts = append(mounts, m)
	}
	return mounts
}

func planOf(t *testing.T, mounts []correlate.VolumeMount) Plan {
	t.Helper()
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Fatal(err)
	}
	link, err := os.Readlink("/proc/thread-self/ns/mnt")
	if err != nil {
		t.Fatal(err)
	}
	inode, err := strconv.ParseUint(strings.Trim(link, "mnt:[]"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	var up float64
	data, err := os.ReadFile("/proc/uptime")
	if _, scanErr := fmt.Sscan(string(data), &up); err != nil || scanErr != nil {
		t.Fatal(err, scanErr)
	}
	var table []report.Mount
	for _, m := range mounts {
		table = append(table, m.Mount)
	}
	return Plan{Table: table, Node: "node-43", Is: report.Node{BootID: strings.TrimSpace(string(boot)), Uptime: up, Now: 1_700_000_000}, Namespace: inode, Version: "v0",
		Again: "kubectl nodedoc mounts node-43 --leaked", Volumes: []correlate.Volume{{Name: "d-bp1", Driver: "disk.example", State: correlate.VolumeLeaked, Leaked: len(mounts), Mounts: mounts}}}
}

func scriptOf(t *testing.T, p Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := Script(&b, p); err != nil {
		t.Fatal(err)
	}
	for i, c := range b.Bytes() {
		if c != '\n' && c != '\t' && (c < 0x20 || c >= 0x7f) {
			t.Fatalf("byte %#x in line %q", c, lineAt(b.String(), i))
		}
	}
	return b.String()
}

func lineAt(text string, i int) string {
	return text[strings.LastIndexByte(text[:i], '\n')+1 : i]
}

// shells that a node may have, each with the umount that comes with it.
func shells(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, name := range []string{"dash", "bash", "busybox"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatalf("%s is needed: install it", name)
		}
		found[name] = []string{os.Getenv("PATH"), path, "--posix"}[:2]
		if name == "busybox" {
			found[name] = []string{busyboxTools(t, path), path, "sh"}
		}
	}
	return found
}

// busyboxTools is a PATH where each tool is busybox's. The script appends the
// usual directories to it.
func busyboxTools(t *testing.T, busybox string) string {
	t.Helper()
	dir := t.TempDir()
	for _, tool := range []string{"umount", "mount", "grep", "tr", "id", "readlink"} {
		if err := os.Symlink(busybox, filepath.Join(dir, tool)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runScript returns what the script says and its exit code.
func runScript(t *testing.T, shell []string, script string) (stdout, stderr string, code int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "umount.sh")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	return run(t, shell, exec.Command(shell[1], append(slices.Clone(shell[2:]), path)...))
}

func run(t *testing.T, shell []string, c *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errOut bytes.Buffer
	c.Env, c.Stdout, c.Stderr = []string{"PATH=" + shell[0]}, &out, &errOut
	err := c.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errOut.String(), c.ProcessState.ExitCode()
}

// inEveryShell runs a test in a mount namespace of its own for each shell.
func inEveryShell(t *testing.T, test func(t *testing.T, dir string, shell []string)) {
	t.Helper()
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) { test(t, ownNamespace(t), shell) })
	}
}

func wantSummary(t *testing.T, stdout, want string) {
	t.Helper()
	if first, _, _ := strings.Cut(stdout, "\n"); first != want {
		t.Errorf("it says %q, want %q", first, want)
	}
}
