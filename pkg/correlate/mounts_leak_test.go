package correlate

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func hashOf(handle string) string {
	sum := sha256.Sum256([]byte(handle))
	return hex.EncodeToString(sum[:])
}

func TestLeakReasons(t *testing.T) {
	for name, c := range map[string]struct {
		build func(*mountNode)
		want  []string
	}{
		"PV gone": {func(b *mountNode) { b.stage() },
			[]string{"d-bp1 leaked 1/1 pv-gone unused"}},
		"PV gone, by its note": {func(b *mountNode) { b.stage(); b.wrote("/plugins/kubernetes.io/csi/pv/" + pv) },
			[]string{"d-bp1 leaked 1/1 pv-gone not-attached unused"}},
		"a PV of that name is another disk now": {func(b *mountNode) {
			b.stage()
			b.wrote("/plugins/kubernetes.io/csi/pv/" + pv)
			b.inv.Storage.PersistentVolumes = []inventory.PersistentVolume{{Name: pv, Driver: driver, Handle: "d-2"}}
		}, []string{"d-bp1 leaked 1/1 pv-gone not-attached unused"}},
		"not attached here": {func(b *mountNode) {
			b.stage()
			b.api()
			b.inv.Storage.Attachments[0].Node, b.inv.Storage.Attachments[0].Name = "node-2", "csi-2"
		}, []string{"d-bp1 leaked 1/1 not-attached unused"}},
		"attached as another PV of the same disk": {func(b *mountNode) {
			b.stage()
			b.api()
			b.inv.Storage.PersistentVolumes = append(b.inv.Storage.PersistentVolumes, inventory.PersistentVolume{Name: "static", Driver: driver, Handle: "d-1"})
			b.inv.Storage.Attachments[0].Volume, b.inv.Storage.Attachments[0].Name = "static", "csi-2"
		}, []string{"d-bp1 leaked 1/1 unused"}},
		"pod gone": {func(b *mountNode) { b.stage(); b.bind(goneUID); b.api() },
			[]string{"d-bp1 leaked 2/2 pod-gone unused"}},
		"one of two pods gone": {func(b *mountNode) { b.stage(); b.bind(goneUID); b.bind(uid); b.api() },
			[]string{"d-bp1 live 1/3 pod-gone"}},
		"token of a pod that is gone": {func(b *mountNode) {
			b.mount("0:61", "tmpfs", "tmpfs", "", dirOfPod(goneUID)+"/volumes/kubernetes.io~projected/kube-api-access-y")
		}, []string{"kube-api-access-y leaked 1/1 pod-gone"}},
		"subpath of a pod that is gone, on the node's disk": {func(b *mountNode) {
			b.mount("253:1", "ext4", "/dev/vda1", "/var/lib/kubelet/pods/"+goneUID+"/volumes/kubernetes.io~empty-dir/tmp/a", dirOfPod(goneUID)+"/volume-subpaths/tmp/app/0")
		}, []string{"tmp leaked 1/1 pod-gone"}},
		"a disk without a filesystem, PV and pod gone": {func(b *mountNode) { b.raw(goneUID) },
			[]string{"d-bp1 leaked 3/3 pv-gone not-attached pod-gone unused"}},
		"a disk without a filesystem, pod gone": {func(b *mountNode) { b.api(); b.raw(goneUID); b.raw(uid) },
			[]string{"d-bp1 live 2/6 pod-gone"}},
		"a local disk without a filesystem, pod gone": {func(b *mountNode) {
			b.mount("0:5", "devtmpfs", "devtmpfs", "/sde", kubelet+"/plugins/kubernetes.io~local-volume/volumeDevices/raw/"+goneUID)
		}, []string{"raw leaked 1/1 pv-gone pod-gone"}},
		"a local disk that no pod uses": {func(b *mountNode) {
			b.mount("8:48", "ext4", "/dev/sdd", "", kubelet+"/plugins/kubernetes.io~local-volume/mounts/disk")
			b.inv.Storage.PersistentVolumes = []inventory.PersistentVolume{{Name: "disk", Driver: "kubernetes.io/local-volume", Handle: "/dev/sdd"}}
		}, []string{"disk leaked 1/1 unused"}},
		"Terminating for hours": {func(b *mountNode) {
			b.stage()
			b.bind(uid)
			b.api()
			b.inv.Pods[0].Deleting, b.inv.Pods[0].DeleteBy = true, b.Node.Now-3600
			b.blocked()
			b.Mounts.List = dropPoint(b.Mounts.List, "kube-api-access-x")
		}, []string{"d-bp1 leaked 2/2 pod-terminating unused"}},
		"Terminating for hours, and only its sandbox is left": {func(b *mountNode) {
			b.stage()
			b.bind(uid)
			b.api()
			b.inv.Pods[0].Deleting, b.inv.Pods[0].DeleteBy = true, b.Node.Now-3600
			b.Containers.List[0].Sandbox = true
			b.Mounts.List = dropPoint(b.Mounts.List, "kube-api-access-x")
		}, []string{"d-bp1 leaked 2/2 pod-terminating unused"}},
		"completed long ago, and still staged": {func(b *mountNode) {
			b.stage()
			b.api()
			b.inv.Pods = append(b.inv.Pods, inventory.Pod{UID: goneUID, Phase: "Succeeded", EndedAt: b.Node.Now - 3600, Volumes: []inventory.Volume{{Name: "data", PersistentVolume: pv}}})
		}, []string{"d-bp1 leaked 1/1 unused"}},
		"device gone": {func(b *mountNode) { d := b.stage(); d.Gone, d.SizeBytes, d.FSErrors = true, nil, nil; b.api() },
			[]string{"d-bp1 leaked 1/1 device-gone unused"}},
		"device of size 0": {func(b *mountNode) { *b.stage().SizeBytes = 0; b.api() },
			[]string{"d-bp1 leaked 1/1 device-empty unused"}},
		"filesystem errors": {func(b *mountNode) { *b.stage().FSErrors = 9; b.api() },
			[]string{"d-bp1 leaked 1/1 device-errors unused"}},
		"errors in the kernel's log": {func(b *mountNode) { b.stage().LogErrors = 9; b.api() },
			[]string{"d-bp1 leaked 1/1 device-errors unused"}},
		"staged by hash for nobody": {func(b *mountNode) {
			b.api()
			b.mount("253:80", "ext4", "/dev/vdf", "", kubelet+"/plugins/kubernetes.io/csi/"+driver+"/"+hashOf("d-1")+"/globalmount")
		}, []string{"d-bp1 leaked 1/1 unused"}},
		"staged by hash, PV gone": {func(b *mountNode) {
			dir := "/plugins/kubernetes.io/csi/" + driver + "/" + hashOf("d-1")
			b.wrote(dir)
			b.mount("253:80", "ext4", "/dev/vdf", "", kubelet+dir+"/globalmount")
		}, []string{"d-bp1 leaked 1/1 pv-gone not-attached unused"}},
		"in-tree staging": {func(b *mountNode) {
			b.mount("253:80", "ext4", "/dev/vdf", "", kubelet+"/plugins/kubernetes.io/aws-ebs/mounts/aws/eu-1a/vol-1")
		}, []string{"vol-1 leaked 1/1 unused"}},
		"flexvolume staging": {func(b *mountNode) {
			b.mount("253:80", "ext4", "/dev/vdf", "", kubelet+"/plugins/kubernetes.io/flexvolume/alicloud/disk/mounts/d-9")
		}, []string{"d-9 leaked 1/1 unused"}},
		"local volume, PV gone": {func(b *mountNode) {
			b.mount("253:80", "ext4", "/dev/vdf", "", kubelet+"/plugins/kubernetes.io/local-volume/mounts/local-1")
		}, []string{"local-1 leaked 1/1 pv-gone unused"}},
		"block volume for nobody": {func(b *mountNode) {
			b.mount("0:5", "devtmpfs", "devtmpfs", "/vdg", kubelet+"/plugins/kubernetes.io/csi/volumeDevices/publish/blk-1/"+goneUID)
			b.mount("0:5", "devtmpfs", "devtmpfs", "/vdh", kubelet+"/plugins/kubernetes.io/csi/volumeDevices/staging/blk-2/x")
			*b.disk("253:96", "vdg").SizeBytes = 0
		}, []string{"blk-1 leaked 1/1 pv-gone pod-gone device-empty", "blk-2 leaked 1/1 pv-gone unused"}},
		"block volume of a driver with a directory in /dev": {func(b *mountNode) {
			b.mount("0:5", "devtmpfs", "devtmpfs", "/pxd/pxd1", kubelet+"/plugins/kubernetes.io/csi/volumeDevices/publish/blk-1/"+goneUID)
			*b.disk("252:1", "pxd/pxd1").SizeBytes = 0
			b.disk("252:2", "pxd1")
		}, []string{"blk-1 leaked 1/1 pv-gone pod-gone device-empty"}},
		"block volume whose device node was removed": {func(b *mountNode) {
			b.mount("0:5", "devtmpfs", "devtmpfs", "/vdg//deleted", dirOfPod(goneUID)+"/volumeDevices/kubernetes.io~csi/blk-1")
		}, []string{"blk-1 leaked 1/1 pv-gone pod-gone device-gone"}},
		"NFS of which one export's pod is gone": {func(b *mountNode) {
			b.mount("0:70", "nfs4", "s:/", "/a", dirOfPod(uid)+"/volumes/kubernetes.io~nfs/nfs-a")
			b.mount("0:70", "nfs4", "s:/", "/b", dirOfPod(goneUID)+"/volumes/kubernetes.io~nfs/nfs-b")
		}, []string{"nfs-b leaked 1/1 pod-gone"}},
		"under the kubelet's own --root-dir": {func(b *mountNode) {
			b.Kubelet = &report.Kubelet{PID: 9, RootDir: "/data/kubelet"}
			b.mount("0:61", "tmpfs", "tmpfs", "", "/data/kubelet/pods/"+goneUID+"/volumes/kubernetes.io~secret/s")
		}, []string{"s leaked 1/1 pod-gone"}},
		"kubelet's directory under two names": {func(b *mountNode) {
			b.mount("253:17", "xfs", "/dev/vdb1", "/kubelet", kubelet)
			b.stage()
			b.mount("253:80", "ext4", "/dev/vdf", "", strings.Replace(staging, kubelet, "/data/kubelet", 1))
		}, []string{"d-bp1 leaked 2/2 pv-gone unused"}},
		"kubelet's directory is a symbolic link": {func(b *mountNode) {
			b.mount("0:61", "tmpfs", "tmpfs", "", "/data/k/pods/"+uid+"/volumes/kubernetes.io~secret/live")
			b.mount("0:62", "tmpfs", "tmpfs", "", "/data/k/pods/"+goneUID+"/volumes/kubernetes.io~secret/s")
		}, []string{"s leaked 1/1 pod-gone"}},
		"somebody mounted the device elsewhere too": {func(b *mountNode) { b.stage(); b.mount("253:80", "ext4", "/dev/vdf", "", "/mnt/rescue") },
			[]string{"d-bp1 leaked 1/2 pv-gone unused"}},
		"below a container that is being removed": {func(b *mountNode) {
			b.stage()
			b.bind(uid)
			b.api()
			b.mount("253:80", "ext4", "/dev/vdf", "", b.dead("removing")+"/logxxx_host"+staging)
		}, []string{"root directory of container e4261544f8eb0 (logxxx of kube-system/logxxx-ds-hsbv9) leaked 2/2 container-dead", "d-bp1 live 1/3 container-dead"}},
		"container without process whose pod is gone": {func(b *mountNode) { b.dead("") },
			[]string{"root directory of container e4261544f8eb0 (logxxx of kube-system/logxxx-ds-hsbv9) leaked 2/2 container-dead"}},
		"layer of no container": {func(b *mountNode) {
			b.dead("dead")
			merged := "/var/lib/docker/overlay2/" + other + "/merged"
			b.mount("0:63", "overlay", "overlay", "", merged)
			b.mount("253:17", "xfs", "/dev/vdb1", "", merged+"/data")
		}, []string{"root directory of container e4261544f8eb0 (logxxx of kube-system/logxxx-ds-hsbv9) leaked 2/2 container-dead",
			"root directory of container " + ShortID(other) + " leaked 2/2 container-unknown"}},
		"docker with containerd's images: a container that it has forgotten": {func(b *mountNode) {
			const rootfs = "/var/lib/docker/rootfs/overlayfs/"
			b.Containers.List = append(b.Containers.List, report.Container{ID: deadID, Runtime: "docker", PodUID: uid, State: "running", Rootfs: rootfs + deadID})
			for _, id := range []string{deadID, other} {
				b.mount("0:6"+id[:1], "overlay", "overlay", "", rootfs+id)
				b.mount("253:17", "xfs", "/dev/vdb1", "", rootfs+id+"/data")
			}
			b.mount("253:17", "xfs", "/dev/vdb1", "", "/srv/rootfs/overlayfs/backup/data")
		}, []string{"root directory of container " + ShortID(other) + " leaked 2/2 container-unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMountNode()
			c.build(b)
			expect(t, b, c.want...)
		})
	}
}

func dropPoint(list []report.Mount, part string) []report.Mount {
	var kept []report.Mount
	for _, m := range list {
		if !strings.Contains(m.Point, part) {
			kept = append(kept, m)
		}
	}
	return kept
}
