package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// configFile writes a configuration file.
func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// nearlyFull is a node of which 75 % of the open files are in use: no finding by the
// defaults.
func nearlyFull(t *testing.T) string {
	t.Helper()
	r := sickNode()
	r.Processes.List = nil
	r.OpenFiles = &report.OpenFiles{Max: new(uint64(1000)), Samples: []report.FileSample{{Allocated: 750}}}
	return save(t, r, hubInventory())
}

func TestThresholdsInForce(t *testing.T) {
	path := nearlyFull(t)
	const seventy, ninety = "thresholds:\n  fd-node-limit.warning: 70%\n", "thresholds: {fd-node-limit.warning: 90}"
	const changed = "threshold fd-node-limit.warning is 70% here, by default 80%"
	for name, c := range map[string]struct {
		env   string // text of the file that the environment names
		home  string // of that in the user's directory
		flags []string
		want  bool
	}{
		"the defaults":                       {want: false},
		"a flag":                             {flags: []string{"--threshold", "fd-node-limit.warning=70%"}, want: true},
		"the last of flags":                  {flags: []string{"--threshold", "fd-node-limit.warning=90%", "--threshold", "fd-node-limit.warning=70%"}, want: true},
		"a file that a flag names":           {flags: []string{"--config", configFile(t, seventy)}, want: true},
		"a file that the environment names":  {env: seventy, want: true},
		"the user's file":                    {home: seventy, want: true},
		"a flag before the file":             {flags: []string{"--config", configFile(t, seventy), "--threshold", "fd-node-limit.warning=90%"}, want: false},
		"a named file before the others":     {env: seventy, home: seventy, flags: []string{"--config", configFile(t, ninety)}, want: false},
		"the environment's before the usual": {env: seventy, home: ninety, want: true},
		"an empty file":                      {env: "", home: "", want: false},
		"a file with comments only":          {env: "# nothing yet\n", want: false},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			if c.env != "" {
				t.Setenv("NODEDOC_CONFIG", configFile(t, c.env))
			}
			if c.home != "" {
				dir := filepath.Join(home, "kubectl-nodedoc")
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(c.home), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			stdout, stderr, code := runAt(t, home, append([]string{"fd", "--from", path}, c.flags...)...)
			if got := strings.Contains(stdout, changed); got != c.want || code != ExitOK {
				t.Errorf("got %s%s, exit %d, want the finding: %v", stdout, stderr, code, c.want)
			}
		})
	}
}

func TestConfigErrors(t *testing.T) {
	path := nearlyFull(t)
	for name, c := range map[string]struct{ text, want string }{
		"unknown threshold":    {"thresholds: {fd-node-limt.warning: 70%}", "no threshold is called \"fd-node-limt.warning\": did you mean fd-node-limit.warning? `kubectl nodedoc explain` lists the rules, and explain RULE those of a rule"},
		"out of bounds":        {"thresholds: {fd-node-limit.warning: 700}", "threshold fd-node-limit.warning must be 1% to 100%, not 700%"},
		"a list":               {"thresholds: {fd-node-limit.warning: [70]}", "threshold fd-node-limit.warning: [70] is neither a number nor a text"},
		"nothing":              {"thresholds: {fd-node-limit.warning: }", "threshold fd-node-limit.warning: <nil> is neither a number nor a text"},
		"unknown field":        {"treshold: {fd-node-limit.warning: 70%}", `error unmarshaling JSON: while decoding JSON: json: unknown field "treshold"`},
		"twice":                {"thresholds: {fd-node-limit.warning: 70%, fd-node-limit.warning: 75%}", `error converting YAML to JSON: yaml: unmarshal errors:` + "\n" + `  line 1: key "fd-node-limit.warning" already set in map`},
		"no YAML":              {"thresholds: {", "error converting YAML to JSON: yaml: line 1: did not find expected node content"},
		"a number with a unit": {"thresholds: {fd-node-limit.soon: 5}", `threshold fd-node-limit.soon: "5" is no time with its unit, such as 6h`},
	} {
		t.Run(name, func(t *testing.T) {
			file := configFile(t, c.text)
			stdout, stderr, code := run(t, "fd", "--from", path, "--config", file)
			if want := "error: failed to read the thresholds in \"" + file + "\": " + c.want + "\n"; stderr != want || stdout != "" || code != ExitFailed {
				t.Errorf("got %q %q, exit %d, want %q", stdout, stderr, code, want)
			}
		})
	}
	for name, c := range map[string]struct {
		path string
		env  bool
		want string
	}{
		"a file that is not there":                    {"/does/not/exist.yaml", false, "open /does/not/exist.yaml: no such file or directory"},
		"the environment names one that is not there": {"/does/not/exist.yaml", true, "open /does/not/exist.yaml: no such file or directory"},
		"a directory":        {"/", false, "read /: is a directory"},
		"a file without end": {"/dev/zero", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"fd", "--from", path}
			if c.env {
				t.Setenv("NODEDOC_CONFIG", c.path)
			} else {
				args = append(args, "--config", c.path)
			}
			want := "error: failed to read the configuration: " + c.want + "\n"
			if c.want == "" {
				want = "error: failed to read the configuration \"/dev/zero\": it is larger than 1048576 bytes\n"
			}
			if stdout, stderr, code := run(t, args...); stderr != want || stdout != "" || code != ExitFailed {
				t.Errorf("got %q %q, exit %d, want %q", stdout, stderr, code, want)
			}
		})
	}
}

// No cluster is asked, so no pod is made.
func TestWarningAboveCritical(t *testing.T) {
	const order = "threshold fd-node-limit.warning must be 1% to 95%, not 97%: fd-node-limit.critical is 95%, and may be 97% to 100%\n"
	above := configFile(t, "thresholds: {fd-node-limit.warning: 97%}")
	lower := configFile(t, "thresholds: {fd-node-limit.warning: 70%}")
	for name, c := range map[string]struct {
		flags []string
		want  string
	}{
		"by a flag":                   {[]string{"--threshold", "fd-node-limit.warning=97%"}, "error: --threshold: " + order},
		"by the file":                 {[]string{"--config", above}, "error: failed to read the thresholds in \"" + above + "\": " + order},
		"by a flag that wins":         {[]string{"--config", lower, "--threshold", "fd-node-limit.warning=97%"}, "error: --threshold, with those in \"" + lower + "\": " + order},
		"and a flag does not mend it": {[]string{"--config", above, "--threshold", "fd-node-limit.soon=5h"}, "error: --threshold, with those in \"" + above + "\": " + order},
	} {
		for _, command := range []string{"fd", "checkup"} {
			if stdout, stderr, code := run(t, append([]string{command, "worker-1"}, c.flags...)...); stderr != c.want || stdout != "" || code != ExitFailed {
				t.Errorf("%s, %s: got %q %q, exit %d, want %q", command, name, stdout, stderr, code, c.want)
			}
		}
	}
	mended := []string{"fd", "--from", nearlyFull(t), "--config", above, "--threshold", "fd-node-limit.critical=98%"}
	if _, stderr, code := run(t, mended...); code != ExitOK {
		t.Errorf("the flag mends the file: got %q, exit %d", stderr, code)
	}
}
