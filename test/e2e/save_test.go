//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

// TestSavedReportGivesTheSameAnswer, without any cluster.
func TestSavedReportGivesTheSameAnswer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	for _, format := range []string{"table", "wide", "json", "yaml", "name", "jsonpath={.rows[0].owner}"} {
		live := nodedoc(t, "fd", node, "--interval", "200ms", "--save", file, "-o", format)
		if live.code != 0 || live.stdout == "" {
			t.Fatalf("live: %+v", live)
		}
		offline := plugin("fd", "--from", file, "-o", format)
		offline.Env = append(os.Environ(), "KUBECONFIG=/nonexistent")
		if again := run(t, offline); again.stdout != live.stdout || again.code != 0 {
			t.Errorf("-o %s: live\n%s\noffline\n%s%s", format, live.stdout, again.stdout, again.stderr)
		}
	}
}

// TestSaveToAFullDisk: an error, and nothing half-written.
func TestSaveToAFullDisk(t *testing.T) {
	r := nodedoc(t, "fd", node, "--interval", "200ms", "--save", "/dev/full/x")
	if r.code != 1 || !strings.Contains(r.stderr, "/dev/full/x") {
		t.Errorf("got %+v", r)
	}
}

// TestLocal: on the node itself, without the API server, the runtime's own files
// name the pods.
func TestLocal(t *testing.T) {
	namespace(t, "shop")
	pod, err := cluster.Pod(t.Context(), "shop", "local", incidents.PodSpec(node, incidents.Container("main", "/actor", "--comm", "e2e-local", "hold", "400")))
	if err != nil {
		t.Fatal(err)
	}
	const there = "/opt/kubectl-nodedoc"
	if err := cluster.CopyToNode(t.Context(), node, filepath.Join(cluster.Tools, "kubectl-nodedoc"), there); err != nil {
		t.Fatal(err)
	}
	var who struct{ Processes []correlate.Identity }
	decode(t, result{stdout: onNode(t, fmt.Sprintf("%s whois-pid --local -o json %d", there, onlyPID(t, "e2e-local")))}, &who)
	if o := who.Processes[0].Owner; o.Name() != "shop/local" || o.Container != "main" || o.PodUID != string(pod.UID) || o.PodState != correlate.PodUnasked {
		t.Errorf("got %+v", o)
	}
	var a fdAnswer
	decode(t, result{stdout: onNode(t, there+" fd --local --interval 200ms -o json")}, &a)
	if r := a.row("shop/local"); r == nil || r.Descriptors < 400 {
		t.Errorf("shop/local has row %+v", r)
	}
}
