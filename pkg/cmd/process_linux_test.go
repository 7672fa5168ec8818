package cmd

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

const asPlugin = "NODEDOC_TEST_AS_PLUGIN"

// TestMain lets the test binary be the plugin: exit codes, pipes and terminals
// are those of a process.
func TestMain(m *testing.M) {
	if os.Getenv(asPlugin) != "" {
		os.Exit(Run(os.Args[1:], "v0.0.0-test", genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}))
	}
	os.Exit(m.Run())
}

func plugin(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, args...)
	c.Env = []string{asPlugin + "=1", "TERM=xterm", "HOME=" + t.TempDir(), "KUBECONFIG=" + filepath.Join(t.TempDir(), "none")}
	return c
}

// "| head -1" must not be an error, nor kill before the pod is removed.
func TestReaderLeaves(t *testing.T) {
	path := save(t, sickNode(), hubInventory())
	for _, args := range []string{"fd", "fd -o json", "fd -o yaml", "fd -o name", "fd -o jsonpath={.rows}", "fd -o go-template={{.node}}", "whois-pid 3663411 1", "whois-pid 1 -o json", "version", "fd --help"} {
		t.Run(args, func(t *testing.T) {
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			reader.Close()
			defer writer.Close()
			words := strings.Fields(args)
			if words[0] != "version" && words[len(words)-1] != "--help" {
				words = append(words, "--from", path)
			}
			c := plugin(t, words...)
			var stderr bytes.Buffer
			c.Stdout, c.Stderr = writer, &stderr
			if err := c.Run(); err != nil || stderr.Len() > 0 {
				t.Errorf("%v, %q", err, &stderr)
			}
		})
	}
}

// A full disk behind ">" is no reader that left.
func TestFullOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, format := range []string{"table", "json", "name"} {
		c := plugin(t, "fd", "--from", save(t, sickNode(), nil), "-o", format)
		var stderr bytes.Buffer
		c.Stdout, c.Stderr = full, &stderr
		if err := c.Run(); c.ProcessState.ExitCode() != ExitFailed || !strings.Contains(stderr.String(), "no space left on device") {
			t.Errorf("%s: %v, %q", format, err, &stderr)
		}
	}
}

// terminal makes a pseudo terminal of a width: what is written to the second
// comes out of the first.
func terminal(t *testing.T, columns uint16) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("NOT TESTED: no terminal here: %v", err)
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("NOT TESTED: no terminal here: %v", err)
	}
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: columns}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	return master, slave
}

func TestColorOnATerminal(t *testing.T) {
	path := save(t, sickNode(), hubInventory())
	for name, c := range map[string]struct {
		env, args string
		want      bool
	}{
		"a terminal":                   {"TERM=xterm", "", true},
		"NO_COLOR":                     {"NO_COLOR=1", "", false},
		"NO_COLOR, set and empty":      {"NO_COLOR=", "", true}, // no-color.org: "when present and not an empty string"
		"a dumb terminal":              {"TERM=dumb", "", false},
		"never":                        {"TERM=xterm", "--color never", false},
		"always, in spite of NO_COLOR": {"NO_COLOR=1", "--color always", true},
		"JSON":                         {"TERM=xterm", "-o json", false},
	} {
		t.Run(name, func(t *testing.T) {
			master, slave := terminal(t, 100)
			p := plugin(t, append([]string{"fd", "--from", path}, strings.Fields(c.args)...)...)
			p.Env = append(p.Env, c.env)
			p.Stdout = slave
			output := make(chan string)
			go func() {
				all, _ := io.ReadAll(master) // ends with EIO when the other side is closed
				output <- string(all)
			}()
			if err := p.Run(); err != nil {
				t.Error(err)
			}
			slave.Close()
			got := <-output
			if strings.Contains(got, "\x1b[") != c.want || !strings.Contains(got, "hub-0") {
				t.Errorf("colour: want %v, got %q", c.want, got)
			}
		})
	}
}

// No pod was made: none is removed, and there is nothing to wait for.
func TestProgressIsSilentOffline(t *testing.T) {
	master, slave := terminal(t, 100)
	p := plugin(t, "fd", "--from", save(t, sickNode(), nil))
	p.Stderr = slave
	output := make(chan string)
	go func() {
		all, _ := io.ReadAll(master)
		output <- string(all)
	}()
	if err := p.Run(); err != nil {
		t.Error(err)
	}
	slave.Close()
	if got := <-output; got != "" {
		t.Errorf("got %q", got)
	}
}

func TestNoColorInAPipe(t *testing.T) {
	for _, args := range []string{"fd", "whois-pid 3663411", "fd -o wide", "--help", "fd --help"} {
		c := plugin(t, append(strings.Fields(args), "--from", save(t, sickNode(), hubInventory()))...)
		if strings.Contains(args, "--help") {
			c = plugin(t, strings.Fields(args)...)
		}
		c.Env = append(c.Env, "CLICOLOR_FORCE=1", "COLUMNS=40")
		out, err := c.CombinedOutput()
		if err != nil || bytes.ContainsRune(out, '\x1b') {
			t.Errorf("%s: %v, %q", args, err, out)
		}
	}
}
