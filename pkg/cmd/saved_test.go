package cmd

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

const podUID = "93e182b4-1f00-4c6e-9d51-0242ac120002"

var containerID = "82414f376d1f" + strings.Repeat("0a1b", 13)

// sickNode has a pod with thousands of exec FIFOs, the host's daemons, and a
// process that is named to harm a terminal.
func sickNode() *report.NodeReport {
	limit := uint64(100_000)
	cgroup := func(path string) report.Cgroup {
		return report.Cgroup{Entries: []report.CgroupEntry{{Controllers: "memory", Path: path}}}
	}
	process := func(pid, ppid int, comm string, cgroup, before, count int) report.Process {
		return report.Process{PID: pid, PPID: ppid, Comm: comm, Cmdline: "/usr/bin/" + comm + " -x", State: "S", Cgroup: cgroup, StartTicks: 1000, Threads: 1,
			FDs: &report.FDs{Count: count, Before: &before}}
	}
	r := &report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind,
		Node: report.Node{Hostname: "node-43", Uptime: 86400, ClockTicks: 100, BootTime: 1_700_000_000},
		OpenFiles: &report.OpenFiles{Max: &limit, Samples: []report.FileSample{
			{AtMillis: 0, Allocated: 92_212}, {AtMillis: 1500, Allocated: 92_218}, {AtMillis: 3000, Allocated: 92_224}}},
		Processes: &report.Processes{FDIntervalMillis: 3000, FDMethod: "getdents",
			Cgroups: []report.Cgroup{cgroup("/init.scope"), cgroup("/system.slice/docker.service"), cgroup("/kubepods/burstable/pod" + podUID + "/" + containerID), cgroup("/evil\x1b[2J\u202e\u009b31m")},
			List: []report.Process{
				process(1, 0, "systemd", 0, 120, 120),
				process(767196, 1, "dockerd", 1, 2772, 2774),
				process(2711896, 1, "copy_plugins.sh", 2, 12, 12),
				process(3663411, 2711896, "java", 2, 4192, 4201),
				process(4000000, 1, "evil\x1b]0;owned\a\u202e\u009b31m\nroot", 3, 3, 3),
			}},
		Containers: &report.Containers{List: []report.Container{
			{ID: containerID, Runtime: "docker", Name: "agent", PodUID: podUID, PodName: "hub-0", PodNamespace: "prod"}}},
	}
	r.Processes.List[3].FDs.Targets = []report.Target{{Kind: "FIFO", Pattern: "/run/docker/containerd/…-std*", Count: 4180}}
	r.Processes.List[3].FDs.ExecFIFOs = []report.ExecFIFOs{{ContainerID: containerID, Pattern: "/run/docker/containerd/…-std*", Count: 4180, Sessions: 2090}}
	r.Processes.List[3].Detail = &report.ProcessDetail{UID: 0, UserName: "root", Exe: "/usr/bin/java", Cwd: "/app", Threads: []report.Thread{{ID: 3663412, Comm: "GC Thread#0", State: "S"}}, NSPIDs: []int{3663411, 7}}
	return r
}

func hubInventory() *inventory.Inventory {
	return &inventory.Inventory{Node: "node-43", Pods: []inventory.Pod{
		{Namespace: "prod", Name: "hub-0", UID: podUID, Workload: "StatefulSet/hub", Containers: []inventory.Container{{Name: "agent", ID: containerID}}}}}
}

// save keeps a report in a file that --from can name.
func save(t *testing.T, r *report.NodeReport, inv *inventory.Inventory) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "saved.json")
	if err := saved.Write(path, r, inv); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs the plugin as a shell would.
func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return runAt(t, filepath.Join(t.TempDir(), "none"), args...)
}

// runAt runs it for a user with this directory for configurations.
func runAt(t *testing.T, config string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("XDG_CONFIG_HOME", config)
	var out, errOut bytes.Buffer
	code = Run(args, "v0.0.0-test", genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
	return out.String(), errOut.String(), code
}

// testStreams say errors to w and nothing else to anybody.
func testStreams(w io.Writer) genericiooptions.IOStreams {
	return genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: w}
}

func testKube() *genericclioptions.ConfigFlags { return genericclioptions.NewConfigFlags(true) }
