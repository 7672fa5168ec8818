package correlate

import (
	"slices"
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
