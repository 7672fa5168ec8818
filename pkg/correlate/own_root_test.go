package correlate

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// nodeWith has a process of each path, the first is process 1 and has all others for
// children.
func nodeWith(inv *inventory.Inventory, paths ...string) *Node {
	r := &report.NodeReport{Processes: &report.Processes{}}
	for i, path := range paths {
		r.Processes.Cgroups = append(r.Processes.Cgroups, report.Cgroup{Entries: []report.CgroupEntry{{Controllers: "memory", Path: path}, {Controllers: "name=systemd", Path: path}}})
		r.Processes.List = append(r.Processes.List, report.Process{PID: i + 1, PPID: min(i, 1), Comm: "p", Cgroup: i})
	}
	return Join(r, inv)
}

func TestOwnersWhereTheNodeIsAContainer(t *testing.T) {
	const pods = "/kubepods/besteffort/pod" + uid
	other := "/" + strings.Repeat("ab", 32)
	for name, c := range map[string]struct{ root, first string }{
		"kind, cgroup v1":         {"/docker/" + other[1:], "/init.scope"},
		"k3d, without systemd":    {"/docker/" + other[1:], ""},
		"docker on systemd":       {"/system.slice/docker-" + other[1:] + ".scope", "/init.scope"},
		"kind in a pod":           {"/kubepods/burstable/pod" + victim + other + "/docker/" + strings.Repeat("cd", 32), "/init.scope"},
		"LXD":                     {"/lxc.payload.node-1", "/init.scope"},
		"LXD in a snap":           {"/snap.lxd.daemon/lxc.payload.node-1", "/init.scope"},
		"docker in LXC":           {"/lxc/101/ns/docker/" + other[1:], "/init.scope"},
		"a machine of its own":    {"", "/init.scope"},
		"a machine, Debian of v1": {"", "/"},
	} {
		n := nodeWith(nil, c.root+c.first, c.root+"/system.slice/kubelet.service", c.root+pods+"/"+id, c.root+"/system.slice/docker-"+id+".scope", c.root+"/daemons", c.root+"/lxc.payload.web/system.slice/kubelet.service")
		for i, want := range []string{1: "kubelet.service", 2: "pod " + uid, 3: "container " + id[:13], 4: "cgroup " + c.root + "/daemons", 5: "container web"} {
			if got := n.Blame(n.processes[i+1]).Owner.Name(); i > 0 && got != want {
				t.Errorf("%s, process %d: got %s, want %s", name, i+1, got, want)
			}
		}
		if first := n.Blame(n.processes[1]).Owner; c.first == "/init.scope" && first.Unit != "init.scope" || c.first == "" && (first.Command != "p" || first.Type != OwnerCgroup) {
			t.Errorf("%s: process 1 is %+v", name, first)
		}
	}
}

// A docker in a pod that has the host's /sys/fs/cgroup makes cgroups at its root.
func TestContainersOfADockerInAPod(t *testing.T) {
	inner := "/docker/" + strings.Repeat("ab", 32)
	dind := "/kubepods/burstable/pod" + uid + "/" + id
	n := nodeWith(nil, "/init.scope", dind, dind, inner, inner+"/made/inside", inner)
	for pid, parent := range map[int]int{2: 1, 3: 2, 4: 3, 5: 4, 6: 1} {
		n.processes[pid].PPID = parent
	}
	for pid, want := range map[int]string{4: "pod " + uid, 5: "pod " + uid, 6: "container " + strings.Repeat("ab", 7)[:13]} {
		if got := n.Blame(n.processes[pid]); got.Owner.Name() != want || (got.By == ByAncestor) != (pid < 6) {
			t.Errorf("%d: got %s by %s, want %s", pid, got.Owner.Name(), got.By, want)
		}
	}
	// A container of the node's own runtime is that, whoever asked for it.
	n.containers[strings.Repeat("ab", 32)] = report.Container{ID: strings.Repeat("ab", 32), Name: "web"}
	if got := n.Blame(n.processes[4]).Owner.Name(); got != "container web" {
		t.Errorf("got %s", got)
	}
}

func TestNotesOfASystemInAContainer(t *testing.T) {
	n := nodeWith(nil, "/init.scope", "/lxc.payload.web/system.slice/cron.service", "/system.slice/cron.service")
	for pid, want := range map[int]bool{2: true, 3: false} {
		id, _ := n.Whois(pid)
		if got := strings.Contains(strings.Join(id.Notes, "\n"), "container web (LXC or systemd-nspawn) has a system of its own"); got != want {
			t.Errorf("%d: got %q", pid, id.Notes)
		}
	}
}

func TestOOMInSystemContainers(t *testing.T) {
	inLXC, lxcPod := "/lxc/703/ns/system.slice/cron.service", "/lxc.payload.n1/kubepods.slice/kubepods-pod"+strings.ReplaceAll(oomGone, "-", "_")+".slice"
	checkVictims(t, "on their host", oomNode(oomHost, 99, killedIn(90, "x", inLXC, inLXC), killedIn(91, "y", lxcPod, lxcPod+"/cri-containerd-"+oomID(3)+".scope"), killedIn(92, "z", "/lxc.payload.n1/kubepods.slice", "/lxc.payload.n1/kubepods.slice")), nil,
		[]string{"container n1 [n1] z cgroup ×1 92–92", "container n1 [n1] y cgroup ×1 91–91", "container 703 [703] x cgroup ×1 90–90"})
	// The node is the LXC container, and sees its own paths.
	checkVictims(t, "from inside", oomNode([]string{"/init.scope", "/system.slice/kubelet.service", lxcPod[len("/lxc.payload.n1"):]}, 0, killedIn(91, "y", lxcPod, lxcPod+"/cri-containerd-"+oomID(3)+".scope"), killedIn(92, "z", "/lxc.payload.n2/x", "/lxc.payload.n2/x")), nil,
		[]string{"batch/import [] y pod ×1 unasked 91–91"})
}
