package diagnose

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// incident1 is the node that ran out of descriptors: a pod with thousands of
// exec FIFOs, and two suspects that a person cleared first.
func incident1() *report.NodeReport {
	r := newNode()
	r.OpenFiles = openFiles(100_000, 92_212, 92_216, 92_220, 92_224)
	java := process(3663411, "java", inPod, 4192, 4201)
	java.PPID = 2711896
	java.FDs.ExecFIFOs = execFIFOPairs(containerID, 2090)
	java.FDs.Targets = []report.Target{{Kind: "FIFO", Pattern: fifoPattern, Count: 4180}, {Kind: "socket", Pattern: "socket:[…]", Count: 15}}
	first := process(2711896, "copy_plugins.sh", inPod, 12, 12)
	first.PPID = 2711841
	shim := process(2711841, "containerd-shim", inDocker, 14, 14)
	shim.Shim = &report.Shim{ID: containerID}
	dockerd := process(767196, "dockerd", inDocker, 2772, 2774)
	kubelet := process(2481311, "kubelet", inKubelet, 3940, 3937)
	return add(r, process(1, "systemd", inSystemd, 120, 120), dockerd, kubelet, shim, first, java)
}

func TestIncident1(t *testing.T) {
	findings := diagnosed(incident1(), hubInventory())
	if got, want := said(findings), []string{"fd-exec-fifos warning", "fd-growth warning", "fd-node-limit warning"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	got, err := json.MarshalIndent(findings, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const golden = "testdata/incident1.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got %s\nwant %s\n(go test -update writes it anew)", got, want)
	}
}

// Minutes before the end it is critical, and comes first.
func TestIncident1NearTheEnd(t *testing.T) {
	r := incident1()
	r.OpenFiles = openFiles(100_000, 92_015, 92_215, 92_415)
	findings := diagnosed(r, hubInventory())
	if got, want := said(findings), []string{"fd-node-limit critical", "fd-exec-fifos warning", "fd-growth warning"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	if want := "the node uses 92.4 % of its open files, full in 37s at this rate"; findings[0].Summary != want {
		t.Errorf("got %q, want %q", findings[0].Summary, want)
	}
}

// What the exec sessions' other ends hold is the same conclusion, said once.
func TestIncident1HeldByTheRuntimeToo(t *testing.T) {
	r := incident1()
	for i := range r.Processes.List {
		if p := &r.Processes.List[i]; p.Comm == "dockerd" {
			p.FDs.ExecFIFOs = execFIFOPairs(containerID, 1000)
		}
	}
	findings := diagnosed(r, hubInventory())
	if len(findings) != 3 || len(findings[0].Evidence) != 2 {
		t.Fatalf("got %+v, want one fd-exec-fifos with two holders", findings)
	}
	if want := "process 767196 (dockerd) of docker.service holds 2,000 of their named pipes: /run/docker/containerd/…-std*"; findings[0].Evidence[1] != want {
		t.Errorf("got %q, want %q", findings[0].Evidence[1], want)
	}
}
