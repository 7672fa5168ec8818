package cmd

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

// leakyNode has staged volumes whose PersistentVolumes are gone.
func leakyNode(name string, leaked int) (*report.NodeReport, *inventory.Inventory) {
	counted := leaked + 1
	m := &report.Mounts{Method: "mountinfo", Filesystems: []report.Filesystem{{Number: "8:1", Type: "ext4", Source: "/dev/vda1"}},
		List:       []report.Mount{{ID: 25, Parent: 1, Point: "/"}},
		Namespaces: []report.MountNamespace{{Inode: 4026531840, Host: true, PID: 1, Processes: 9, Mounts: &counted}}}
	for i := range leaked {
		m.Filesystems = append(m.Filesystems, report.Filesystem{Number: fmt.Sprintf("253:%d", i), Type: "ext4", Source: fmt.Sprintf("/dev/vd%c", 'b'+i)})
		m.List = append(m.List, report.Mount{ID: 30 + i, Parent: 25, FS: i + 1, Point: fmt.Sprintf(`/var/lib/kubelet/plugins/kubernetes.io/csi/pv/d-%d\x1b\u202e/globalmount`, i)})
	}
	r := &report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind,
		Node:    report.Node{Hostname: name, BootID: "0fe31acf-51ee-4b59-93c4-2d507a318474", Uptime: 86400, Now: 1_700_000_000, ClockTicks: 100},
		Mounts:  m,
		Devices: &report.Devices{}, Kubelet: &report.Kubelet{PID: 9, RootDir: "/var/lib/kubelet"}, Containers: &report.Containers{}, Processes: &report.Processes{}}
	return r, &inventory.Inventory{Node: name, Storage: &inventory.Storage{}}
}

// saveFleet saves nodes with so many leaked volumes each in one file.
func saveFleet(t *testing.T, leaked ...int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fleet.json")
	w, err := saved.NewList(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range leaked {
		_ = w.Add(leakyNode(fmt.Sprintf("node-%d", i+1), n))
	}
	if err := w.Close(&inventory.Storage{}); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMountsErrors(t *testing.T) {
	one, fleet := saveFleet(t, 2), saveFleet(t, 2, 0)
	noMounts := save(t, sickNode(), nil)
	for args, want := range map[string]string{
		"mounts n --from x":                    `unexpected argument "n": with --local or --from there is no node to name`,
		"mounts --local -l a=b":                "--selector chooses among the cluster's nodes: it does not go with --local or --from",
		"mounts --from x --max-parallel 3":     "--max-parallel is for the cluster's nodes: it does not go with --local or --from",
		"mounts n -l a=b":                      "name nodes or choose them by --selector, not both",
		"mounts --max-parallel 0":              "--max-parallel must be 1 or more, not 0",
		"mounts n --top -1":                    "--top must be 0 or more, not -1",
		"mounts --script":                      "a script is for one node: name it, kubectl nodedoc mounts NODE --script",
		"mounts a b --script":                  "a script is for one node: name it, kubectl nodedoc mounts NODE --script",
		"mounts a --script -o json":            "--script writes a shell script: --output does not go with it",
		"mounts a --diff=":                     "--diff needs the name of a file that --save wrote",
		"mounts a --save=":                     "--save needs a file's name; -o json prints the answer",
		"mounts --from=":                       "--from needs a file's name, or - for stdin",
		"mounts a --script --diff x":           "--script and --diff exclude each other",
		"mounts --from - --diff -":             "stdin holds one report: --from and --diff cannot both read it",
		"mounts":                               "no cluster is configured: set KUBECONFIG, or use --kubeconfig or --server",
		"mounts a b":                           "no cluster is configured: set KUBECONFIG, or use --kubeconfig or --server",
		"mounts --local --from x":              "--local and --from exclude each other",
		"mounts a --diff missing":              `--diff: failed to read the report "missing": open missing: no such file or directory`,
		"mounts b --diff " + one:               fmt.Sprintf(`--diff: %q has no report of b, but of node-1`, one),
		"mounts --from " + fleet + " --script": fmt.Sprintf("a script is for one node, and %q holds 2: save that node alone", fleet),
		"mounts --from " + noMounts:            "the report has no mounts: make one with mounts --save",
		"fd --from " + fleet:                   fmt.Sprintf("%q holds the reports of 2 nodes, and this takes one: save that node alone", fleet),
	} {
		t.Run(strings.ReplaceAll(args, "/", "_"), func(t *testing.T) {
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			stdout, stderr, code := run(t, strings.Fields(args)...)
			if stderr != "error: "+want+"\n" || code != ExitFailed || stdout != "" {
				t.Errorf("got %q, exit %d, stdout %q\nwant %q", stderr, code, stdout, "error: "+want+"\n")
			}
		})
	}
}

type mountsAnswer struct {
	APIVersion, Kind string
	Nodes            []struct {
		Node, State string
		HostMounts  int
		Leaked      struct{ Volumes, Mounts int }
		Volumes     []struct{ Name, State string }
		Diff        *struct {
			Gone, New, Left []struct{ Name string }
			Before, Now     struct{ LeakedVolumes int }
		}
	}
}

func mountsJSON(t *testing.T, args ...string) mountsAnswer {
	t.Helper()
	stdout, stderr, code := run(t, append([]string{"mounts", "-o", "json"}, args...)...)
	var a mountsAnswer
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || stderr != "" || code != ExitOK {
		t.Fatalf("%v: %q, %q, exit %d", err, stdout, stderr, code)
	}
	noRawControls(t, stdout)
	return a
}

// One shape for one node and for many.
func TestMountsDocument(t *testing.T) {
	for leaked, want := range map[string]string{
		saveFleet(t, 2):       "nodedoc.io/v1alpha1 MountReport: node-1 answered 2/3 2;",
		saveFleet(t, 0, 3, 1): "nodedoc.io/v1alpha1 MountReport: node-1 answered 0/1 0; node-2 answered 3/4 3; node-3 answered 1/2 1;",
	} {
		a := mountsJSON(t, "--from", leaked, "--leaked")
		got := a.APIVersion + " " + a.Kind + ":"
		for _, n := range a.Nodes {
			got += fmt.Sprintf(" %s %s %d/%d %d;", n.Node, n.State, n.Leaked.Volumes, n.HostMounts, len(n.Volumes))
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if a := mountsJSON(t, "--from", saveFleet(t, 5), "--top", "2"); len(a.Nodes[0].Volumes) != 2 {
		t.Errorf("%d volumes, want 2", len(a.Nodes[0].Volumes))
	}
}

func TestMountsFormats(t *testing.T) {
	one, fleet := saveFleet(t, 2), saveFleet(t, 0, 3)
	for args, want := range map[string]string{
		"--from " + one:                 "node-1: 3 mounts, ",
		"--from " + fleet:               "NODE    MOUNTS",
		"--from " + one + " --leaked":   "2 leaked volumes, mounted in the host's namespace only\n",
		"--from " + fleet + " --leaked": "3 leaked volumes, mounted in the host's namespace only\nNODE    VOLUME",
		"--from " + fleet + " -o yaml":  "apiVersion: nodedoc.io/v1alpha1\nkind: MountReport\n",
		"--from " + one + " --script":   "#!/bin/sh\n# Unmounts 2 mounts of 2 volumes",
		"--from " + fleet + " --leaked -o jsonpath={.nodes[*].leaked.volumes}": "0 3",
	} {
		stdout, stderr, code := run(t, append([]string{"mounts"}, strings.Fields(args)...)...)
		if !strings.HasPrefix(stdout, want) || stderr != "" || code != ExitOK {
			t.Errorf("%s: got %q, %q, exit %d, want %q", args, stdout, stderr, code, want)
		}
		noRawControls(t, strings.ReplaceAll(stdout, "\t", ""))
	}
}

func TestMountsDiff(t *testing.T) {
	before := saveFleet(t, 3, 1)
	a := mountsJSON(t, "--from", saveFleet(t, 1, 2), "--diff", before)
	got := ""
	for _, n := range a.Nodes {
		got += fmt.Sprintf("%s gone %d new %d left %d, %d to %d; ", n.Node, len(n.Diff.Gone), len(n.Diff.New), len(n.Diff.Left), n.Diff.Before.LeakedVolumes, n.Diff.Now.LeakedVolumes)
	}
	if want := "node-1 gone 2 new 0 left 1, 3 to 1; node-2 gone 0 new 1 left 1, 1 to 2; "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	stdout, _, code := run(t, "mounts", "--from", saveFleet(t, 0), "--diff", before)
	if !strings.HasSuffix(stdout, "\nnothing that is leaked is left\n\nnode-2: in the older report, and not asked now\n") || code != ExitOK {
		t.Errorf("got %q, exit %d", stdout, code)
	}
}

// forgetful is a node with two leaked volumes in use by nobody's word, whose API
// server gave no list of pods.
func forgetful(t *testing.T) string {
	t.Helper()
	r, inv := leakyNode("node-1", 2)
	inv.PodsError, inv.Storage.VolumesError = "forbidden", "forbidden"
	return save(t, r, inv)
}

// What cannot be judged any more is not gone, and what could not be is not new.
func TestMountsDiffOfTheUnknown(t *testing.T) {
	stdout, _, code := run(t, "mounts", "--from", forgetful(t), "--diff", saveFleet(t, 2))
	if code != ExitOK || !strings.Contains(stdout, ": leaked: 0 gone, 0 new, 0 left, 2 unknown\n") || strings.Contains(stdout, "is left\n") ||
		!strings.Contains(stdout, "\nunknown  d-0") || !strings.Contains(stdout, "2 volumes could not be judged") || !strings.Contains(stdout, "unreadable PersistentVolumes") {
		t.Errorf("exit %d: %s", code, stdout)
	}
	stdout, _, _ = run(t, "mounts", "--from", saveFleet(t, 2), "--diff", forgetful(t))
	if !strings.Contains(stdout, "\nnew, was unknown  d-0") {
		t.Errorf("got %s", stdout)
	}
}

// The API server knew driver and handle, and has forgotten them with the volume.
func TestMountsDiffOfAVolumeThatTheAPIHasForgotten(t *testing.T) {
	r, inv := leakyNode("node-1", 1)
	r.Mounts.List[1].Point = "/var/lib/kubelet/plugins/kubernetes.io/csi/pv/d-0/globalmount"
	after := save(t, r, inv)
	inv.Storage = &inventory.Storage{PersistentVolumes: []inventory.PersistentVolume{{Name: "d-0", Driver: "disk.csi.example.com", Handle: "vol-1"}}}
	a := mountsJSON(t, "--from", after, "--diff", save(t, r, inv))
	if d := a.Nodes[0].Diff; len(d.Left) != 1 || len(d.Gone)+len(d.New) > 0 {
		t.Errorf("got %+v", d)
	}
}

func TestMountsSavedAgain(t *testing.T) {
	path := saveFleet(t, 2, 1)
	again := filepath.Join(t.TempDir(), "again.json")
	want, _, _ := run(t, "mounts", "--from", path, "--save", again)
	got, stderr, code := run(t, "mounts", "--from", again)
	if got != want || stderr != "" || code != ExitOK {
		t.Errorf("got %q, %q, exit %d\nwant %q", got, stderr, code, want)
	}
}

// A script must know its node.
// Volumes in use may have leaked mounts below a dead container's root.
func TestScriptOfLeakedPartsOnly(t *testing.T) {
	r, inv := leakyNode("node-43", 0)
	const root = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/e4261544f8eb00000000000000000000000000000000000000000000000000aa/rootfs"
	r.Mounts.List = append(r.Mounts.List, report.Mount{ID: 30, Parent: 25, Point: root}, report.Mount{ID: 31, Parent: 30, Point: root + "/host"})
	r.Containers.List = []report.Container{{ID: strings.Split(root, "/")[5], Runtime: "containerd", Rootfs: root, State: "dead"}}
	stdout, stderr, code := run(t, "mounts", "--from", save(t, r, inv), "--script")
	if code != 0 || strings.Contains(stderr, "nothing is leaked") || !strings.Contains(stdout, "\nm 31 ") {
		t.Errorf("exit %d, stderr %q, %s", code, stderr, stdout[strings.LastIndex(stdout, "this_node"):])
	}
}

func TestScriptWithoutABootID(t *testing.T) {
	r, inv := leakyNode("n", 1)
	r.Node.BootID = ""
	stdout, stderr, code := run(t, "mounts", "--script", "--from", save(t, r, inv))
	if stdout != "" || code != ExitFailed || !strings.Contains(stderr, "no boot id or uptime") {
		t.Errorf("got %q, %q, exit %d", stdout, stderr, code)
	}
}

func TestUnwritableFleetSave(t *testing.T) {
	dir := t.TempDir()
	if _, err := newKeeper(filepath.Join(dir, "none", "f")); err == nil {
		t.Error("a directory that is not there takes a file")
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("left over: %v", entries)
	}
}
