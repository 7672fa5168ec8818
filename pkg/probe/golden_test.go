//go:build linux

package probe

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// blame is who a process belongs to, as ownerText writes it.
type blame map[int]string

// TestTrees runs the real program on captured nodes. The golden file is what it
// says; who is to blame is written here, where nobody updates it by a flag.
func TestTrees(t *testing.T) {
	program := buildProbe(t)
	for name, c := range map[string]struct {
		pids   []int // asked for in detail
		owners blame
	}{
		"v1-docker-rhel7": {[]int{3663251, 3663260, 2711896, 3663500, 1208, 424242, 767196}, blame{
			1:       "root cgroup: systemd",
			2:       "kernel",
			1208:    "kernel",
			1666:    "unit containerd.service",
			767196:  "unit docker.service",
			2481311: "unit kubelet.service",
			2711700: "unit containerd.service",
			2711720: "prod/hub-1 [sandbox]",
			2711841: "unit containerd.service",
			2711896: "prod/hub-1 [hub]",
			3663411: "prod/hub-1 [hub]",
			3663251: "prod/hub-1 [hub]",
			3663500: "prod/hub-1 [hub] by ancestor",
			3663600: "prod/hub-1 [hub] by shim",
			4007274: "prod/search-0 []",
			3120:    "kube-system/etcd-node-7 [etcd]",
			5000:    "container registry",
		}},
		"v2-systemd-containerd": {[]int{2020, 2021, 2022, 2023, 2024, 3200, 3300, 950}, blame{
			1:    "unit init.scope",
			900:  "unit rke3.service",
			2000: "unit rke3.service",
			2010: "shop/web-5d9c-x2x7k [sandbox]",
			2020: "shop/web-5d9c-x2x7k [app]",
			2021: "shop/web-5d9c-x2x7k [app]",
			2022: "shop/web-5d9c-x2x7k [app]",
			2023: "shop/web-5d9c-x2x7k [app]",
			2024: "shop/web-5d9c-x2x7k [app] by ancestor",
			2030: "shop/web-5d9c-x2x7k [sandbox] by shim",
			3000: "unit user@1000.service",
			3001: "unit session-3.scope",
			3100: "unit serial-getty@ttyS0.service",
			3200: `unit backup\x2dnightly.service`,
			3300: "unit plocate-updatedb.service",
		}},
		"v2-crio": {[]int{4000, 4010, 4110}, blame{
			2500: "unit crio.service",
			4000: "openshift-dns/dns-default-abcde [dns]",
			4010: "openshift-dns/dns-default-abcde [dns]",
			4011: "openshift-dns/dns-default-abcde [dns] by shim",
			4110: "openshift-dns/dns-default-abcde [dns]",
			4210: "container " + correlate.ShortID(hex64("toolbox")),
			4310: "openshift-kube-apiserver/kube-apiserver-m0 [kube-apiserver]",
		}},
		"nested-kind": {[]int{210}, blame{
			100: "unit containerd.service",
			120: "unit kubelet.service",
			210: "kube-system/kube-proxy-xyz [kube-proxy]",
			220: "kube-system/kube-proxy-xyz [kube-proxy]",
			230: "kube-system/kube-proxy-xyz [kube-proxy]",
			240: "kube-system/kube-proxy-xyz [kube-proxy]",
		}},
		"nested-kind-host": {[]int{840}, blame{
			700: "unit docker.service",
			800: "unit containerd.service",
			810: "container kind-control-plane",
			820: "container kind-control-plane",
			830: "container kind-control-plane",
			840: "container kind-control-plane",
		}},
		"sockets": {[]int{800}, blame{
			700: "unit docker.service",
			800: "pod " + uidOf("shop") + " []",
		}},
		"hostile": {[]int{130, 200, 204, 210, 211, 215, 218, 230, 231, 90}, blame{
			90:  "guest/evil-0 [evil]",
			91:  "guest/evil-0 [evil]",
			92:  "guest/evil-0 [evil]",
			120: "unit containerd.service",
			130: "guest/evil-0 [evil]",
			131: "guest/evil-0 [evil]",
			132: "guest/evil-0 []",
			133: "bank/vault-0 [vault]",
			135: "container " + correlate.ShortID(hex64("runaway")), // named after a pod and container that are really here
			137: "container " + correlate.ShortID(hex64("runaway")),
			211: "unknown",
			212: "unknown",
			213: "unknown",
			217: "unknown",
			214: "unit a.service",
			218: "unit a.service",
			219: "root cgroup: loop-a",
			230: "unit a.service",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fs := plantFile(t, name)
			out := runReport(t, program, fs, c.pids)
			checkPlain(t, out)
			var r report.NodeReport
			if err := report.UnmarshalUntrusted(out, &r); err != nil {
				t.Fatal(err)
			}
			checkOwners(t, &r, c.owners)
			normalise(&r)
			checkGolden(t, name, &r)
		})
	}
}

func buildProbe(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "nodedoc-probe")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/nodedoc-probe").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func runReport(t *testing.T, program string, fs hostfs.FS, pids []int) []byte {
	t.Helper()
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses, report.CollectContainers)
	req.FDs, req.IntervalMillis, req.PIDs = true, 20, pids
	b, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, "--proc", fs.Proc, "--sys", fs.Sys, "--root", fs.Root, "report", string(b))
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	return out
}

// checkPlain: nothing that a terminal acts upon leaves the probe, in JSON's own
// escapes neither, since a reader decodes them.
func checkPlain(t *testing.T, out []byte) {
	t.Helper()
	var v any
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	var check func(v any)
	check = func(v any) {
		switch v := v.(type) {
		case string:
			if report.Clean(v) != v || strings.Contains(v, "\ufffd") {
				t.Errorf("%q leaves the probe raw", v)
			}
		case []any:
			for _, e := range v {
				check(e)
			}
		case map[string]any:
			for _, e := range v {
				check(e)
			}
		}
	}
	check(v)
}

func checkOwners(t *testing.T, r *report.NodeReport, want blame) {
	t.Helper()
	n := correlate.Join(r, nil)
	for i := range r.Processes.List {
		p := &r.Processes.List[i]
		owner, listed := want[p.PID]
		if got := ownerText(n.Blame(p)); listed && got != owner {
			t.Errorf("process %d (%s): blamed %s, want %s", p.PID, p.Comm, got, owner)
		}
		delete(want, p.PID)
	}
	for pid, owner := range want {
		if owner != "kernel" { // listed on request only
			t.Errorf("process %d is not in the report", pid)
		}
	}
}

func ownerText(b correlate.Blame) string {
	var text string
	switch o := b.Owner; o.Type {
	case correlate.OwnerPod:
		container := o.Container
		if o.Sandbox {
			container = "sandbox"
		}
		text = fmt.Sprintf("%s [%s]", o.Name(), container)
	case correlate.OwnerUnit:
		text = "unit " + o.Unit
	case correlate.OwnerCgroup:
		text = "cgroup " + o.Cgroup
		if o.Command != "" {
			text = "root cgroup: " + o.Command
		}
	default:
		text = o.Name()
	}
	if b.By != correlate.ByCgroup {
		text += " by " + b.By
	}
	return text
}

// normalise takes out what differs from run to run and from machine to machine.
func normalise(r *report.NodeReport) {
	r.Probe.Version, r.Probe.Root, r.Probe.TookMillis = "", "", 0
	r.Node.Now, r.Node.Arch = 0, ""
	if r.OpenFiles != nil {
		for i := range r.OpenFiles.Samples {
			r.OpenFiles.Samples[i].AtMillis = 0
		}
	}
	r.Processes.FDIntervalMillis = 0
	for i := range r.Processes.List {
		p := &r.Processes.List[i]
		p.RSSBytes = p.RSSBytes / int64(os.Getpagesize()) * 4096
	}
}

func checkGolden(t *testing.T, name string, r *report.NodeReport) {
	t.Helper()
	got, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	file := filepath.Join("testdata", name+".golden.json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	i := 0
	for i < min(len(gotLines), len(wantLines)) && gotLines[i] == wantLines[i] {
		i++
	}
	from := max(i-12, 0)
	t.Errorf("%s:%d differs (-update writes it anew)\n got:\n%s\nwant:\n%s", file, i+1,
		strings.Join(gotLines[from:min(i+4, len(gotLines))], "\n"), strings.Join(wantLines[from:min(i+4, len(wantLines))], "\n"))
}
