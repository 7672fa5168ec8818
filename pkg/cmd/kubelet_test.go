package cmd

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// hotNode has a kubelet that is hot, and says why.
func hotNode() (*report.NodeReport, *inventory.Inventory) {
	r, inv := sickNode(), hubInventory()
	cpu, few := 2022.0, 27.0
	until := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC).UnixMicro()
	r.Kubelet = &report.Kubelet{PID: 900, Daemons: []report.DaemonProcess{{PID: 900, Comm: "kubelet", CPUPercent: &cpu, RSSBytes: 1 << 30, Threads: 9}}}
	source := report.LogSource{Name: report.LogKubelet, Where: "journal"}
	for i := range 50 {
		source.Lines = append(source.Lines, report.LogLine{At: until - int64(i)*1e6, Text: `E1122 06:59:00.1 1 a.go:1] GetDeviceMountRefs check failed for volume "d-1"\x1b[2J`})
	}
	r.Logs = &report.Logs{Since: until - 600e6, Until: until, Sources: []report.LogSource{source}}
	inv.Kubelets = &inventory.Kubelets{Own: &inventory.KubeletSelf{}, Neighbours: []inventory.KubeletSelf{{Node: "n", CPUPercent: &few}}, Others: 3, ProfileError: "it is off"}
	return r, inv
}

func TestKubeletFromAFile(t *testing.T) {
	r, inv := hotNode()
	path := save(t, r, inv)
	stdout, stderr, code := run(t, "kubelet", "--from", path)
	for _, want := range []string{"node-43: kubelet 2022 % of a core", "GetDeviceMountRefs check failed for volume …", "tries for ever", "WARNING kubelet-hot", "WARNING kubelet-log", "profile: it is off"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if stderr != "" || code != ExitOK || strings.Contains(stdout, "\x1b") {
		t.Errorf("%q, exit %d", stderr, code)
	}
	stdout, _, _ = run(t, "kubelet", "--from", path, "-o", "json", "--top", "1")
	var answer struct {
		Kind string
		correlate.NodeKubelet
		Findings []diagnose.Finding
	}
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil || answer.Kind != "NodeKubelet" || len(answer.Findings) != 2 || len(answer.Logs) != 1 || len(answer.Logs[0].Groups) != 1 {
		t.Errorf("%v: %s", err, stdout)
	}
}

func TestKubeletRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"n --profile 10h":                    "a CPU profile takes between 1s and 1m0s, not 10h0m0s",
		"n --profile sudo":                   `--profile is sysadmin or minimal, not "sudo"`,
		"--local --profile 10s":              "--profile with a duration asks the kubelet through the API server: it does not go with --local or --from",
		"--local --no-pod":                   "--no-pod asks a node of the cluster: --local and --from do not go with it",
		"n --standby --no-pod":               "--no-pod and --standby exclude each other",
		"n --since 0":                        "--since must be between 1s and 168h0m0s, not 0s",
		"n --interval 1ms":                   "--interval must be between 500ms and 1m, not 1ms",
		"n --top -1":                         "--top must be 0 or more, not -1",
		"":                                   "which node? name one (kubectl get nodes), or use --local or --from FILE",
		"--from " + save(t, sickNode(), nil): "the report was made without looking at the kubelet: make one with kubelet --save",
	} {
		_, stderr, code := run(t, append([]string{"kubelet"}, strings.Fields(args)...)...)
		if !strings.Contains(stderr, want) || code != ExitFailed {
			t.Errorf("%s: %s, exit %d", args, stderr, code)
		}
	}
}

// --profile is both: how long the kubelet is profiled, and what the pod may do.
func TestKubeletProfiles(t *testing.T) {
	c := newKubelet(env{})
	if err := c.ParseFlags([]string{"--profile", "10s", "--profile", "minimal"}); err != nil {
		t.Fatal(err)
	}
	if v, ok := c.Flags().Lookup("profile").Value.(*profileValue); !ok || *v.cpu != 10*time.Second || *v.rights != "minimal" {
		t.Errorf("%+v", v)
	}
}
