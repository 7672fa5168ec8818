package correlate

import (
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Every container has files of the node's disk mounted: none of them holds the
// only volume that lies on it, and who works there is not at work on it.
func TestNobodyHoldsAVolumeOnTheNodesDiskByTheDisk(t *testing.T) {
	b := newMountNode()
	b.mount("253:1", "ext4", "/dev/vda1", "/mnt/disks/a", dirOfPod(goneUID)+"/volumes/kubernetes.io~local-volume/local-a")
	b.namespace(9, 22, "/etc/hosts", "253:1")
	b.Mounts.Uses = []report.MountUse{{PID: 22, FS: b.fs("253:1", "", ""), What: "cwd", Count: 1, Path: "/"}}
	v := Join(b.NodeReport, b.inv).Mounts().Volumes[0]
	if v.Name != "local-a" || v.State != VolumeLeaked || len(v.Holders) > 0 || len(v.Processes) > 0 {
		t.Errorf("got %+v", v)
	}
}

// The same of a disk for local volumes, of a tmpfs with sockets, of a share that a
// driver has mounted as a whole.
func TestNobodyHoldsAVolumeByWhatItIsADirectoryOf(t *testing.T) {
	for name, c := range map[string]struct {
		number, fstype, source, on string
		roots                      []string // of the volume's mounts
		threads                    int
	}{
		"a directory of a disk":            {"253:17", "xfs", "/dev/vdb1", "/data", []string{"/disk1"}, 0},
		"two of them":                      {"253:17", "xfs", "/dev/vdb1", "/data", []string{"/disk1/x/y", "/disk1/x/z"}, 0},
		"one in the other":                 {"253:17", "xfs", "/dev/vdb1", "/data", []string{"/disk1/sub", "/disk1"}, 0},
		"and the other way round":          {"253:17", "xfs", "/dev/vdb1", "/data", []string{"/disk1", "/disk1/sub"}, 0},
		"a socket's directory":             {"0:25", "tmpfs", "tmpfs", "/run", []string{"/spire/sockets"}, 0},
		"a directory of a share":           {"0:71", "fuse.juicefs", "JuiceFS:v", "/var/lib/juicefs/volume/x", []string{"/pvc-1"}, 0},
		"the disk itself, mounted by name": {"253:17", "xfs", "/dev/vdb1", "/data", []string{""}, 3},
		"that, and a directory of it":      {"253:17", "xfs", "/dev/vdb1", "/data", []string{"/sub", ""}, 3},
		"namespaces, which are no paths":   {"0:4", "nsfs", "nsfs", "/run/netns/a", []string{"net:[4026532001]", "mnt:[4026532002]"}, 0},
	} {
		b := newMountNode()
		b.Mounts.List = dropPoint(b.Mounts.List, "/data")
		b.mount(c.number, c.fstype, c.source, "", c.on)
		b.disk("253:17", "vdb1")
		for i, root := range c.roots {
			pods := []string{goneUID, strings.Replace(goneUID, "0bad", "1bad", 1)}
			b.mount(c.number, c.fstype, c.source, root, dirOfPod(pods[i])+"/volumes/kubernetes.io~local-volume/local-a")
		}
		b.namespace(9, 22, "/host", c.number)
		b.Mounts.Uses = []report.MountUse{{PID: 22, FS: b.fs(c.number, "", ""), What: "cwd", Count: 1, Path: "/host/other"}}
		m := Join(b.NodeReport, b.inv).Mounts()
		v := m.Volumes[0]
		want := 0
		if c.roots[len(c.roots)-1] == "" {
			want = 1
		}
		if v.Name != "local-a" || v.State != VolumeLeaked || len(v.Holders) != want || len(v.Processes) != want || v.KernelThreads != c.threads || m.Leaked.Devices != want {
			t.Errorf("%s: got %+v", name, v)
		}
	}
}

// What decides where one line of the rules does.
func TestOneLineOfTheRules(t *testing.T) {
	for name, c := range map[string]struct {
		build func(*mountNode)
		want  []string
	}{
		"pods forbidden, and nothing is staged": {func(b *mountNode) {
			b.bind(goneUID)
			b.api()
			b.inv.PodsError, b.inv.Pods = "forbidden", nil
		}, []string{"d-bp1 unknown 0/1"}},
		"the PV is in-tree, the plugin's note CSI's: migrated": {func(b *mountNode) {
			b.stage()
			b.api()
			b.inv.Storage.PersistentVolumes[0].Driver, b.inv.Storage.PersistentVolumes[0].Handle = "kubernetes.io/example", "zone/d-1"
		}, []string{"d-bp1 leaked 1/1 unused"}},
		"another driver's PV has the same handle": {func(b *mountNode) {
			b.stage()
			b.api()
			b.inv.Storage.PersistentVolumes[0] = inventory.PersistentVolume{Name: "other", Driver: "other.csi.example.com", Handle: "d-1"}
		}, []string{"d-bp1 leaked 1/1 pv-gone unused"}},
		"a note from before Kubernetes 1.16, staged": {func(b *mountNode) {
			b.mount("253:80", "ext4", "/dev/vdf", "", kubelet+"/plugins/kubernetes.io/csi/"+driver+"/"+hashOf("d-1")+"/globalmount")
			b.wrote("/plugins/kubernetes.io/csi/" + driver + "/" + hashOf("d-1")).Lifecycle = ""
		}, []string{"d-bp1 leaked 1/1 pv-gone not-attached unused"}},
		"a note from before Kubernetes 1.16, in a pod's directory": {func(b *mountNode) {
			b.bind(goneUID)
			b.wrote("/pods/" + goneUID + "/volumes/kubernetes.io~csi/" + pv).Lifecycle = ""
		}, []string{"d-bp1 leaked 1/1 pod-gone"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMountNode()
			c.build(b)
			expect(t, b, c.want...)
		})
	}
}

// The path of a subPath names no plugin; what is mounted does, or the pod's spec,
// or the PersistentVolume.
func TestDriverOfASubPathOnTheNodesDisk(t *testing.T) {
	for name, c := range map[string]struct{ root, volume, want string }{
		"emptyDir":                  {kubelet + "/pods/" + uid + "/volumes/kubernetes.io~empty-dir/tmp/a", "tmp", "empty-dir"},
		"another pod's in the root": {kubelet + "/pods/" + goneUID + "/volumes/kubernetes.io~empty-dir/tmp/a", "tmp", ""},
		"hostPath":                  {"/srv/web", "web", "host-path"},
		"local-path's PV":           {"/opt/local-path-provisioner/pvc-1/data", "pvc-1", "host-path"},
		"nobody knows":              {"/srv/web", "other", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMountNode()
			b.mount("253:1", "ext4", "/dev/vda1", c.root, dirOfPod(uid)+"/volume-subpaths/"+c.volume+"/app/0")
			b.inv.Pods[0].Volumes = append(b.inv.Pods[0].Volumes, inventory.Volume{Name: "web", HostPath: "/srv/web"})
			b.inv.Storage.PersistentVolumes = []inventory.PersistentVolume{{Name: "pvc-1", Driver: "kubernetes.io/host-path"}}
			volumes := Join(b.NodeReport, b.inv).Mounts().Volumes
			i := slices.IndexFunc(volumes, func(v Volume) bool { return v.Name == c.volume })
			if i < 0 || volumes[i].Driver != c.want {
				t.Errorf("volume %d, want driver %q of %+v", i, c.want, volumes)
			}
		})
	}
}

// A kubelet that has its volumes where the node's first process does not see them.
func TestNamespaceOfTheKubelet(t *testing.T) {
	b := newMountNode()
	b.stage()
	b.bind(goneUID)
	b.Mounts.Namespaces[0] = report.MountNamespace{Inode: 5, Host: true, Kubelet: true, PID: 40}
	b.namespace(1, 1, "/", "253:1")
	m := expect(t, b, "d-bp1 leaked 2/2 pv-gone pod-gone unused")
	if m.KubeletNamespace != 40 || len(m.Volumes[0].Holders) != 0 {
		t.Errorf("got %+v", m)
	}
}

// To NFS the exports of one server are one filesystem, and the root of each is "/".
func TestSourceOfALeakedExport(t *testing.T) {
	b := newMountNode()
	b.mount("0:70", "nfs4", "filer:/a", "", dirOfPod(uid)+"/volumes/kubernetes.io~nfs/nfs-a")
	b.mount("0:70", "nfs4", "filer:/a", "", dirOfPod(goneUID)+"/volumes/kubernetes.io~nfs/nfs-b")
	b.Mounts.List[len(b.Mounts.List)-1].Source = "filer:/b"
	m := expect(t, b, "nfs-b leaked 1/1 pod-gone")
	if v := m.Volumes[0]; v.Source != "filer:/b" || v.Mounts[0].Source != "filer:/b" || m.Volumes[1].Source == "filer:/b" {
		t.Errorf("got %+v", m.Volumes)
	}
}
