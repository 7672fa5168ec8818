package cmd

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// commands are all of the plugin's, by their path.
func commands(c *cobra.Command) map[string]*cobra.Command {
	all := map[string]*cobra.Command{strings.TrimPrefix(c.CommandPath(), "kubectl nodedoc"): c}
	for _, sub := range c.Commands() {
		for path, s := range commands(sub) {
			all[path] = s
		}
	}
	return all
}

func testRoot() *cobra.Command {
	return NewRoot("v0", genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard})
}

func TestEveryCommandHasHelp(t *testing.T) {
	for path, c := range commands(testRoot()) {
		t.Run(path, func(t *testing.T) {
			if c.Short == "" || strings.HasSuffix(c.Short, ".") {
				t.Errorf("short help %q", c.Short)
			}
			c.LocalFlags().VisitAll(func(f *pflag.Flag) {
				if f.Usage == "" {
					t.Errorf("--%s has no help", f.Name)
				}
			})
			stdout, stderr, code := run(t, append(strings.Fields(path), "--help")...)
			if !strings.Contains(stdout, "Usage:\n  kubectl nodedoc"+path) || stderr != "" || code != ExitOK {
				t.Errorf("got %q, %q, exit %d", stdout, stderr, code)
			}
		})
	}
}

func TestBareRootIsHelp(t *testing.T) {
	stdout, stderr, code := run(t)
	for _, want := range []string{"Find out who makes a node sick", "  fd ", "  whois-pid ", "  tasks ", "  memory ", "  cleanup ", "  version "} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in %s", want, stdout)
		}
	}
	if stderr != "" || code != ExitOK {
		t.Errorf("%q, exit %d", stderr, code)
	}
}

func TestVersion(t *testing.T) {
	stdout, stderr, code := run(t, "version")
	if !strings.HasPrefix(stdout, "kubectl-nodedoc v0.0.0-test ") || !strings.Contains(stdout, ", probes: ") || stderr != "" || code != ExitOK {
		t.Errorf("got %q, %q, exit %d", stdout, stderr, code)
	}
}

func TestCompletion(t *testing.T) {
	for args, want := range map[string]string{
		"fd n --by ":        "pod\ncontainer\nworkload\nprocess\nunit\nuser\nkind\n:4\n",
		"fd n --sort ":      "count\ngrowth\n:4\n",
		"memory n --by ":    "pod\ncontainer\nworkload\nprocess\nunit\nuser\n:4\n",
		"memory n --sort ":  "memory\ngrowth\n:4\n",
		"fd n --color ":     "auto\nalways\nnever\n:4\n",
		"fd n --profile ":   "sysadmin\nminimal\n:4\n",
		"whois-pid n 1 -o ": "table\nwide\nhtml\nmarkdown\njson\nyaml\nkyaml\nname\ngo-template\ngo-template-file\ntemplate\ntemplatefile\njsonpath\njsonpath-as-json\njsonpath-file\n:4\n",
		"fd --local ":       ":4\n",
		"fd --from x ":      ":4\n",
		"fd n ":             ":4\n",
		"fd --from ":        ":0\n",
		"fd --save ":        ":0\n",
		"who":               "whois-pid\tWhose process is it: process tree, container, pod, workload, or the host's unit\n:4\n",
		"cleanup --all-n":   "--all-namespaces\tLook into all namespaces\n:4\n",
	} {
		t.Run(args, func(t *testing.T) {
			stdout, _, code := run(t, append([]string{"__complete"}, strings.Split(args, " ")...)...)
			if stdout != want || code != ExitOK {
				t.Errorf("got %q, exit %d, want %q", stdout, code, want)
			}
		})
	}
	if stdout, _, code := run(t, "__complete", "fd", "n", "--kubeconfig", kubeconfig(t), "--context", "p"); stdout != "prod\n:4\n" || code != ExitOK {
		t.Errorf("contexts: %q, exit %d", stdout, code)
	}
	if stdout, _, code := run(t, "completion", "kubectl"); !strings.HasSuffix(stdout, "\nexec kubectl nodedoc __complete \"$@\"\n") || code != ExitOK {
		t.Errorf("kubectl: %q, exit %d", stdout, code)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if stdout, _, code := run(t, "completion", shell); len(stdout) < 1000 || code != ExitOK {
			t.Errorf("%s: %d bytes, exit %d", shell, len(stdout), code)
		}
	}
}

// No environment variable or file of the user's may change what is said.
func TestRunsOfOneProcessAreAlike(t *testing.T) {
	path := save(t, sickNode(), hubInventory())
	first, _, _ := run(t, "fd", "--from", path, "-o", "json")
	for range 5 {
		if again, _, _ := run(t, "fd", "--from", path, "-o", "json"); !bytes.Equal([]byte(first), []byte(again)) {
			t.Fatalf("got %s\nthen %s", first, again)
		}
	}
}

// kubeconfig has two contexts, and a server that nobody reaches.
func kubeconfig(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	text := `{"apiVersion":"v1","kind":"Config","contexts":[{"name":"prod","context":{"cluster":"c"}},{"name":"test","context":{"cluster":"c"}}],` +
		`"clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:1"}}],"current-context":"prod"}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
