package debugpod

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// fakeProbe stands for the probe: it says how it was called and repeats what
// it then reads. Binary rubbish follows, as a shell must carry it unharmed.
const fakeProbe = "#!/bin/sh\necho \"hello $*\"\ncat\nexit\n\x00\xff\r\n\n\x7fELF"

// shells are those that this machine has, each with a PATH of its tools.
func shells(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, name := range []string{"dash", "bash", "busybox"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Logf("NOT TESTED with %s: it is not installed", name)
			if os.Getenv("CI") != "" {
				t.Fail()
			}
			continue
		}
		if name != "busybox" {
			found[name] = []string{os.Getenv("PATH"), path}
			continue
		}
		dir := t.TempDir()
		for _, applet := range []string{"head", "sha256sum", "chmod", "cat", "gzip", "rm"} {
			if err := os.Symlink(path, filepath.Join(dir, applet)); err != nil {
				t.Fatal(err)
			}
		}
		found[name] = []string{dir, path, "sh"}
	}
	if len(found) == 0 {
		t.Fatal("no shell here")
	}
	return found
}

// runScript runs the script as the container does, with stdin from in.
func runScript(t *testing.T, shell []string, args []string, in io.Reader) (stdout, stderr string, err error) {
	t.Helper()
	dir := t.TempDir()
	argv := append(append([]string{}, shell[2:]...), "-c", strings.ReplaceAll(script, probeDir, dir))
	cmd := exec.CommandContext(t.Context(), shell[1], append(argv, args...)...)
	cmd.Env = []string{"PATH=" + shell[0]}
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &errOut
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Run()
	return out.String(), errOut.String(), err
}

func TestScriptRefuses(t *testing.T) {
	damaged := strings.Replace(fakeProbe, "hello", "hullo", 1)
	for name, c := range map[string]struct{ stdin, want string }{
		"stdin ends before the nonce":     {"", "left before it sent anything"},
		"stdin ends within the nonce":     {"n0n", "left before it sent anything"},
		"nonce of another session":        {"other\n" + fakeProbe, "another client"},
		"nonce with more behind it":       {"n0nce -e\n" + fakeProbe, "another client"},
		"stdin ends before the probe":     {"n0nce\n", "cut short or damaged"},
		"stdin ends within the probe":     {"n0nce\n" + fakeProbe[:20], "cut short or damaged"},
		"stdin ends one byte before it":   {"n0nce\n" + fakeProbe[:len(fakeProbe)-1], "cut short or damaged"},
		"a byte of the probe differs":     {"n0nce\n" + damaged, "cut short or damaged"},
		"a line of noise before it":       {"n0nce\nbanner\n" + fakeProbe, "cut short or damaged"},
		"the nonce line sent twice":       {"n0nce\nn0nce\n" + fakeProbe, "cut short or damaged"},
		"a terminal's carriage return":    {"n0nce\r\n" + fakeProbe, "another client"},
		"shell syntax in place of a name": {"$(exit)\n" + fakeProbe, "another client"},
	} {
		for shell, argv := range shells(t) {
			t.Run(name+" in "+shell, func(t *testing.T) {
				args := command(byImageShell, "n0nce", []byte(fakeProbe))[3:]
				out, errOut, err := runScript(t, argv, args, strings.NewReader(c.stdin))
				if err == nil || out != "" || strings.Count(errOut, "\n") != 1 || !strings.Contains(errOut, c.want) {
					t.Errorf("got %v, stdout %q, stderr %q; want a failure with one line: %q", err, out, errOut, c.want)
				}
			})
		}
	}
}

func TestScriptBecomesTheProbe(t *testing.T) {
	whole := "n0nce\n" + fakeProbe
	for name, in := range map[string]func() io.Reader{
		"at once":                 func() io.Reader { return strings.NewReader(whole) },
		"byte by byte":            func() io.Reader { return iotest.OneByteReader(strings.NewReader(whole)) },
		"with bytes that are due": func() io.Reader { return strings.NewReader(whole + "too early\n") },
	} {
		for shell, argv := range shells(t) {
			t.Run(name+" in "+shell, func(t *testing.T) {
				out, errOut, err := runScript(t, argv, command(byImageShell, "n0nce", []byte(fakeProbe))[3:], in())
				if err != nil || errOut != "" || !strings.HasPrefix(out, "hello serve n0nce\n") {
					t.Errorf("got %v, stdout %q, stderr %q", err, out, errOut)
				}
			})
		}
	}
}

// What is sent after the hello must reach the probe: nothing in between may
// have read ahead of it.
func TestScriptKeepsStdinForTheProbe(t *testing.T) {
	for shell, argv := range shells(t) {
		t.Run(shell, func(t *testing.T) {
			dir := t.TempDir()
			full := append(append([]string{}, argv[2:]...), "-c", strings.ReplaceAll(script, probeDir, dir))
			cmd := exec.CommandContext(t.Context(), argv[1], append(full, command(byImageShell, "n0nce", []byte(fakeProbe))[3:]...)...)
			cmd.Env = []string{"PATH=" + argv[0]}
			stdin, _ := cmd.StdinPipe()
			stdout, _ := cmd.StdoutPipe()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Process.Kill() }()
			io.WriteString(stdin, "n0nce\n"+fakeProbe)
			hello := make([]byte, len("hello serve n0nce\n"))
			if _, err := io.ReadFull(stdout, hello); err != nil {
				t.Fatal(err)
			}
			io.WriteString(stdin, "a request")
			stdin.Close()
			rest, err := io.ReadAll(stdout)
			if err != nil || string(rest) != "a request" {
				t.Errorf("the probe read %q (%v)", rest, err)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// busybox is left out: it has the tools inside and misses none of them.
func TestScriptNamesTheMissingTool(t *testing.T) {
	found := shells(t)
	delete(found, "busybox")
	for shell, argv := range found {
		t.Run(shell, func(t *testing.T) {
			argv[0] = t.TempDir() // a PATH without anything
			out, errOut, err := runScript(t, argv, command(byImageShell, "n0nce", []byte(fakeProbe))[3:], strings.NewReader("n0nce\n"+fakeProbe))
			if err == nil || out != "" || !strings.Contains(errOut, "there is no head here: choose another image with --image") {
				t.Errorf("got %v, stdout %q, stderr %q", err, out, errOut)
			}
		})
	}
}

// The kubelet expands a container's command: $(NAME) where there is such a
// variable, and two dollars become one.
func TestKubeletLeavesTheScriptAlone(t *testing.T) {
	for _, by := range []starter{byImageShell, byHostShell, byItself} {
		for _, part := range command(by, "n0nce", []byte(fakeProbe)) {
			if strings.Contains(part, "$$") {
				t.Errorf("two dollars become one in %q", part)
			}
		}
	}
}
