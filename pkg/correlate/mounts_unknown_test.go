package correlate

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func TestUnknownWhereNobodyCouldBeAsked(t *testing.T) {
	const unasked = "the API server was not asked"
	for name, c := range map[string]struct {
		build func(*mountNode)
		want  []string
		says  string
	}{
		"no API server": {func(b *mountNode) { b.stage(); b.inv = nil },
			[]string{"d-bp1 unknown 0/1"}, unasked},
		"pods forbidden": {func(b *mountNode) {
			b.stage()
			b.bind(goneUID)
			b.api()
			b.inv.PodsError = "forbidden"
			b.inv.Pods = nil
		},
			[]string{"d-bp1 unknown 0/2"}, "the node's pods could not be listed: forbidden"},
		"staged by hash without a note, on a share that a pod has by its name": {func(b *mountNode) {
			b.mount("0:70", "cifs", "//s/share", "", kubelet+"/plugins/kubernetes.io/csi/"+driver+"/"+hashOf("share-1")+"/globalmount")
			b.mount("0:70", "cifs", "//s/share", "", dirOfPod(uid)+"/volumes/kubernetes.io~csi/"+pv+"/mount")
		}, []string{hashOf("share-1") + " unknown 0/1"}, "vol_data.json could not be read"},
		"a flexvolume of files, attached, that a pod has by another name": {func(b *mountNode) {
			b.mount("0:85", "fuse.ossfs", "ossfs", "", kubelet+"/plugins/kubernetes.io/flexvolume/vendor/oss/mounts/bucket-1")
			b.mount("0:85", "fuse.ossfs", "ossfs", "", dirOfPod(uid)+"/volumes/vendor~oss/oss-pv")
		}, []string{"bucket-1 unknown 0/1"}, "no PersistentVolume is known by its path, and a pod uses the same filesystem"},
		"in-tree, on a btrfs whose default subvolume is not its root": {func(b *mountNode) {
			b.mount("0:86", "btrfs", "/dev/vdf", "/data", kubelet+"/plugins/kubernetes.io/cinder/mounts/0a1b")
			b.mount("0:86", "btrfs", "/dev/vdf", "/data", dirOfPod(uid)+"/volumes/kubernetes.io~cinder/cinder-pv")
		}, []string{"0a1b unknown 0/1"}, "no PersistentVolume is known by its path"},
		"no storage": {func(b *mountNode) { b.stage(); b.inv.Storage = nil },
			[]string{"d-bp1 unknown 0/1"}, "not asked for volumes"},
		"PVs forbidden": {func(b *mountNode) {
			b.stage()
			b.inv.Pods[0].Volumes = []inventory.Volume{{Name: "data", Claim: "data"}}
			b.inv.Storage.VolumesError = "persistentvolumes is forbidden"
		}, []string{"d-bp1 unknown 0/1"}, "persistentvolumes is forbidden"},
		"PVs forbidden, and no pod has a claim": {func(b *mountNode) { b.stage(); b.inv.Storage.VolumesError = "forbidden" },
			[]string{"d-bp1 leaked 1/1 unused"}, "PersistentVolumes could not be listed"},
		"attachments forbidden": {func(b *mountNode) {
			b.stage()
			b.api()
			b.inv.Storage.Attachments, b.inv.Storage.AttachmentsError = nil, "forbidden"
		},
			[]string{"d-bp1 leaked 1/1 unused"}, "VolumeAttachments could not be listed"},
		"no API server, and the device is gone": {func(b *mountNode) { b.stage().Gone = true; b.inv = nil },
			[]string{"d-bp1 leaked 1/1 device-gone"}, unasked},
		"no API server, and errors": {func(b *mountNode) { b.stage().LogErrors = 1; b.inv = nil },
			[]string{"d-bp1 unknown 0/1 device-errors"}, unasked},
		"no API server, and docker says removing": {func(b *mountNode) { b.dead("removing"); b.inv = nil },
			[]string{"root directory of container e4261544f8eb0 (logxxx of kube-system/logxxx-ds-hsbv9) leaked 2/2 container-dead"}, ""},
		"no API server, and a dead container has a copy of what is staged": {func(b *mountNode) {
			b.stage()
			b.mount("253:80", "ext4", "/dev/vdf", "", b.dead("dead")+"/logxxx_host"+staging)
			b.inv = nil
		}, []string{"root directory of container e4261544f8eb0 (logxxx of kube-system/logxxx-ds-hsbv9) leaked 2/2 container-dead", "d-bp1 unknown 1/2 container-dead"}, ""},
		"no API server, and a dead container has the only mount": {func(b *mountNode) {
			b.mount("253:80", "ext4", "/dev/vdf", "", b.dead("dead")+"/logxxx_host"+staging)
			b.inv = nil
		}, []string{"root directory of container e4261544f8eb0 (logxxx of kube-system/logxxx-ds-hsbv9) leaked 2/2 container-dead", "d-bp1 leaked 1/1 container-dead"}, ""},
		"no API server, and the pod of the directory runs": {func(b *mountNode) { b.stage(); b.bind(uid); b.inv = nil }, nil, ""},
		"the runtime's files were not read": {func(b *mountNode) {
			b.mount("253:80", "ext4", "/dev/vdf", "", b.dead("dead")+staging)
			b.Containers.List, b.Containers.Unreadable = b.Containers.List[:1], []report.Unreadable{{What: "/var/lib/docker", Cause: "denied"}}
			b.api()
		}, []string{"d-bp1 unknown 0/1"}, "nobody can tell whether container " + ShortID(layer) + " is dead"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMountNode()
			c.build(b)
			m := expect(t, b, c.want...)
			if len(m.Volumes) > 0 && !strings.Contains(m.Volumes[0].Unknown, c.says) {
				t.Errorf("says %q, want %q", m.Volumes[0].Unknown, c.says)
			}
		})
	}
}

// Nobody is told to remove, by a sum, what nobody could judge.
func TestUnknownWithALeakedCopyIsNoLeakedVolume(t *testing.T) {
	b := newMountNode()
	b.stage()
	b.mount("253:80", "ext4", "/dev/vdf", "", b.dead("dead")+"/logxxx_host"+staging)
	b.api()
	b.inv.PodsError, b.inv.Pods = "forbidden", nil
	m := Join(b.NodeReport, b.inv).Mounts()
	if got, want := m.Leaked, (LeakTotals{Roots: 1, Parts: 1, Unknown: 1, Mounts: 3, Copies: 2, AllMounts: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, v := range m.Volumes {
		for _, at := range v.Mounts {
			if at.Staging && at.Leaked {
				t.Errorf("leaked: %+v", at)
			}
		}
	}
}
