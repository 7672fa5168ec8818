package cmd

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

// nextDay is the sick node a day later: the pod with the FIFOs is gone.
func nextDay() *report.NodeReport {
	r := sickNode()
	r.Node.Now = 1_700_172_800
	r.Processes.List = append(r.Processes.List[:3:3], r.Processes.List[4:]...)
	for i := range r.OpenFiles.Samples {
		r.OpenFiles.Samples[i].Allocated = 3_000
	}
	return r
}

func today() *report.NodeReport {
	r := sickNode()
	r.Node.Now = 1_700_086_400
	return r
}

func TestDiff(t *testing.T) {
	older, newer := save(t, today(), hubInventory()), save(t, nextDay(), hubInventory())
	stdout, stderr, code := run(t, "diff", older, newer)
	for _, want := range []string{"node-43: findings: ", "resolved  warning   fd-node-limit", "open files", "92,224", "-89,224", "descriptors  prod/hub-0", "24h"} {
		if stderr != "" || code != ExitOK || !strings.Contains(stdout, want) {
			t.Errorf("no %q: exit %d, %s%s", want, code, stderr, stdout)
		}
	}
	stdout, _, code = run(t, "diff", newer, older, "-o", "json")
	var doc diffDocument
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil || code != ExitOK || len(doc.Nodes) != 1 || doc.Nodes[0].Node.Node != "node-43" || doc.Nodes[0].Findings[0].Change != "new" {
		t.Errorf("%v, exit %d, %s", err, code, stdout)
	}
	for format, want := range map[string]string{formatHTML: `class="finding resolved d0"`, formatMarkdown: "**RESOLVED** was warning `fd-node-limit`", "yaml": "change: resolved", "name": "pod/hub-0"} {
		if stdout, stderr, code := run(t, "diff", older, newer, "-o", format); code != ExitOK || !strings.Contains(stdout, want) {
			t.Errorf("-o %s: exit %d, no %q: %s%s", format, code, want, stderr, stdout)
		}
	}
}

func TestDiffOfManyNodes(t *testing.T) {
	write := func(nodes ...string) string {
		path := filepath.Join(t.TempDir(), "many.json")
		list, err := saved.NewList(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range nodes {
			if err := list.Add(today(), &inventory.Inventory{Node: name}); err != nil {
				t.Fatal(err)
			}
		}
		if err := list.Close(nil); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stdout, _, code := run(t, "diff", write("a", "b"), write("b", "c"))
	for _, want := range []string{"a: in the older file only", "b: findings: ", "c: in the newer file only"} {
		if code != ExitOK || !strings.Contains(stdout, want) {
			t.Errorf("exit %d, no %q: %s", code, want, stdout)
		}
	}
	_, stderr, code := run(t, "diff", write("a", "a"), write("a"))
	if code != ExitFailed || !strings.Contains(stderr, `holds two reports of node "a"`) {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestDiffErrors(t *testing.T) {
	path := save(t, today(), nil)
	for _, c := range []struct{ args, want string }{
		{"", "which reports? diff takes two files of --save, the older one first, not 0"},
		{path, "which reports? diff takes two files of --save, the older one first, not 1"},
		{"- -", "stdin holds one report: OLD and NEW cannot both be -"},
		{path + " " + path + " --by process", `--by is one of pod, workload, unit, not "process"`},
		{path + " " + path + " --top -1", "--top must be 0 or more, not -1"},
		{path + " " + path + ".none", "no such file or directory"},
	} {
		stdout, stderr, code := run(t, append([]string{"diff"}, strings.Fields(c.args)...)...)
		if code != ExitFailed || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit %d, %q", c.args, code, stderr)
		}
	}
}
