package cmd

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

// wholeNode is healthy, and has all sections.
func wholeNode(name string) (*report.NodeReport, *inventory.Inventory) {
	r := sickNode()
	r.Node.Hostname = name
	r.OpenFiles.Samples = r.OpenFiles.Samples[:1]
	r.OpenFiles.Samples[0].Allocated = 2000
	r.Processes.List = r.Processes.List[:3]
	r.Mounts, r.Devices, r.Tasks, r.Kubelet = &report.Mounts{}, &report.Devices{}, &report.Tasks{Total: new(uint64(330)), PIDMax: new(uint64(32_768))}, &report.Kubelet{PID: 9}
	r.Memory = &report.Memory{Info: report.MemInfo{Total: new(uint64(64 << 30)), Available: new(uint64(60 << 30))}}
	r.OOM, r.Pipes, r.Runtime, r.Logs = &report.OOM{}, &report.Pipes{}, &report.Runtime{}, &report.Logs{}
	inv := hubInventory()
	inv.Node, inv.Storage, inv.Memory = name, &inventory.Storage{}, &inventory.Memory{}
	return r, inv
}

// saveNodes saves some in one file.
func saveNodes(t *testing.T, change ...func(*report.NodeReport, *inventory.Inventory)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nodes.json")
	w, err := saved.NewList(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range change {
		r, inv := wholeNode(fmt.Sprintf("node-%d", i+1))
		c(r, inv)
		_ = w.Add(r, inv)
	}
	if err := w.Close(&inventory.Storage{}); err != nil {
		t.Fatal(err)
	}
	return path
}

func unchanged(*report.NodeReport, *inventory.Inventory) {}

// execSessions is a warning.
func execSessions(r *report.NodeReport, _ *inventory.Inventory) {
	r.Processes.List = append(r.Processes.List, sickNode().Processes.List[3])
}

// notReady is critical.
func notReady(_ *report.NodeReport, inv *inventory.Inventory) {
	inv.Memory.Conditions = []inventory.Condition{{Type: "Ready", Status: "False", Reason: "KubeletNotReady", Message: `PLEG is not healthy: \x1b[2J`, Since: 1_700_000_000}}
}

func failedCollector(r *report.NodeReport, _ *inventory.Inventory) {
	r.Pipes = nil
	r.Probe.Failed = []report.Unreadable{{What: report.CollectPipes, Cause: "no answer within 1m0s"}}
}

func TestCheckupExitCodes(t *testing.T) {
	healthy, warning, critical, failed := saveNodes(t, unchanged), saveNodes(t, unchanged, execSessions), saveNodes(t, execSessions, notReady), saveNodes(t, failedCollector)
	both := saveNodes(t, failedCollector, execSessions)
	for args, want := range map[string]int{
		healthy:                          ExitOK,
		healthy + " --fail-on warning":   ExitOK,
		warning:                          ExitOK,
		warning + " --fail-on warning":   ExitFindings,
		warning + " --fail-on critical":  ExitOK,
		critical:                         ExitOK,
		critical + " --fail-on warning":  ExitFindings,
		critical + " --fail-on critical": ExitFindings,
		failed:                           ExitOK,
		failed + " --fail-on critical":   ExitFailed,
		both + " --fail-on warning":      ExitFindings,
		both + " --fail-on critical":     ExitFailed,
	} {
		stdout, stderr, code := run(t, append([]string{"checkup", "--from"}, strings.Fields(args)...)...)
		if code != want || stdout == "" || (stderr != "") != (want == ExitFailed) {
			t.Errorf("%s: exit code %d, want %d: %q", filepath.Base(args), code, want, stderr)
		}
		noRawControls(t, stdout)
	}
}

func TestCheckupErrors(t *testing.T) {
	for args, want := range map[string]string{
		"checkup n --from x":            `unexpected argument "n": with --local or --from there is no node to name`,
		"checkup n -l a=b":              "name nodes or choose them by --selector, not both",
		"checkup --max-parallel 0":      "--max-parallel must be 1 or more, not 0",
		"checkup --fail-on error":       `--fail-on is warning or critical, not "error"`,
		"checkup --top -1":              "--top must be 0 or more, not -1",
		"checkup --interval 1ms":        "--interval must be between 100ms and 10m, not 1ms",
		"checkup --local --from x":      "--local and --from exclude each other",
		"checkup":                       "no cluster is configured: set KUBECONFIG, or use --kubeconfig or --server",
		"checkup n":                     "no cluster is configured: set KUBECONFIG, or use --kubeconfig or --server",
		"checkup --standby --from x":    "--standby asks a node of the cluster: --local and --from do not go with it",
		"checkup --from missing --save": "flag needs an argument: --save",
	} {
		t.Run(args, func(t *testing.T) {
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			stdout, stderr, code := run(t, strings.Fields(args)...)
			if stderr != "error: "+want+"\n" || code != ExitFailed || stdout != "" {
				t.Errorf("got %q, exit %d, stdout %q\nwant %q", stderr, code, stdout, "error: "+want+"\n")
			}
		})
	}
}

func checkupJSON(t *testing.T, args ...string) []printer.Checkup {
	t.Helper()
	stdout, stderr, code := run(t, append([]string{"checkup", "-o", "json"}, args...)...)
	var a struct {
		Kind  string
		Nodes []printer.Checkup
	}
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || stderr != "" || code != ExitOK || a.Kind != "Checkup" {
		t.Fatalf("%v: %q, %q, exit %d", err, stdout, stderr, code)
	}
	noRawControls(t, stdout)
	return a.Nodes
}

func TestCheckupDocument(t *testing.T) {
	var got []string
	for _, c := range checkupJSON(t, "--from", saveNodes(t, unchanged, execSessions, notReady, failedCollector)) {
		got = append(got, fmt.Sprintf("%s %s %s %d %v %d totals", c.Node, c.State, c.Health, len(c.Findings), c.RootCauses, len(c.Totals)))
	}
	want := []string{"node-3 answered critical 1 [0] 5 totals", "node-2 answered warning 2 [0] 5 totals", "node-4 answered incomplete 0 [] 5 totals", "node-1 answered healthy 0 [] 5 totals"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestCheckupFormats(t *testing.T) {
	path := saveNodes(t, unchanged, execSessions)
	for args, want := range map[string]string{
		"-o name":                        "pod/hub-0\n",
		"-o jsonpath={.nodes[*].health}": "warning healthy",
		"-o yaml":                        "apiVersion: nodedoc.io/v1alpha1\nkind: Checkup\n",
		"-o wide":                        "NODE    STATE    WARNINGS  FILES  THREADS  MEMORY  FIRST CAUSE\nnode-2  warning         2     2%       1%      6%  2,090 exec sessions",
		"":                               "NODE    STATE    WARNINGS  FIRST CAUSE\nnode-2  warning         2  2,090 exec sessions",
	} {
		stdout, stderr, code := run(t, append([]string{"checkup", "--from", path}, strings.Fields(args)...)...)
		if !strings.HasPrefix(stdout, want) || stderr != "" || code != ExitOK {
			t.Errorf("%s: got %q, %q, exit %d, want %q", args, stdout, stderr, code, want)
		}
	}
}

// What is saved again tells the same.
func TestCheckupSavedAgain(t *testing.T) {
	path, again := saveNodes(t, notReady, execSessions), filepath.Join(t.TempDir(), "again.json")
	want, _, _ := run(t, "checkup", "--from", path, "--save", again)
	if got, stderr, code := run(t, "checkup", "--from", again); got != want || stderr != "" || code != ExitOK {
		t.Errorf("got %q, %q, exit %d\nwant %q", got, stderr, code, want)
	}
}

// A report of another command has not all that the rules look at; without the API
// server nobody knows what is gone.
func TestCheckupOfAnotherReport(t *testing.T) {
	path := save(t, sickNode(), nil)
	nodes := checkupJSON(t, "--from", path)
	got := strings.Join(nodes[0].Failed, "\n")
	if !strings.Contains(got, "mounts, devices, tasks, kubelet, memory, oom, pipes, runtime, logs: not in the report") || !strings.Contains(got, "API server: not asked") {
		t.Errorf("got %s", got)
	}
}

func TestUnaskedIsSaid(t *testing.T) {
	nodes := checkupJSON(t, "--from", saveNodes(t, func(_ *report.NodeReport, inv *inventory.Inventory) {
		inv.PodsError, inv.Memory.SummaryError = "pods is forbidden", "no answer within 10s"
	}))
	if got := strings.Join(nodes[0].Failed, "\n"); got != "API server, pods: pods is forbidden\nAPI server, the kubelet's summary: no answer within 10s" || nodes[0].Health != printer.HealthIncomplete {
		t.Errorf("got %s, %s", nodes[0].Health, got)
	}
}

// Each finding has a command that shows more of it.
func TestCheckupShowsMore(t *testing.T) {
	for _, r := range diagnose.Rules() {
		if strings.HasPrefix(r.ID, "node-") { // all is said
			continue
		}
		command := moreAbout(r.ID)
		name, _, _ := strings.Cut(command, " ")
		if c, _, err := testRoot().Find([]string{name}); err != nil || c.Name() != name || name == "" {
			t.Errorf("%s: %q is no command", r.ID, command)
		}
	}
	c := checkupJSON(t, "--from", saveNodes(t, execSessions), "--context", "prod")[0]
	steps := c.Findings[0].Remedy
	if last := steps[len(steps)-1].Run; last != "kubectl nodedoc fd node-1 --context=prod" {
		t.Errorf("got %q", last)
	}
}
