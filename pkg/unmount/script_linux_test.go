package unmount

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

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

// As it is run from within another mount namespace: sh <SCRIPT.
func TestFromStandardInput(t *testing.T) {
	inEveryShell(t, func(t *testing.T, dir string, shell []string) {
		mountTmpfs(t, dir+"/a b")
		mountTmpfs(t, dir+"/c")
		c := exec.Command(shell[1], shell[2:]...)
		c.Stdin = strings.NewReader(scriptOf(t, planOf(t, mountsBelow(t, dir))))
		stdout, stderr, code := run(t, shell, c)
		wantSummary(t, stdout, "2 unmounted, 0 went with them, 0 skipped because changed, 0 failed")
		if left := mountsBelow(t, dir); len(left) > 0 || stderr != "" || code != 0 {
			t.Errorf("%+v are left, stderr %q, exit %d", left, stderr, code)
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
		wantSummary(t, stdout, "1 unmounted, 0 went with them, 3 skipped because changed, 0 failed, 1 not there any more")
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

// Whoever runs it again reads a sum, not thousands of lines.
func TestRunAgain(t *testing.T) {
	inEveryShell(t, func(t *testing.T, dir string, shell []string) {
		for _, name := range []string{"a", "a b"} {
			mountTmpfs(t, filepath.Join(dir, name))
		}
		script := scriptOf(t, planOf(t, mountsBelow(t, dir)))
		runScript(t, shell, script)
		stdout, stderr, code := runScript(t, shell, script)
		wantSummary(t, stdout, "0 unmounted, 0 went with them, 0 skipped because changed, 0 failed, 2 not there any more")
		if stderr != "" || code != 0 {
			t.Errorf("stderr %q, exit %d", stderr, code)
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
			"this is not node node-43, or it has been started anew":                                        func(p *Plan) { p.Is.BootID = "0b7f7a5e-0000-4000-8000-000000000000" },
			"this is not the node's own mount namespace: run it there by nsenter -t 1 -m sh <SCRIPT\n":     func(p *Plan) { p.Namespace++ },
			"this is not the kubelet's own mount namespace: run it there by nsenter -t 77 -m sh <SCRIPT\n": func(p *Plan) { p.Namespace, p.PID = p.Namespace+1, 77 },
			"this script is more than an hour old, and what was lea":                                       func(p *Plan) { p.Is.Uptime -= maxAge + 1 },
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
