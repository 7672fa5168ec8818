package cmd

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

func TestExplain(t *testing.T) {
	for args, want := range map[string]struct {
		first, with, stderr string
	}{
		"explain":               {first: "mounts\n  mounts-leaked ", with: "\nfd\n  fd-exec-fifos "},
		"explain fd-node-limit": {first: "fd-node-limit: the node's open files come near fs.file-max\n\nWhat it means\n  The kernel has one limit", with: "From 80 % on it is a finding, from 95 % on a critical one."},
		"explain fd-nod --threshold fd-node-limit.warning=70":     {first: "fd-node-limit: ", with: "From 70 % (by default 80 %) on it is a finding"},
		"explain fd-node-limit --threshold fd-node-limit.soon=2d": {with: "\n  fd-node-limit.soon        2d  until it is full at this rate: a finding (by default 6h; 1s to 365d)\n"},
		"explain mounts-d":                 {stderr: `more than one rule begins with "mounts-d": mounts-device-errors, mounts-detached`},
		"explain fd-nodes-limit":           {stderr: "no rule is called \"fd-nodes-limit\": did you mean fd-node-limit? `kubectl nodedoc explain` lists all"},
		"explain zzzzzzzz":                 {stderr: "no rule is called \"zzzzzzzz\": `kubectl nodedoc explain` lists all"},
		"explain fd-node-limit fd-growth":  {stderr: "accepts at most 1 arg(s), received 2"},
		"explain -o html":                  {stderr: `output format "html" is not known: use one of text, json, yaml, markdown`},
		"explain --color blue":             {stderr: `--color is auto, always or never, not "blue"`},
		"explain --config /does/not/exist": {stderr: "failed to read the configuration: open /does/not/exist: no such file or directory"},
		"explain fd-growth -o markdown":    {first: "## fd-growth\n\nAn owner gains descriptors all the while.\n\n**What it means**\n"},
	} {
		t.Run(args, func(t *testing.T) {
			stdout, stderr, code := run(t, strings.Fields(args)...)
			if want.stderr != "" {
				if stderr != "error: "+want.stderr+"\n" || stdout != "" || code != ExitFailed {
					t.Errorf("got %q %q, exit %d, want %q", stdout, stderr, code, want.stderr)
				}
				return
			}
			if !strings.HasPrefix(stdout, want.first) || !strings.Contains(stdout, want.with) || stderr != "" || code != ExitOK {
				t.Errorf("got %s%s, exit %d, want %q and %q", stdout, stderr, code, want.first, want.with)
			}
		})
	}
}

func TestExplainAsObjects(t *testing.T) {
	stdout, _, code := run(t, "explain", "fd-node-limit", "-o", "json", "--threshold", "fd-node-limit.warning=70%")
	var rule struct {
		Kind, ID, Means                 string
		Computed, Sources, Do, FooledBy []string
		Thresholds                      []struct {
			Name, Unit       string
			Default, InForce float64
		}
	}
	if err := json.Unmarshal([]byte(stdout), &rule); err != nil || code != ExitOK {
		t.Fatalf("%v, exit %d:\n%s", err, code, stdout)
	}
	if rule.Kind != "Rule" || rule.ID != "fd-node-limit" || len(rule.Computed)*len(rule.Sources)*len(rule.Do)*len(rule.FooledBy) == 0 {
		t.Errorf("got %+v", rule)
	}
	if of := rule.Thresholds[0]; of.Name != "fd-node-limit.warning" || of.Unit != "percent" || of.Default != 80 || of.InForce != 70 {
		t.Errorf("got %+v", of)
	}
	stdout, _, _ = run(t, "explain", "-o", "yaml")
	var list struct {
		Kind  string
		Rules []struct{ ID string }
	}
	if err := yaml.Unmarshal([]byte(stdout), &list); err != nil || list.Kind != "RuleList" || len(list.Rules) != len(diagnose.Rules()) {
		t.Errorf("got %+v, %v", list, err)
	}
}

// The document of all rules is what the command writes.
func TestExplainWritesTheDocument(t *testing.T) {
	want, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	if stdout, _, _ := run(t, "explain", "-o", "markdown"); stdout != string(want) {
		t.Errorf("got %d bytes, want %d", len(stdout), len(want))
	}
}

func TestRulesAndThresholdsAreCompleted(t *testing.T) {
	for args, want := range map[string]string{
		"explain fd-no":                       "fd-no-table\tmany open files are in no process's descriptor table\nfd-node-limit\tthe node's open files come near fs.file-max\n:4\n",
		"explain fd-growth ":                  ":4\n",
		"explain -o ":                         "text\njson\nyaml\nmarkdown\n:4\n",
		"fd n --threshold fd-node-limit.":     "fd-node-limit.warning=\tby default 80%\nfd-node-limit.critical=\tby default 95%\nfd-node-limit.in-sight=\tby default 50%\nfd-node-limit.soon=\tby default 6h\nfd-node-limit.very-soon=\tby default 30m\n:6\n",
		"checkup --threshold fd-node-limit.w": "fd-node-limit.warning=\tby default 80%\n:6\n",
		"tasks n --config ":                   ":0\n",
	} {
		stdout, _, code := run(t, append([]string{"__complete"}, strings.Split(args, " ")...)...)
		if stdout != want || code != ExitOK {
			t.Errorf("%s: got %q, exit %d, want %q", args, stdout, code, want)
		}
	}
}
