package nodescript

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// echo stands for a probe: it prints its request.
const echo = "#!/bin/sh\n[ \"$1\" = report ] || exit 2\necho \"$2\"\n"

// tools are those of a node that the script uses.
var tools = []string{"base64", "cat", "chmod", "gzip", "id", "mkdir", "rm", "sh", "uname"}

// shells that a node may have, by the PATH of their tools.
func shells(t *testing.T) map[string][]string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("this test needs root, as the script does")
	}
	found := map[string][]string{}
	for _, name := range []string{"dash", "bash", "busybox"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatalf("%s is needed: install it", name)
		}
		found[name] = []string{os.Getenv("PATH"), path}
		if name == "busybox" {
			dir := t.TempDir()
			for _, tool := range tools {
				if err := os.Symlink(path, filepath.Join(dir, tool)); err != nil {
					t.Fatal(err)
				}
			}
			found[name] = []string{dir, path, "sh"}
		}
	}
	return found
}

func scriptOf(t *testing.T, binary string) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, "node-43", "v0", []Probe{{Arch: "other", Binary: []byte("\x7fELF of another machine")}, {Arch: runtime.GOARCH, Binary: []byte(binary)}}, report.Everything()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type outcome struct {
	stdout, stderr string
	code           int
}

// runOn gives the script to a shell's stdin, as ssh does.
func runOn(t *testing.T, shell []string, script string, as *syscall.SysProcAttr) outcome {
	t.Helper()
	c := exec.Command(shell[1], append(shell[2:len(shell):len(shell)], "-s")...)
	var out, errOut bytes.Buffer
	c.Env, c.Stdin, c.Stdout, c.Stderr, c.SysProcAttr = []string{"PATH=" + shell[0]}, strings.NewReader(script), &out, &errOut, as
	err := c.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{out.String(), errOut.String(), c.ProcessState.ExitCode()}
}

func leftovers(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, dir := range []string{"/dev/shm", "/run", "/tmp", "/var/tmp", "/root"} {
		some, err := filepath.Glob(dir + "/nodedoc.*")
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, some...)
	}
	return found
}

func TestScript(t *testing.T) {
	before := leftovers(t)
	// Incompressible, so that the probe takes many pieces.
	var ballast strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&ballast, "# %x\n", uint64(i+1)*0x9e3779b97f4a7c15)
	}
	script := scriptOf(t, echo+ballast.String())
	if len(script) < 1<<20 {
		t.Fatalf("the script has %d bytes only", len(script))
	}
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			got := runOn(t, shell, script, nil)
			var req report.Request
			if err := json.Unmarshal([]byte(got.stdout), &req); err != nil || got.code != 0 {
				t.Fatalf("exit code %d, %v: %q, stderr %q", got.code, err, got.stdout, got.stderr)
			}
			if !req.Memory || req.Kind != report.RequestKind {
				t.Errorf("the probe got %+v", req)
			}
		})
	}
	if left := leftovers(t); len(left) > len(before) {
		t.Errorf("left behind: %v", left)
	}
}

// TestCutScript: what is left of a script does nothing, wherever it was cut.
func TestCutScript(t *testing.T) {
	script := scriptOf(t, echo)
	whole := strings.TrimRight(script, "\n")
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			for n := 0; n < len(whole)-len("main"); n += 1 + len(whole)/40 {
				if got := runOn(t, shell, whole[:n], nil); got.stdout != "" {
					t.Errorf("cut after %d bytes it prints %q", n, got.stdout)
				}
			}
		})
	}
}

// TestScriptRefused: it says why there is no report, and prints none.
func TestScriptRefused(t *testing.T) {
	before := leftovers(t)
	script := scriptOf(t, echo)
	// A letter of the packed probe.
	at := strings.Index(script, "printf '%s\\n' 'H4sI")
	at += strings.Index(script[at+1:], "printf '%s\\n' 'H4sI") + 80
	other := "A"
	if script[at] == 'A' {
		other = "B"
	}
	damaged := script[:at] + other + script[at+1:]
	var foreign bytes.Buffer
	if err := Write(&foreign, "", "v0", []Probe{{Arch: "other", Binary: []byte("\x7fELF")}}, report.NewRequest()); err != nil {
		t.Fatal(err)
	}
	nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	for name, shell := range shells(t) {
		for _, c := range []struct {
			name, script string
			as           *syscall.SysProcAttr
			want         string
		}{
			{"not root", script, nobody, "what only root may"},
			{"damaged", damaged, nil, "no directory takes the probe"},
			{"another machine", foreign.String(), nil, "there is no probe for Linux on"},
			{"the probe fails", scriptOf(t, "#!/bin/sh\nexit 1\n"), nil, "the probe failed"},
		} {
			t.Run(name+" "+c.name, func(t *testing.T) {
				if c.as != nil && name == "busybox" {
					t.Chdir("/") // its tools lie where nobody may look
					shell = []string{os.Getenv("PATH"), shell[1], "sh"}
				}
				got := runOn(t, shell, c.script, c.as)
				if got.code == 0 || got.stdout != "" || !strings.Contains(got.stderr, c.want) {
					t.Errorf("exit code %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
				}
			})
		}
	}
	if left := leftovers(t); len(left) > len(before) {
		t.Errorf("left behind: %v", left)
	}
}

// TestNoexec: where programs may not be run in memory, the next directory serves.
func TestNoexec(t *testing.T) {
	script := scriptOf(t, echo)
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			done := make(chan outcome)
			go func() {
				runtime.LockOSThread() // and never unlocked: the thread goes with its namespace
				defer close(done)
				if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
					t.Error(err)
					return
				}
				if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
					t.Error(err)
					return
				}
				for _, dir := range []string{"/dev/shm", "/run"} {
					if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOEXEC, "size=16m"); err != nil {
						t.Error(err)
						return
					}
				}
				done <- runOn(t, shell, script, nil)
			}()
			if got := <-done; got.code != 0 || !strings.HasPrefix(got.stdout, "{") {
				t.Errorf("exit code %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
			}
		})
	}
}
