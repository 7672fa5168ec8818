//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

// result is what one run of the plugin did.
type result struct {
	stdout, stderr string
	code           int
}

func plugin(args ...string) *exec.Cmd {
	return exec.Command(filepath.Join(cluster.Tools, "kubectl-nodedoc"), args...)
}

// nodedoc runs the plugin and checks that nothing of it is left afterwards.
func nodedoc(t *testing.T, args ...string) result {
	t.Helper()
	before := traces(t)
	r := run(t, plugin(args...))
	noNewTraces(t, before)
	return r
}

func run(t *testing.T, c *exec.Cmd) result {
	t.Helper()
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	c.WaitDelay = 5 * time.Second
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), errOut.String(), c.ProcessState.ExitCode()}
}

// fdAnswer is the answer of `fd -o json`.
type fdAnswer struct {
	correlate.FDRanking
	Findings []diagnose.Finding
}

func fd(t *testing.T, args ...string) fdAnswer {
	t.Helper()
	var a fdAnswer
	decode(t, nodedoc(t, append([]string{"fd", node, "-o", "json"}, args...)...), &a)
	return a
}

func decode(t *testing.T, r result, into any) {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	if err := json.Unmarshal([]byte(r.stdout), into); err != nil {
		t.Fatalf("%v in %q", err, r.stdout)
	}
}

// row finds an owner in a ranking.
func (a fdAnswer) row(name string) *correlate.FDRow {
	for i := range a.Rows {
		if a.Rows[i].Owner.Name() == name {
			return &a.Rows[i]
		}
	}
	return nil
}

// whois asks for processes; all of them must exist.
func whois(t *testing.T, pids ...int) []correlate.Identity {
	t.Helper()
	args := []string{"whois-pid", node, "-o", "json"}
	for _, pid := range pids {
		args = append(args, strconv.Itoa(pid))
	}
	var a struct{ Processes []correlate.Identity }
	decode(t, nodedoc(t, args...), &a)
	if len(a.Processes) != len(pids) {
		t.Fatalf("asked for %d processes, got %d", len(pids), len(a.Processes))
	}
	return a.Processes
}

// onNode runs a shell command on the node, in clean-ups too.
func onNode(t *testing.T, script string) string {
	t.Helper()
	return onThisNode(t, node, script)
}

func onThisNode(t *testing.T, node, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := cluster.OnNode(ctx, node, "sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pidsOf are the node's pids of a process name, oldest first.
func pidsOf(t *testing.T, comm string) []int {
	t.Helper()
	var pids []int
	for _, f := range strings.Fields(onNode(t, "pgrep -x "+comm+" || true")) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// onlyPID waits for the one process of a name: an actor takes its name a moment
// after its container runs.
func onlyPID(t *testing.T, comm string) int {
	t.Helper()
	var pids []int
	eventually(t, "one process "+comm, 10*time.Second, func() bool {
		pids = pidsOf(t, comm)
		return len(pids) == 1
	})
	return pids[0]
}

func eventually(t *testing.T, what string, patience time.Duration, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}
