//go:build linux

package probe

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// hiddenMounts is a node whose kubelet has its volumes in a namespace of its own,
// with cri-o, as OpenShift's encapsulation and confined snaps have it.
const hiddenMounts = `
-- proc/uptime --
100.00 1.00
-- proc/1 (process) --
comm systemd
parent 0
cgroup /init.scope
args init
-- proc/1/ns/mnt -> mnt:[1] --
-- proc/1/ns/pid -> pid:[4] --
-- proc/1/mountinfo --
1 0 8:1 / / rw shared:1 - xfs /dev/sda1 rw
-- proc/30 (process) --
comm crio
cgroup /system.slice/crio.service
args crio
-- proc/30/ns/mnt -> mnt:[2] --
-- proc/30/mountinfo --
2 0 8:1 / / rw shared:2 master:1 - xfs /dev/sda1 rw
3 2 8:16 / /var/lib/kubelet/plugins/kubernetes.io/csi/d.example/0a1b/globalmount rw shared:3 - ext4 /dev/sdb rw
4 2 0:40 / /var/lib/kubelet/pods/{uid:a}/volumes/kubernetes.io~projected/token rw shared:4 - tmpfs tmpfs rw
-- proc/40 (process) --
comm kubelet
cgroup /system.slice/kubelet.service
args kubelet
-- proc/40/ns/mnt -> mnt:[2] --
-- proc/40/ns/pid -> pid:[4] --
-- proc/40/mountinfo --
2 0 8:1 / / rw shared:2 master:1 - xfs /dev/sda1 rw
3 2 8:16 / /var/lib/kubelet/plugins/kubernetes.io/csi/d.example/0a1b/globalmount rw shared:3 - ext4 /dev/sdb rw
4 2 0:40 / /var/lib/kubelet/pods/{uid:a}/volumes/kubernetes.io~projected/token rw shared:4 - tmpfs tmpfs rw
-- root/var/lib/kubelet/plugins/kubernetes.io/csi/d.example/0a1b/vol_data.json --
{"driverName":"d.example","volumeHandle":"d-1","specVolID":"pv-1"}
`

func mountsOf(t *testing.T, archive string) *report.Mounts {
	t.Helper()
	return collectWith(t, plant(t, archive), nil, collectProcesses, collectMounts).Mounts
}

func TestKubeletThatHidesItsMountsFromTheNode(t *testing.T) {
	// A client of K3s's is none, wherever it was started.
	m := mountsOf(t, hiddenMounts+"-- proc/20 (process) --\ncomm k3s\ncgroup /user.slice\nargs k3s kubectl\n-- proc/20/ns/mnt -> mnt:[1] --\n")
	if len(m.List) != 3 || len(m.Namespaces) != 2 || len(m.VolumeData) != 1 || len(m.Unreadable) != 0 {
		t.Fatalf("got %+v", m)
	}
	host, node := m.Namespaces[0], m.Namespaces[1]
	if !host.Host || !host.Kubelet || host.Inode != 2 || host.PID != 30 || host.Processes != 2 {
		t.Errorf("got %+v", host)
	}
	if node.Host || node.PID != 1 || *node.Mounts != 1 || len(node.Groups) != 1 {
		t.Errorf("got %+v", node)
	}
}

// Where the node's first process sees the volumes its own mounts are the host's.
func TestKubeletInAMountNamespaceOfItsOwn(t *testing.T) {
	const volume = "8:16 / /var/lib/kubelet/plugins/kubernetes.io/csi/d.example/0a1b/globalmount rw shared:3 - ext4 /dev/sdb rw\n"
	for name, archive := range map[string]string{
		"in a container that shares them":     strings.Replace(hiddenMounts, "- xfs /dev/sda1 rw\n-- proc/30", "- xfs /dev/sda1 rw\n9 1 "+volume+"-- proc/30", 1),
		"of a node within a container":        strings.Replace(hiddenMounts, "/system.slice/kubelet.service", "/docker/{id:kind}/kubelet.slice/kubelet.service", 1),
		"of a node with processes of its own": hiddenMounts + "-- proc/40/ns/pid -> pid:[5] --\n",
		"of a node within a pod":              strings.Replace(hiddenMounts, "/system.slice/kubelet.service", "/kubepods/pod{uid:b}/{id:b}", 1),
		"called so by a pod's process":        strings.Replace(hiddenMounts, "/system.slice/kubelet.service", "/kubepods/besteffort/pod{uid:b}/{id:b}", 1),
		"whose mounts cannot be read":         hiddenMounts + "-- proc/40/mountinfo (absent) --\n",
		"whose namespace is not known":        hiddenMounts + "-- proc/40/ns/mnt (absent) --\n",
		"with none there":                     strings.NewReplacer("/plugins/", "/x/", "/volumes/", "/x/").Replace(hiddenMounts),
	} {
		if m := mountsOf(t, archive); m.Namespaces[0].Kubelet || m.Namespaces[0].PID != 1 || m.Namespaces[0].Inode != 1 {
			t.Errorf("%s: got %+v", name, m.Namespaces[0])
		}
	}
}

func TestDeviceOfAKernelThreadIsWhereTheKubeletMountedIt(t *testing.T) {
	req := report.NewRequest(report.CollectProcesses, report.CollectBackground)
	req.PIDs = []int{90}
	b := collect(t, plant(t, hiddenMounts+`
-- proc/90 (process) --
comm jbd2/sdb-8
parent 2
kernel
-- sys/dev/block/8:16 -> ../../devices/virtual/block/sdb --
`), req).Background
	if b == nil || len(b.Devices) != 1 || len(b.Devices[0].Mounts) != 1 || !strings.HasSuffix(b.Devices[0].Mounts[0].Point, "/globalmount") {
		t.Errorf("got %+v", b)
	}
}
