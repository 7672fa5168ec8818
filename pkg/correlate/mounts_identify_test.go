package correlate

import (
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// Which PersistentVolume a mount is of: by what the kubelet wrote down, by names, by
// the hash of a handle, each for what it is worth.
func TestIdentifyVolumes(t *testing.T) {
	byHash := func(driver, handle string) string {
		return kubelet + "/plugins/kubernetes.io/csi/" + driver + "/" + hashOf(handle) + "/globalmount"
	}
	for name, c := range map[string]struct {
		build        func(*mountNode)
		want, driver string
	}{
		"a handle of another driver is another disk": {func(b *mountNode) {
			b.api()
			b.Mounts.VolumeData = nil
			b.mount("253:80", "ext4", "/dev/vdf", "", byHash("other.csi.example.com", "d-1"))
		}, hashOf("d-1") + " leaked 1/1 unused", "other.csi.example.com"},
		"an ended pod wants no claim": {func(b *mountNode) {
			b.stage()
			b.inv.Storage.VolumesError = "forbidden"
			b.inv.Pods[0].Phase, b.inv.Pods[0].Volumes = "Succeeded", []inventory.Volume{{Name: "data", Claim: "data"}}
			b.Processes.List, b.Mounts.List = nil, dropPoint(b.Mounts.List, "kube-api-access-x")
		}, "d-bp1 leaked 1/1 unused", ""},
		"the attachment of a volume that no PersistentVolume is, by the pod's note": {func(b *mountNode) {
			b.stage()
			b.wrote("/plugins/kubernetes.io/csi/pv/" + pv).AttachmentID = ""
			b.bind(goneUID)
			b.wrote("/pods/" + goneUID + "/volumes/kubernetes.io~csi/" + pv)
			b.inv.Storage.Attachments = []inventory.Attachment{{Name: "csi-1", Node: "node-1", Driver: driver, Attached: true}}
		}, "d-bp1 leaked 2/2 pv-gone pod-gone unused", driver},
		"staged by hash, named by the pod's note": {func(b *mountNode) {
			b.mount("253:80", "ext4", "/dev/vdf", "", byHash(driver, "d-1"))
			b.bind(goneUID)
			b.wrote("/pods/" + goneUID + "/volumes/kubernetes.io~csi/" + pv).AttachmentID = ""
		}, "d-bp1 leaked 2/2 pv-gone not-attached pod-gone unused", driver},
		"of CSI, but nobody says whose": {func(b *mountNode) { b.stage() },
			"d-bp1 leaked 1/1 pv-gone unused", ""},
		"the driver by the API server's word": {func(b *mountNode) {
			b.stage()
			b.inv.Storage.PersistentVolumes = []inventory.PersistentVolume{{Name: pv, Driver: "nfs.csi.k8s.io", Handle: "d-1"}}
		}, "d-bp1 leaked 1/1 unused", "nfs.csi.k8s.io"},
		"mounted by an in-tree plugin, a PersistentVolume of CSI by now": {func(b *mountNode) {
			b.api()
			b.mount("253:80", "ext4", "/dev/vdf", "", dirOfPod(goneUID)+"/volumes/kubernetes.io~aws-ebs/"+pv)
		}, "d-bp1 leaked 1/1 pod-gone", driver},
		"inline, whose note has a hash for a name": {func(b *mountNode) {
			b.bind(goneUID)
			d := b.wrote("/pods/" + goneUID + "/volumes/kubernetes.io~csi/" + pv)
			d.Lifecycle, d.SpecVolID = "Ephemeral", "csi-0abc"
		}, "d-bp1 leaked 1/1 pod-gone", driver},
		"inline, with the name of a PersistentVolume that a pod uses": {func(b *mountNode) {
			b.api()
			b.uses()
			b.bind(goneUID)
			b.wrote("/pods/" + goneUID + "/volumes/kubernetes.io~csi/" + pv).Lifecycle = "Ephemeral"
		}, "d-bp1 leaked 1/1 pod-gone", driver},
		"errors of the node's own disk are no volume's": {func(b *mountNode) {
			b.disk("253:1", "vda1").LogErrors = 7
			b.mount("253:1", "ext4", "/dev/vda1", "/var/lib/kubelet/pods/"+goneUID+"/volumes/kubernetes.io~empty-dir/tmp/a", dirOfPod(goneUID)+"/volume-subpaths/tmp/app/0")
		}, "tmp leaked 1/1 pod-gone", "empty-dir"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMountNode()
			c.build(b)
			m := expect(t, b, c.want)
			for _, v := range m.Volumes {
				if v.State == VolumeLeaked && v.Driver != c.driver {
					t.Errorf("driver %q, want %q", v.Driver, c.driver)
				}
			}
		})
	}
}

// A subPath is of the volume that its pod has by that name, though the API server has
// forgotten it.
func TestSubPathsOfPersistentVolumesThatAreGone(t *testing.T) {
	b := newMountNode()
	pod := dirOfPod(goneUID)
	for i, name := range []string{"lv", "nfs-b"} {
		number := []string{"253:9", "0:71"}[i]
		b.mount(number, "ext4", "/dev/x", "/sub", pod+"/volume-subpaths/"+name+"/app/0")
		b.mount(number, "ext4", "/dev/x", "", pod+"/volumes/kubernetes.io~csi/"+name+"/mount")
		b.wrote("/pods/" + goneUID + "/volumes/kubernetes.io~csi/" + name).SpecVolID = name
	}
	b.mount("0:72", "tmpfs", "tmpfs", "", pod+"/volumes/kubernetes.io~empty-dir/tmp")
	b.mount("0:72", "tmpfs", "tmpfs", "/sub", pod+"/volume-subpaths/tmp/app/0")
	expect(t, b, "lv leaked 2/2 pv-gone not-attached pod-gone", "nfs-b leaked 2/2 pv-gone not-attached pod-gone", "tmp leaked 2/2 pod-gone")
}

func TestHandleByTheAPI(t *testing.T) {
	b := newMountNode()
	b.stage()
	b.inv.Storage.PersistentVolumes = []inventory.PersistentVolume{{Name: pv, Driver: "nfs.csi.k8s.io", Handle: "d-1"}}
	if v := Join(b.NodeReport, b.inv).Mounts().Volumes[0]; v.Name != pv || v.Handle != "d-1" {
		t.Errorf("got %+v", v)
	}
}

// A pod calls a volume what it likes: that of a plugin without PersistentVolumes is
// none, though one has its name.
func TestPluginsWithoutPersistentVolumes(t *testing.T) {
	for _, plugin := range []string{"secret", "configmap", "projected", "downward-api", "empty-dir", "git-repo"} {
		b := newMountNode()
		b.api()
		b.uses()
		b.mount("0:61", "tmpfs", "tmpfs", "", dirOfPod(goneUID)+"/volumes/kubernetes.io~"+plugin+"/"+pv)
		expect(t, b, "d-bp1 leaked 1/1 pod-gone")
	}
}

// Two directories of one disk are two volumes, if they are staged apart.
func TestStagedDirectoriesOfOneDisk(t *testing.T) {
	b := newMountNode()
	staged := func(name string) string {
		return kubelet + "/plugins/kubernetes.io/csi/directpv-min-io/" + hashOf(name) + "/globalmount"
	}
	b.inv.Storage.PersistentVolumes = []inventory.PersistentVolume{{Name: "used", Driver: "directpv-min-io", Handle: "used"}}
	b.mount("8:64", "xfs", "/dev/sde", "/used", staged("used"))
	b.mount("8:64", "xfs", "/dev/sde", "/used", dirOfPod(uid)+"/volumes/kubernetes.io~csi/used/mount")
	b.mount("8:64", "xfs", "/dev/sde", "/left", staged("left"))
	b.wrote("/plugins/kubernetes.io/csi/directpv-min-io/" + hashOf("left")).SpecVolID = "left"
	m := expect(t, b, "left leaked 1/1 pv-gone not-attached unused")
	if len(m.Volumes) != 3 { // and the pod's token
		t.Errorf("got %+v", m.Volumes)
	}
}
