//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/logs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// kubeletAnswer is the answer of `kubelet -o json`.
type kubeletAnswer struct {
	correlate.NodeKubelet
	Findings []diagnose.Finding
}

func (a kubeletAnswer) log(name string) *logs.Log {
	for i := range a.Logs {
		if a.Logs[i].Name == name {
			return &a.Logs[i]
		}
	}
	return nil
}

// kubeletLogFile puts the end of the kubelet's own log where a node without a journal has
// it; a test's kubelet writes to a file outside of its node.
func kubeletLogFile(t *testing.T, more ...string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(os.Getenv("NODEDOC_CLUSTER_DIR"), "log", node, "kubelet.log"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(b), "\n")
	lines = append(lines[max(0, len(lines)-200):], more...)
	write := cluster.Shell(t.Context(), node, "sh", "-c", "cat >/var/log/kubelet.log")
	write.Stdin = strings.NewReader(strings.Join(lines, ""))
	if out, err := write.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { onNode(t, "rm -f /var/log/kubelet.log") })
}

// cannotUnmount are lines of a kubelet that cannot unmount a volume, of now.
func cannotUnmount(t *testing.T, count int) []string {
	t.Helper()
	stamp := onNode(t, "date '+%m%d %H:%M:%S'")
	line := "E" + stamp + `.000000       1 nestedpendingoperations.go:348] Operation for "{volumeName:kubernetes.io/csi/e2e^d-1 podName: nodeName:}" failed. No retries permitted until later. Error: GetDeviceMountRefs check failed for volume "d-1" : the device mount path "/a" is still mounted by other references [/b /c]`
	return slices.Repeat([]string{line + "\n"}, count)
}

// TestKubelet: beside its neighbours, by its log file, with a profile of its own.
func TestKubelet(t *testing.T) {
	const refused = 200
	kubeletLogFile(t, cannotUnmount(t, refused)...)
	var a kubeletAnswer
	decode(t, nodedoc(t, "kubelet", node, "-o", "json", "--profile", "3s", "--since", "1h", "--interval", "1s"), &a)
	if len(a.Daemons) != 2 || a.Daemons[0].Name != "kubelet" || a.Daemons[1].Name != "containerd" {
		t.Fatalf("daemons: %+v", a.Daemons)
	}
	for _, d := range a.Daemons {
		if d.CPUPercent == nil || d.RSSBytes == nil || *d.RSSBytes < 10<<20 || d.Threads < 3 || d.FDs == nil || *d.FDs < 5 || d.AgeSeconds < 1 {
			t.Errorf("%+v", d)
		}
	}
	if d := a.Daemons[0]; d.CPU == nil || d.Memory == nil || d.Memory.Of < 1 || d.Memory.Median < 10<<20 {
		t.Errorf("beside %+v: %+v, %+v", a.Neighbours, d.CPU, d.Memory)
	}
	if a.Profile == nil || a.Profile.Seconds < 2.5 || a.Profile.Seconds > 10 {
		t.Errorf("profile: %+v, %s", a.Profile, a.ProfileError)
	}
	l := a.log(report.LogKubelet)
	if l == nil || l.Where != "/var/log/kubelet.log" || l.Lines < 50 || len(l.Groups) < 2 || l.Groups[0].Last == nil || l.PerMinute == 0 {
		t.Fatalf("log: %+v", l)
	}
	if g := l.Groups[0]; g.Count != refused || g.Known == nil || g.Known.ID != logs.DeviceMountRefs {
		t.Errorf("%+v of %d", g, len(l.Groups))
	}
	if !slices.ContainsFunc(a.Findings, func(f diagnose.Finding) bool { return f.ID == diagnose.KubeletLog }) {
		t.Errorf("findings: %+v", a.Findings)
	}
	if a.log(report.LogKernel) == nil {
		t.Errorf("the kernel's is not there: %+v", a.Gaps)
	}
	if slices.ContainsFunc(a.Findings, func(f diagnose.Finding) bool { return f.ID == diagnose.KubeletHot }) {
		t.Errorf("findings: %+v", a.Findings)
	}
}

// TestKubeletWithoutAPod: the kubelet's own endpoints tell, and what is saved tells again.
func TestKubeletWithoutAPod(t *testing.T) {
	kubeletLogFile(t)
	file := filepath.Join(t.TempDir(), "saved")
	var a, again kubeletAnswer
	decode(t, nodedoc(t, "kubelet", node, "--no-pod", "-o", "json", "--profile", "1s", "--since", "24h", "--interval", "1s", "--save", file), &a)
	l := a.log(report.LogKubelet)
	if l == nil || !strings.Contains(l.Where, "/var/log/kubelet.log") || l.Lines < 50 || len(a.Daemons) != 1 || a.Daemons[0].RSSBytes == nil || a.Profile == nil {
		t.Errorf("%+v", a)
	}
	decode(t, nodedoc(t, "kubelet", "--from", file, "-o", "json"), &again)
	if len(again.Logs) != len(a.Logs) || again.log(report.LogKubelet) == nil || again.log(report.LogKubelet).Lines != l.Lines || again.Profile == nil || again.Profile.Samples != a.Profile.Samples {
		t.Errorf("%+v, saved %+v", a, again)
	}
}
