//go:build linux

package probe

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// TestMountsOfTrees: what must not be read says so itself.
func TestMountsOfTrees(t *testing.T) {
	for _, name := range []string{"mounts-v1-docker-rhel7", "mounts-v2-containerd"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := collect(t, plantFile(t, name), report.NewRequest(report.CollectMounts))
			for i := range r.Mounts.VolumeData {
				d := &r.Mounts.VolumeData[i]
				if d.Written == 0 || d.Driver == "must not be read" {
					t.Errorf("got %+v", d)
				}
				d.Written = 0
			}
			checkGolden(t, name, &report.NodeReport{Mounts: r.Mounts})
		})
	}
}

// The mounts of the host's namespace alone cost no more than one mountinfo.
func TestHostMountsAlone(t *testing.T) {
	req := report.NewRequest(report.CollectMounts)
	req.HostMounts = true
	m := collect(t, plantFile(t, "mounts-v1-docker-rhel7"), req).Mounts
	if len(m.List) != 17 || len(m.Namespaces) != 4 || len(m.Uses) != 0 || len(m.VolumeData) != 0 {
		t.Errorf("got %+v", m)
	}
	for _, ns := range m.Namespaces[1:] {
		if ns.Mounts != nil || ns.Groups != nil || ns.Processes == 0 {
			t.Errorf("got %+v", ns)
		}
	}
}

// A line that is there twice is kept once, and said.
func TestTornMountinfo(t *testing.T) {
	for _, kernel := range []string{"3.10.0-1160.el7", "6.18.0"} {
		fs := plant(t, "-- proc/sys/kernel/osrelease --\n"+kernel+`
-- proc/1 (process) --
comm systemd
-- proc/1/mountinfo --
30 1 8:1 / / rw - ext4 /dev/sda1 rw
31 30 8:2 / /a rw - ext4 /dev/sda2 rw
30 1 8:1 / / rw - ext4 /dev/sda1 rw
torn
`)
		if m := collect(t, fs, report.NewRequest(report.CollectMounts)).Mounts; !m.Torn || len(m.List) != 2 || m.Skipped != 1 {
			t.Errorf("%s: got %+v", kernel, m)
		}
	}
}

func TestKernelBefore(t *testing.T) {
	for kernel, want := range map[string]bool{"3.10.0-1160.el7": true, "5.7.19": true, "5.8.0": false, "5.10-rc1": false, "6.1": false, "5": false, "": false, "x.y": false} {
		if r := (run{report: &report.NodeReport{Node: report.Node{Kernel: kernel}}}); r.kernelBefore(5, 8) != want {
			t.Errorf("%q", kernel)
		}
	}
}

func TestVolumeDataDir(t *testing.T) {
	const kubelet, csi = "/data/kubelet", "/data/kubelet/plugins/kubernetes.io/csi/"
	for point, want := range map[string]string{
		csi + "pv/d-1/globalmount":                            csi + "pv/d-1",
		csi + "ebs.csi.aws.com/0a1b/globalmount":              csi + "ebs.csi.aws.com/0a1b",
		csi + "ebs.csi.aws.com/0a1b":                          "",
		csi + "rbd.csi.ceph.com/0a1b/globalmount/0001-0242":   csi + "rbd.csi.ceph.com/0a1b",
		csi + "pv/d-1/globalmount/0001-0242":                  csi + "pv/d-1",
		csi + "globalmount":                                   "",
		csi + "volumeDevices/pv-1/dev/uid":                    csi + "volumeDevices/pv-1/data",
		csi + "volumeDevices/staging/pv-1":                    csi + "volumeDevices/pv-1/data",
		csi + "volumeDevices/publish/pv-1/uid":                csi + "volumeDevices/pv-1/data",
		csi + "volumeDevices/pv-1":                            "",
		kubelet + "/pods/u/volumes/kubernetes.io~csi/n/mount": kubelet + "/pods/u/volumes/kubernetes.io~csi/n",
		kubelet + "/pods/u/volumes/kubernetes.io~csi/mount":   "",
		kubelet + "/pods/u/volumes/kubernetes.io~nfs/n":       "",
		"/mount": "",
		"/":      "",
	} {
		if got := volumeDataDir(point); got != want {
			t.Errorf("%s: got %q, want %q", point, got, want)
		}
	}
}

// A namespace with more entries than a report holds counts the rest with its root.
func TestNamespaceWithTooManyEntries(t *testing.T) {
	fs := plant(t, smallNode+`
-- proc/100 (process) --
comm crowded
-- proc/100/ns/mnt -> mnt:[7] --
-- proc/100/mountinfo (table) --
1 0 0:9 / / rw - overlay overlay rw
{1001..4000} {n} 1 0:{n} / /m{n} rw - tmpfs tmpfs rw
`)
	m := collect(t, fs, report.NewRequest(report.CollectMounts)).Mounts
	ns := m.Namespaces[len(m.Namespaces)-1]
	sum := 0
	for _, g := range ns.Groups {
		sum += g.Mounts
	}
	root := ns.Groups[0]
	indices, err := root.Filesystems.Indices(len(m.Filesystems))
	if len(ns.Groups) != maxMountGroups || sum != 3001 || root.Entry != "/" || root.Mounts != 3001-maxMountGroups+1 || err != nil || len(indices) != root.Mounts {
		t.Errorf("%d groups of %d mounts, the root's has %d, %v", len(ns.Groups), sum, root.Mounts, err)
	}
	if len(m.Unreadable) != 1 || m.Unreadable[0].Cause != errTooMany.Error() {
		t.Errorf("unreadable %+v", m.Unreadable)
	}
}

// FuzzMountTree: whatever parents they claim, each mount is counted once.
func FuzzMountTree(f *testing.F) {
	f.Add([]byte("1 0 0:1 / / rw - a a rw\n2 1 0:2 / /x rw - b b rw\n3 2 0:2 / /x/y rw - b b rw\n"))
	f.Add([]byte("2 3 0:1 / /a rw - a a rw\n3 2 0:2 / / rw - b b rw\n4 4 0:1 / / rw shared:1 - a a rw\n2 2 0:9 / / rw - a a rw\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var tree mountTree
		tree.reset()
		_, _ = hostfs.EachMountLine(bytes.NewReader(b), func(l *hostfs.MountLine) { tree.addLine(l, int(l.Minor%4096)) })
		sum := 0
		for _, g := range tree.sum(func(fs int, _ string) bool { return fs == 9 }) {
			indices, err := g.Filesystems.Indices(4096)
			if sum += g.Mounts; g.Mounts == 0 || err != nil || len(indices) == 0 || len(indices) > g.Mounts {
				t.Errorf("got %+v, %v", g, err)
			}
		}
		if sum != len(tree.records) {
			t.Errorf("%d mounts in groups, want %d", sum, len(tree.records))
		}
	})
}

// FuzzVolumeDataDir: whatever a mount point is called, its notes are searched
// beside it or above, in the kubelet's own directories.
func FuzzVolumeDataDir(f *testing.F) {
	f.Add("/var/lib/kubelet/plugins/kubernetes.io/csi/volumeDevices/publish/pv/uid")
	f.Add("/k/plugins/kubernetes.io/csi/a/b/globalmount")
	f.Add("/k/pods/u/volumes/kubernetes.io~csi//mount")
	f.Fuzz(func(t *testing.T, point string) {
		dir := volumeDataDir(point)
		kubelet, _, staged := strings.Cut(dir, "/plugins/kubernetes.io/csi/")
		pods := strings.Contains(dir, "/volumes/kubernetes.io~csi/")
		if dir != "" && (!staged && !pods || !strings.HasPrefix(point, kubelet) && !pods || pods && !staged && dir+"/mount" != point) {
			t.Errorf("%q: %q", point, dir)
		}
	})
}
