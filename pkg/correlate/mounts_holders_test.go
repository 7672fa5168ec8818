package correlate

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// logDaemon is the pod of a DaemonSet that has the host's root directory, running
// as pid 70.
func (b *mountNode) logDaemon() {
	const daemonUID = "0badf00d-1f00-4c6e-9d51-0242ac120003"
	b.Processes.Cgroups = append(b.Processes.Cgroups, report.Cgroup{Entries: []report.CgroupEntry{{Path: "/kubepods/burstable/pod" + daemonUID + "/" + other}}})
	b.Processes.List = append(b.Processes.List, report.Process{PID: 70, PPID: 1, Comm: "logxxx", State: "S", Cgroup: len(b.Processes.Cgroups) - 1})
	b.inv.Pods[1].Containers = nil // it has the id of the test's other container
	b.inv.Pods = append(b.inv.Pods, inventory.Pod{Namespace: "kube-system", Name: "logxxx-ds-abcde", UID: daemonUID, Workload: "DaemonSet/logxxx-ds", Containers: []inventory.Container{{Name: "logxxx", ID: other}},
		Volumes: []inventory.Volume{{Name: "host", HostPath: "/"}, {Name: "logs", HostPath: "/var/log"}},
		VolumeMounts: []inventory.VolumeMount{
			{List: "initContainers", Container: "init", Volume: "logs", Path: "/logxxx_host/var"},
			{List: "containers", Container: "logxxx", Volume: "logs", Path: "/logs"},
			{List: "containers", Container: "logxxx", Volume: "host", Path: "/logxxx_host", Propagation: "HostToContainer"}}})
}

func TestHolders(t *testing.T) {
	b := newMountNode()
	b.stage()
	b.logDaemon()
	merged := b.dead("removing")
	b.mount("253:80", "ext4", "/dev/vdf", "", merged+"/logxxx_host"+staging)
	b.namespace(9, 70, "/logxxx_host", "253:1", "253:80")
	b.namespace(10, 4242, "/mnt", "253:80") // its process ended meanwhile
	b.namespace(11, 22, "/", "253:1")
	b.Mounts.Uses = []report.MountUse{{PID: 70, FS: b.fs("253:80", "", ""), What: "fd", Count: 2, Path: "/logxxx_host" + staging + "/a"}, {PID: 70, FS: b.fs("253:1", "", ""), What: "cwd", Count: 1, Path: "/"}}
	m := Join(b.NodeReport, b.inv).Mounts()
	v := m.Volumes[1]
	if v.Name != "root directory of container e4261544f8eb0 (logxxx of kube-system/logxxx-ds-hsbv9)" || v.Copies != 1 {
		t.Errorf("got %q with %d copies", v.Name, v.Copies)
	}
	v = m.Volumes[0]
	via := &Via{Volume: "host", HostPath: "/", MountPath: "/logxxx_host", Propagation: "HostToContainer", Field: "spec.containers[name=logxxx].volumeMounts[name=host]"}
	dead := Owner{Type: OwnerPod, Namespace: "kube-system", Pod: "logxxx-ds-hsbv9", PodUID: goneUID, PodState: PodGone, Workload: "DaemonSet/logxxx-ds", Container: "logxxx", ContainerID: deadID}
	daemon := Owner{Type: OwnerPod, Namespace: "kube-system", Pod: "logxxx-ds-abcde", PodUID: b.inv.Pods[2].UID, PodState: PodKnown, Workload: "DaemonSet/logxxx-ds", Container: "logxxx", ContainerID: other}
	want := []*Holder{
		{Owner: dead, Root: merged, Why: ContainerDead, Mounts: 1, Entry: "/logxxx_host", Via: via},
		{Owner: daemon, Namespace: 9, PID: 70, Comm: "logxxx", Entry: "/logxxx_host", Via: via},
		{Owner: Owner{Type: OwnerUnknown}, Namespace: 10, PID: 4242, Entry: "/mnt"}}
	if !reflect.DeepEqual(v.Holders, want) {
		t.Errorf("got  %+v\nwant %+v", v.Holders, want)
	}
	if v.AllMounts != 4 || v.Copies != 1 || v.Leaked != 2 || v.KernelThreads != 3 {
		t.Errorf("all mounts %d, copies %d, leaked %d, threads %d; want 4, 1, 2, 3", v.AllMounts, v.Copies, v.Leaked, v.KernelThreads)
	}
	if len(v.Processes) != 1 || v.Processes[0].Owner != daemon || v.Processes[0].Count != 2 {
		t.Errorf("processes %+v", v.Processes)
	}
	if v.Since == nil || v.Since.Unix() != b.Node.BootTime+60 {
		t.Errorf("since %v", v.Since)
	}
	leaked := LeakTotals{Volumes: 1, Roots: 1, Mounts: 4, Copies: 2, AllMounts: 6, Devices: 1, KernelThreads: 3}
	if m.Leaked != leaked {
		t.Errorf("got  %+v\nwant %+v", m.Leaked, leaked)
	}
}

// One filesystem of several volumes does not tell which of them is held.
func TestWhoHoldsOneOfManyOnAFilesystemIsNotGuessed(t *testing.T) {
	b := newMountNode()
	b.mount("0:70", "nfs4", "s:/", "/a", dirOfPod(uid)+"/volumes/kubernetes.io~nfs/nfs-a")
	b.mount("0:70", "nfs4", "s:/", "/b", dirOfPod(goneUID)+"/volumes/kubernetes.io~nfs/nfs-b")
	b.namespace(9, 22, "/b", "0:70")
	path := dirOfPod(goneUID) + "/volumes/kubernetes.io~nfs/nfs-b"
	b.Mounts.Uses = []report.MountUse{{PID: 22, FS: b.fs("0:70", "", ""), What: "cwd", Count: 1, Path: path}, {PID: 21, FS: b.fs("0:70", "", ""), What: "cwd", Count: 1, Path: "/b"}}
	v := Join(b.NodeReport, b.inv).Mounts().Volumes[0]
	if v.Name != "nfs-b" || len(v.Holders) > 0 || len(v.Processes) != 1 || v.Processes[0].PID != 22 {
		t.Errorf("got %+v", v)
	}
}

// An umount on the host does not reach a private copy in a pod: the filesystem
// stays, and its disk is taken away under it.
func TestDeviceThatIsGoneAndMountedInAPodOnly(t *testing.T) {
	b := newMountNode()
	b.logDaemon()
	b.namespace(9, 70, "/logxxx_host", "253:1", "253:80", "253:96")
	b.Mounts.Namespaces[2].Groups[0].Receives = false
	f := &b.Mounts.Filesystems[b.fs("253:80", "", "")]
	f.Type, f.Source = "ext4", "/dev/vdf"
	b.disk("253:80", "vdf").Gone = true
	b.disk("253:96", "vdg") // a pod may have a disk of its own
	m := expect(t, b, "/dev/vdf leaked 0/0 device-gone")
	if h := m.Volumes[0].Holders; len(h) != 1 || !h[0].Private || h[0].Owner.Pod != "logxxx-ds-abcde" || h[0].Via == nil {
		t.Errorf("holders %+v", h)
	}
	if l := (LeakTotals{Volumes: 1, AllMounts: 1, Devices: 1, KernelThreads: 3}); m.Leaked != l {
		t.Errorf("got %+v", m.Leaked)
	}
}

func TestBreakdown(t *testing.T) {
	b := newMountNode()
	b.stage()
	b.bind(uid)
	b.api()
	b.dead("dead")
	m := Join(b.NodeReport, b.inv).Mounts()
	lines := func(list []MountCount) (lines []string) {
		for _, c := range list {
			lines = append(lines, fmt.Sprintf("%s %d %d %d", c.Name, c.Mounts, c.Devices, c.Leaked))
		}
		return lines
	}
	dead := "container e4261544f8eb0 (logxxx of kube-system/logxxx-ds-hsbv9)"
	for name, c := range map[string]struct {
		got  []MountCount
		want []string
	}{
		"filesystem": {m.ByFilesystem, []string{"ext4 4 2 1", "overlay 2 0 1", "devtmpfs 1 0 0", "tmpfs 1 0 0", "xfs 1 1 0"}},
		"driver":     {m.ByDriver, []string{"containers' root directories 3 1 2", "the node's own 3 2 0", driver + " 2 1 0", "projected 1 0 0"}},
		"owner":      {m.ByOwner, []string{"the node's own 3 2 0", dead + " 2 1 2", "prod/hub-1 2 1 0", "container " + ShortID(id) + " (app of prod/hub-1) 1 0 0", "staging 1 1 0"}},
	} {
		if got := lines(c.got); !reflect.DeepEqual(got, c.want) {
			t.Errorf("by %s:\ngot  %q\nwant %q", name, got, c.want)
		}
	}
	if m.HostMounts != 9 || m.AllMounts != 10 || m.Namespaces != 2 || m.Devices != 3 || m.KernelThreads != 3 {
		t.Errorf("got %+v", m)
	}
}
