package correlate

import (
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// staged is where the kubelet has the device of a volume mounted.
func staged(driver, handle string) string {
	return kubelet + "/plugins/kubernetes.io/csi/" + driver + "/" + hashOf(handle) + "/globalmount"
}

// claims has pod prod/hub-1 use PersistentVolumes by their claims.
func (b *mountNode) claims(list ...inventory.PersistentVolume) {
	for _, p := range list {
		b.inv.Pods[0].Volumes = append(b.inv.Pods[0].Volumes, inventory.Volume{Name: p.Name, Claim: p.Name, PersistentVolume: p.Name})
	}
	b.inv.Storage.PersistentVolumes = append(b.inv.Storage.PersistentVolumes, list...)
}

// More of what drivers do with volumes that pods use.
func TestLiveByMoreDrivers(t *testing.T) {
	of := func(uid, plugin, name string) string {
		return dirOfPod(uid) + "/volumes/kubernetes.io~" + plugin + "/" + name
	}
	for name, build := range map[string]func(*mountNode){
		"S3: the mount of a pod of the driver's own, bound": func(b *mountNode) {
			b.claims(inventory.PersistentVolume{Name: "s3-pv", Driver: "s3.csi.aws.com", Handle: "bucket"})
			b.mount("0:70", "fuse", "mountpoint-s3", "", kubelet+"/plugins/s3.csi.aws.com/mnt/mp-6xkqv")
			b.mount("0:70", "fuse", "mountpoint-s3", "", of(uid, "csi", "s3-pv/mount"))
		},
		"JuiceFS: the same, outside of the kubelet's directories": func(b *mountNode) {
			b.claims(inventory.PersistentVolume{Name: "jfs", Driver: "csi.juicefs.com", Handle: "jfs"})
			b.mount("0:71", "fuse.juicefs", "JuiceFS:vol", "", "/var/lib/juicefs/volume/jfs-abcdef")
			b.mount("0:71", "fuse.juicefs", "JuiceFS:vol", "/jfs", of(uid, "csi", "jfs/mount"))
		},
		"gcsfuse in a sidecar": func(b *mountNode) { b.mount("0:72", "fuse", "bucket", "", of(uid, "csi", "gcs-fuse/mount")) },
		"SMB: two shares' directories, one superblock": func(b *mountNode) {
			b.claims(inventory.PersistentVolume{Name: "smb-a", Driver: "smb.csi.k8s.io", Handle: "a"}, inventory.PersistentVolume{Name: "smb-b", Driver: "smb.csi.k8s.io", Handle: "b"})
			for _, v := range []string{"a", "b"} {
				b.mount("0:73", "cifs", "//filer/share", "", staged("smb.csi.k8s.io", v))
				b.mount("0:73", "cifs", "//filer/share", "/"+v, of(uid, "csi", "smb-"+v+"/mount"))
			}
		},
		"static PVs with one handle, staged once, no note": func(b *mountNode) {
			b.mount("0:74", "nfs4", "acct.file.core.windows.net:/acct/share", "", staged("file.csi.azure.com", "rg#acct#share"))
			for _, v := range []string{"in-ns-a", "in-ns-b", "in-ns-c"} {
				b.inv.Storage.PersistentVolumes = append(b.inv.Storage.PersistentVolumes, inventory.PersistentVolume{Name: v, Driver: "file.csi.azure.com", Handle: "rg#acct#share"})
			}
			b.mount("0:74", "nfs4", "acct.file.core.windows.net:/acct/share", "", of(uid, "csi", "in-ns-b/mount"))
		},
		"the same, and the pod has not mounted it yet": func(b *mountNode) {
			b.mount("0:74", "nfs4", "acct.file.core.windows.net:/acct/share", "", staged("file.csi.azure.com", "rg#acct#share"))
			b.claims(inventory.PersistentVolume{Name: "in-ns-a", Driver: "file.csi.azure.com", Handle: "rg#acct#share"})
			b.inv.Storage.PersistentVolumes = append(b.inv.Storage.PersistentVolumes, inventory.PersistentVolume{Name: "in-ns-b", Driver: "file.csi.azure.com", Handle: "rg#acct#share"})
		},
		"LVM-local: one volume, published for two pods": func(b *mountNode) {
			b.claims(inventory.PersistentVolume{Name: "lv", Driver: "local.csi.openebs.io", Handle: "lv"})
			b.mount("253:9", "ext4", "/dev/mapper/vg-lv", "", of(uid, "csi", "lv/mount"))
			b.mount("253:9", "ext4", "/dev/mapper/vg-lv", "", of(static, "csi", "lv/mount"))
		},
		"ZFS-local: a dataset, mounted by its own name": func(b *mountNode) {
			b.claims(inventory.PersistentVolume{Name: "pvc-z", Driver: "zfs.csi.openebs.io", Handle: "pvc-z"})
			b.mount("0:75", "zfs", "zfspv-pool/pvc-z", "", of(uid, "csi", "pvc-z/mount"))
		},
		"krbd with LUKS: the mapping is mounted, below globalmount": func(b *mountNode) {
			b.claims(inventory.PersistentVolume{Name: "rbd", Driver: "rook-ceph.rbd.csi.ceph.com", Handle: "0001-0009"})
			b.mount("253:11", "ext4", "/dev/mapper/luks-rbd-0001-0009", "", staged("rook-ceph.rbd.csi.ceph.com", "0001-0009")+"/0001-0009")
			b.mount("253:11", "ext4", "/dev/mapper/luks-rbd-0001-0009", "", of(uid, "csi", "rbd/mount"))
			b.disk("253:11", "dm-11").DMName = "luks-rbd-0001-0009"
			b.disk("251:0", "rbd0")
		},
		"rbd-nbd": func(b *mountNode) {
			b.claims(inventory.PersistentVolume{Name: "nbd", Driver: "rbd.csi.ceph.com", Handle: "1"})
			b.mount("43:32", "xfs", "/dev/nbd1", "", staged("rbd.csi.ceph.com", "1")+"/1")
			b.mount("43:32", "xfs", "/dev/nbd1", "", of(uid, "csi", "nbd/mount"))
		},
		"Longhorn without a filesystem: a node of its own making in /dev": func(b *mountNode) {
			b.claims(inventory.PersistentVolume{Name: "pvc-b", Driver: "driver.longhorn.io", Handle: "pvc-b"})
			const dir = kubelet + "/plugins/kubernetes.io/csi/volumeDevices/"
			b.mount("0:5", "devtmpfs", "devtmpfs", "/longhorn/pvc-b", dir+"staging/pvc-b/pvc-b")
			b.mount("0:5", "devtmpfs", "devtmpfs", "/longhorn/pvc-b", dir+"publish/pvc-b/"+uid)
			b.mount("0:5", "devtmpfs", "devtmpfs", "/longhorn/pvc-b", dir+"pvc-b/dev/"+uid)
		},
		"PowerFlex: a directory of the driver's first, then the pod's": func(b *mountNode) {
			b.claims(inventory.PersistentVolume{Name: "k8s-1", Driver: "csi-vxflexos.dellemc.com", Handle: "sys-1"})
			b.mount("252:32", "xfs", "/dev/scinib", "", kubelet+"/plugins/vxflexos.emc.dell.com/disks/sys-1")
			b.mount("252:32", "xfs", "/dev/scinib", "", of(uid, "csi", "k8s-1/mount"))
		},
		"KubeVirt: a disk that is plugged in, by another pod's claim": func(b *mountNode) {
			b.claims(inventory.PersistentVolume{Name: "hot", Driver: driver, Handle: "hot"})
			b.mount("259:9", "ext4", "/dev/nvme1n1", "", staged(driver, "hot"))
			b.mount("259:9", "ext4", "/dev/nvme1n1", "/disk.img", of(uid, "empty-dir", "hotplug-disks/hot.img"))
		},
		"SPIFFE: a directory of the node's /run": func(b *mountNode) {
			b.mount("0:25", "tmpfs", "tmpfs", "", "/run")
			b.mount("0:25", "tmpfs", "tmpfs", "/spire/agent-sockets", of(uid, "csi", "spiffe/mount"))
		},
		"secrets-store": func(b *mountNode) {
			b.mount("0:76", "tmpfs", "tmpfs", "", of(uid, "csi", "secrets-store-inline/mount"))
			d := b.wrote("/pods/" + uid + "/volumes/kubernetes.io~csi/secrets-store-inline")
			d.Driver, d.VolumeHandle, d.SpecVolID, d.Lifecycle, d.AttachmentID = "secrets-store.csi.k8s.io", "csi-0a", "secrets-store-inline", "Ephemeral", ""
		},
		"Lustre, GPFS, GlusterFS, CephFS by FUSE": func(b *mountNode) {
			b.mount("0:77", "lustre", "10.0.0.1@tcp:/fsx", "", of(uid, "csi", "fsx/mount"))
			b.mount("0:78", "gpfs", "fs1", "", "/ibm/fs1")
			b.mount("0:78", "gpfs", "fs1", "/pvc-g", of(uid, "csi", "pvc-g/mount"))
			b.mount("0:79", "fuse.glusterfs", "10.0.0.1:vol", "", of(uid, "glusterfs", "gl"))
			b.mount("0:80", "fuse.ceph-fuse", "ceph-fuse", "", staged("cephfs.csi.ceph.com", "c"))
			b.mount("0:80", "fuse.ceph-fuse", "ceph-fuse", "", of(uid, "csi", "cfs/mount"))
			b.claims(inventory.PersistentVolume{Name: "cfs", Driver: "cephfs.csi.ceph.com", Handle: "c"})
		},
		"an image as a volume": func(b *mountNode) {
			b.mount("0:82", "overlay", "overlay", "", "/run/containerd/io.containerd.grpc.v1.cri/image-volumes/"+other+"/0a")
		},
		"a subPath's directory that was removed": func(b *mountNode) {
			b.mount("253:1", "ext4", "/dev/vda1", "/var/lib/kubelet/pods/"+uid+"/volumes/kubernetes.io~configmap/c/..2026/x//deleted", dirOfPod(uid)+"/volume-subpaths/c/app/0")
		},
		"a disk whose node in /dev was made anew": func(b *mountNode) {
			b.api()
			b.mount("0:5", "devtmpfs", "devtmpfs", "/vdf//deleted", kubelet+"/plugins/kubernetes.io/csi/volumeDevices/publish/"+pv+"/"+uid)
		},
		"huge pages": func(b *mountNode) { b.mount("0:83", "hugetlbfs", "nodev", "", of(uid, "empty-dir", "hugepage")) },
		"mounted within a volume, by its container": func(b *mountNode) { b.mount("0:84", "fuse.sshfs", "sshfs", "", of(uid, "empty-dir", "shared/remote")) },
		"buildah on a node of cri-o's": func(b *mountNode) {
			const storage = "/var/lib/containers/storage/overlay/"
			b.Containers.List = append(b.Containers.List, report.Container{ID: deadID, Runtime: "cri-o", PodUID: uid, Rootfs: storage + "x/merged"})
			b.mount("0:63", "overlay", "overlay", "", storage+other+"/merged")
			b.mount("0:64", "tmpfs", "shm", "", "/var/lib/containers/storage/overlay-containers/"+other+"/userdata/shm")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMountNode()
			build(b)
			expect(t, b)
		})
	}
}
