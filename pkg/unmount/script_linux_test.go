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
	c := exec.Command(shell[1], append(slices.Clone(shell[2:]), path)...)
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

var hostileNames = []string{"plain", "with space", "two  spaces ", "tab\there", "line\nend", "ends in a line end\n", "quote'it", `double"quote`, "back\\slash", `\040`, `\\134`, "-n", "--help",
	"$(touch owned)", "`touch owned`", "${IFS}", "*", "[a-z]*", "esc\x1b[2J", "bidi\u202e", "c1\u009b", "invalid\xff\xfe", "%s%d", "#hash", "tilde~", ";reboot", "&", "|", ">x", "~root", "!bang", "é中", "a\rb", " ", "'", "\\"}

func TestHostileNames(t *testing.T) {
	inEveryShell(t, func(t *testing.T, dir string, shell []string) {
		for _, name := range hostileNames {
			mountTmpfs(t, filepath.Join(dir, name))
		}
		mounts := mountsBelow(t, dir)
		stdout, stderr, code := runScript(t, shell, scriptOf(t, planOf(t, mounts)))
		wantSummary(t, stdout, fmt.Sprintf("%d unmounted, 0 went with them, 0 skipped because changed, 0 failed", len(hostileNames)))
		if left := mountsBelow(t, dir); len(left) > 0 || stderr != "" || code != 0 || len(mounts) != len(hostileNames) {
			t.Errorf("%+v are left, stderr %q, exit %d, of %d", left, stderr, code, len(mounts))
		}
	})
}

// A tree with a stack of mounts in it, and a copy of the tree.
func TestDeepestFirst(t *testing.T) {
	inEveryShell(t, func(t *testing.T, dir string, shell []string) {
		mountTmpfs(t, dir+"/plugins/globalmount")
		mountTmpfs(t, dir+"/plugins/globalmount/deep/er")
		for range 3 {
			mountTmpfs(t, dir+"/plugins/globalmount/deep")
		}
		bind(t, dir+"/plugins/globalmount", dir+"/pods/mount")
		bind(t, dir+"/plugins", dir+"/merged/host")
		mounts := mountsBelow(t, dir)
		for i := range mounts {
			mounts[i].Staging = strings.HasSuffix(mounts[i].Point, "globalmount") && !strings.Contains(mounts[i].Point, "merged")
			if strings.Contains(mounts[i].Point, "/merged/") {
				mounts[i].Copy = &correlate.Owner{Type: correlate.OwnerContainer, Container: "logxxx"}
			}
		}
		stdout, stderr, code := runScript(t, shell, scriptOf(t, planOf(t, mounts)))
		wantSummary(t, stdout, fmt.Sprintf("%d unmounted, 0 went with them, 0 skipped because changed, 0 failed", len(mounts)))
		if left := mountsBelow(t, dir); len(left) > 0 || stderr != "" || code != 0 {
			t.Errorf("%+v are left, stderr %q, exit %d", left, stderr, code)
		}
	})
}

// Between the report and the script others come in.
func TestChangedMountsStay(t *testing.T) {
	inEveryShell(t, func(t *testing.T, dir string, shell []string) {
		for _, name := range []string{"same", "replaced", "covered", "hidden place", "gone"} {
			mountTmpfs(t, filepath.Join(dir, name))
		}
		script := scriptOf(t, planOf(t, mountsBelow(t, dir)))
		for _, name := range []string{"replaced", "gone"} {
			if err := unix.Unmount(filepath.Join(dir, name), 0); err != nil {
				t.Fatal(err)
			}
		}
		mountTmpfs(t, dir+"/covered") // these take the ids that are free
		mountTmpfs(t, dir+"/hidden place")
		mountTmpfs(t, dir+"/replaced")
		stdout, stderr, code := runScript(t, shell, script)
		wantSummary(t, stdout, "1 unmounted, 0 went with them, 4 skipped because changed, 0 failed")
		if left := mountsBelow(t, dir); len(left) != 5 || code != 0 {
			t.Errorf("%+v are left, exit %d", left, code)
		}
		for _, want := range []string{"changed: " + dir + "/replaced: it is no longer this mount\n", "changed: " + dir + "/covered: another mount is at the same place\n"} {
			if !strings.Contains(stderr, want) {
				t.Errorf("no %q in %q", want, stderr)
			}
		}
	})
}

// What a live mount stands upon, and what somebody works in, stays and is counted.
func TestBusyMountsFail(t *testing.T) {
	inEveryShell(t, func(t *testing.T, dir string, shell []string) {
		mountTmpfs(t, dir+"/leaked")
		mountTmpfs(t, dir+"/busy'one\x1b[2J")
		mounts := mountsBelow(t, dir)
		mountTmpfs(t, dir+"/leaked/live")
		f, err := os.Create(dir + "/busy'one\x1b[2J/open")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		stdout, stderr, code := runScript(t, shell, scriptOf(t, planOf(t, mounts)))
		wantSummary(t, stdout, "0 unmounted, 0 went with them, 0 skipped because changed, 2 failed")
		if left := mountsBelow(t, dir); len(left) != 3 || code != 1 || strings.Contains(stderr, "\x1b") || !strings.Contains(stderr, "busy'one?[2J: ") {
			t.Errorf("%d are left, stderr %q, exit %d", len(left), stderr, code)
		}
	})
}

// A peer's umount takes the other's along.
func TestPropagatedUmounts(t *testing.T) {
	inEveryShell(t, func(t *testing.T, dir string, shell []string) {
		mountTmpfs(t, dir+"/a")
		if err := unix.Mount("", dir+"/a", "", unix.MS_SHARED, ""); err != nil {
			t.Fatal(err)
		}
		bind(t, dir+"/a", dir+"/b")
		for _, name := range []string{"1", "2"} {
			mountTmpfs(t, dir+"/a/"+name)
		}
		mounts := slices.DeleteFunc(mountsBelow(t, dir), func(m correlate.VolumeMount) bool { return filepath.Dir(m.Point) == dir })
		stdout, stderr, code := runScript(t, shell, scriptOf(t, planOf(t, mounts)))
		wantSummary(t, stdout, "2 unmounted, 2 went with them, 0 skipped because changed, 0 failed")
		if left := mountsBelow(t, dir); len(left) != 2 || code != 0 || stderr != "" {
			t.Errorf("%+v are left, stderr %q, exit %d", left, stderr, code)
		}
	})
}

// A copy by mount --rbind shares with the live directory: what is unmounted in the
// one would go from the other.
func TestPeerInUseStays(t *testing.T) {
	inEveryShell(t, func(t *testing.T, dir string, shell []string) {
		mountTmpfs(t, dir+"/live")
		if err := unix.Mount("", dir+"/live", "", unix.MS_SHARED, ""); err != nil {
			t.Fatal(err)
		}
		mountTmpfs(t, dir+"/live/1")
		mountTmpfs(t, dir+"/live/2")
		bind(t, dir+"/live", dir+"/copy\n'of it")
		var table []report.Mount
		var copies []correlate.VolumeMount
		for _, m := range mountsBelow(t, dir) {
			m.Shared = 7 // all are, and only those of the directories matter
			table = append(table, m.Mount)
			if strings.Contains(m.Point, "/copy") {
				copies = append(copies, m)
			}
		}
		plan := planOf(t, copies)
		plan.Table = table
		stdout, stderr, code := runScript(t, shell, scriptOf(t, plan))
		wantSummary(t, stdout, "3 unmounted, 0 went with them, 0 skipped because changed, 0 failed")
		if left := mountsBelow(t, dir); len(left) != 3 || code != 0 || stderr != "" {
			t.Errorf("%+v are left, stderr %q, exit %d", left, stderr, code)
		}
	})
}

func TestMoreThanOneBatch(t *testing.T) {
	inEveryShell(t, func(t *testing.T, dir string, shell []string) {
		for i := range 450 {
			mountTmpfs(t, fmt.Sprintf("%s/%d", dir, i))
		}
		stdout, stderr, code := runScript(t, shell, scriptOf(t, planOf(t, mountsBelow(t, dir))))
		wantSummary(t, stdout, "450 unmounted, 0 went with them, 0 skipped because changed, 0 failed")
		if left := mountsBelow(t, dir); len(left) > 0 || code != 0 || stderr != "" {
			t.Errorf("%d are left, stderr %q, exit %d", len(left), stderr, code)
		}
	})
}

func TestRefusals(t *testing.T) {
	inEveryShell(t, func(t *testing.T, dir string, shell []string) {
		mountTmpfs(t, dir+"/leaked")
		for want, change := range map[string]func(*Plan){
			"this is not node node-43, or it has been started anew":  func(p *Plan) { p.Is.BootID = "0b7f7a5e-0000-4000-8000-000000000000" },
			"this is not the node's own mount namespace":             func(p *Plan) { p.Namespace++ },
			"this script is more than an hour old, and what was lea": func(p *Plan) { p.Is.Uptime -= maxAge + 1 },
		} {
			p := planOf(t, mountsBelow(t, dir))
			change(&p)
			if p.Is.Uptime <= 0 {
				t.Fatal("this machine runs for less than an hour")
			}
			stdout, stderr, code := runScript(t, shell, scriptOf(t, p))
			if stdout != "" || code != 1 || !strings.HasPrefix(stderr, "stopped: "+want) || len(mountsBelow(t, dir)) != 1 {
				t.Errorf("%q, %q, exit %d; want %q", stdout, stderr, code, want)
			}
		}
	})
}

func TestShellcheck(t *testing.T) {
	path, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Fatal("shellcheck is needed: install it")
	}
	var mounts []correlate.VolumeMount
	for _, name := range hostileNames {
		mounts = append(mounts, correlate.VolumeMount{Mount: report.Mount{ID: 1, Point: report.Escape("/" + name)}, Number: "0:1", Type: "ext4", Leaked: true})
	}
	p := planOf(t, mounts)
	p.Volumes[0].Name, p.Node = "evil\nrm -rf /", "node'43"
	c := exec.Command(path, "-s", "sh", "-")
	c.Stdin = strings.NewReader(scriptOf(t, p))
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
