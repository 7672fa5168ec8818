package cmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// everyCommand answers from a report: how it is asked, by its name.
func everyCommand(pid int) map[string][]string {
	return map[string][]string{
		"fd": {"fd"}, "memory": {"memory"}, "tasks": {"tasks"}, "pipes": {"pipes"}, "runtime": {"runtime"}, "mounts": {"mounts"},
		"whois-pid": {"whois-pid", fmt.Sprint(pid)}, "history": {"history"}, "checkup": {"checkup"}, "kubelet": {"kubelet"},
	}
}

// everything is what a checkup saves of this machine, and a recording beside it.
func everything(t *testing.T, pid int) *report.NodeReport {
	t.Helper()
	req := report.Everything()
	req.PIDs, req.IntervalMillis = []int{pid}, 100
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := localReport(ctx, "v0.0.0-test", req)
	if err != nil {
		t.Fatal(err)
	}
	r.Recording = recordedNode(t).Recording
	return r
}

// A command that takes --from answers of a report of everything, and so of what --save
// kept of that, in every format: the table must have them all.
func TestEveryCommandAnswersFromASavedReport(t *testing.T) {
	pid := os.Getpid()
	path := save(t, everything(t, pid), hubInventory())
	commands := everyCommand(pid)
	for _, c := range NewRoot("v0.0.0-test", testStreams(os.Stderr)).Commands() {
		if c.Flags().Lookup("from") != nil && c.Flags().Lookup("output") != nil && commands[c.Name()] == nil {
			t.Errorf("%s takes --from: how does it answer from a saved report?", c.Name())
		}
	}
	for name, args := range commands {
		t.Run(name, func(t *testing.T) { roundTrip(t, path, args) })
	}
}

func roundTrip(t *testing.T, path string, args []string) {
	t.Helper()
	for _, format := range []string{"table", "wide", "json", "yaml", "name", formatHTML, formatMarkdown} {
		asked := append(slices.Clone(args), "-o", format)
		copied := filepath.Join(t.TempDir(), "copy.json")
		want, stderr, code := run(t, append(asked, "--from", path, "--save", copied)...)
		if stderr != "" || code != ExitOK || format != "name" && strings.TrimSpace(want) == "" {
			t.Errorf("%q: %q, exit %d, %q", asked, stderr, code, want)
			continue
		}
		if got, stderr, code := run(t, append(asked, "--from", copied)...); got != want || stderr != "" || code != ExitOK {
			t.Errorf("%q: saved and read again: exit %d, %s%s\nwant %s", asked, code, stderr, got, want)
		}
	}
}
