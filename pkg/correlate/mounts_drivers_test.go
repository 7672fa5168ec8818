package correlate

import (
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// Drivers, runtimes and distributions mount in ways of their own.
func TestLiveByEveryDriver(t *testing.T) {
	v := func(name string) string { return dirOfPod(uid) + "/volumes/" + name }
	pvs := func(b *mountNode, list ...inventory.PersistentVolume) {
		b.inv.Storage.PersistentVolumes = list
		for _, p := range list {
			b.inv.Pods[0].Volumes = append(b.inv.Pods[0].Volumes, inventory.Volume{Name: p.Name, Claim: p.Name, PersistentVolume: p.Name})
		}
	}
	for name, build := range map[string]func(*mountNode){
		"EFS: all mounts have one source": func(b *mountNode) {
			pvs(b, inventory.PersistentVolume{Name: "efs-1", Driver: "efs.csi.aws.com", Handle: "fs-1"}, inventory.PersistentVolume{Name: "efs-2", Driver: "efs.csi.aws.com", Handle: "fs-1::fsap"})
			b.mount("0:70", "nfs4", "127.0.0.1:/", "", v("kubernetes.io~csi/efs-1/mount"))
			b.mount("0:70", "nfs4", "127.0.0.1:/", "/x", v("kubernetes.io~csi/efs-2/mount"))
		},
		"blobfuse, whose notes could not be read": func(b *mountNode) {
			pvs(b, inventory.PersistentVolume{Name: "blob", Driver: "blob.csi.azure.com", Handle: "h"})
			b.mount("0:71", "fuse", "blobfuse", "", kubelet+"/plugins/kubernetes.io/csi/blob.csi.azure.com/"+hashOf("h")+"/globalmount")
			b.mount("0:71", "fuse", "blobfuse", "", v("kubernetes.io~csi/blob/mount"))
		},
		"Portworx mounts in a directory of its own, too": func(b *mountNode) {
			pvs(b, inventory.PersistentVolume{Name: "px", Driver: "kubernetes.io/portworx-volume"})
			b.mount("252:9", "ext4", "/dev/pxd/pxd123", "", "/var/lib/osd/mounts/px")
			b.mount("252:9", "ext4", "/dev/pxd/pxd123", "", v("kubernetes.io~portworx-volume/px"))
		},
		"Longhorn shares by NFS": func(b *mountNode) {
			pvs(b, inventory.PersistentVolume{Name: "pvc-l", Driver: "driver.longhorn.io", Handle: "pvc-l"})
			b.mount("0:72", "nfs4", "10.43.1.1:/pvc-l", "", kubelet+"/plugins/kubernetes.io/csi/driver.longhorn.io/"+hashOf("pvc-l")+"/globalmount")
			b.mount("0:72", "nfs4", "10.43.1.1:/pvc-l", "", v("kubernetes.io~csi/pvc-l/mount"))
		},
		"local-path provisioner: subPath on the node's disk": func(b *mountNode) {
			b.mount("253:1", "ext4", "/dev/vda1", "/opt/local-path-provisioner/pvc-1/data", dirOfPod(uid)+"/volume-subpaths/pvc-1/app/0")
		},
		"local disks, with and without a filesystem": func(b *mountNode) {
			pvs(b, inventory.PersistentVolume{Name: "disk", Driver: "kubernetes.io/local-volume"}, inventory.PersistentVolume{Name: "raw", Driver: "kubernetes.io/local-volume"})
			b.mount("8:48", "ext4", "/dev/sdd", "", kubelet+"/plugins/kubernetes.io~local-volume/mounts/disk")
			b.mount("8:48", "ext4", "/dev/sdd", "", v("kubernetes.io~local-volume/disk"))
			b.mount("0:5", "devtmpfs", "devtmpfs", "/sde", kubelet+"/plugins/kubernetes.io~local-volume/volumeDevices/raw/"+uid)
		},
		"iSCSI in-tree: staging is named after the portal": func(b *mountNode) {
			pvs(b, inventory.PersistentVolume{Name: "isc", Driver: "kubernetes.io/iscsi"})
			b.mount("8:48", "ext4", "/dev/sdd", "", kubelet+"/plugins/kubernetes.io/iscsi/iface-default/10.0.0.1:3260-iqn.2001-04.com.example:storage-lun-0")
			b.mount("8:48", "ext4", "/dev/sdd", "", v("kubernetes.io~iscsi/isc"))
		},
		"Azure disk in-tree: staging is named after a hash": func(b *mountNode) {
			pvs(b, inventory.PersistentVolume{Name: "az", Driver: "kubernetes.io/azure-disk", Handle: "/subscriptions/x/disks/d"})
			b.mount("8:48", "ext4", "/dev/sdd", "", kubelet+"/plugins/kubernetes.io/azure-disk/mounts/m123")
			b.mount("8:48", "ext4", "/dev/sdd", "", v("kubernetes.io~azure-disk/az"))
		},
		"PV of an in-tree plugin, mounted by its CSI driver": func(b *mountNode) {
			pvs(b, inventory.PersistentVolume{Name: "mig", Driver: "kubernetes.io/aws-ebs", Handle: "aws://z/vol-1"})
			b.inv.Storage.Drivers = append(b.inv.Storage.Drivers, inventory.Driver{Name: "ebs.csi.aws.com", Attaches: true})
			dir := "/plugins/kubernetes.io/csi/ebs.csi.aws.com/" + hashOf("vol-1")
			d := b.wrote(dir)
			d.Driver, d.VolumeHandle, d.SpecVolID = "ebs.csi.aws.com", "vol-1", "mig"
			b.mount("259:4", "ext4", "/dev/nvme1n1", "", kubelet+dir+"/globalmount")
		},
		"DirectPV: many volumes on one disk of the node": func(b *mountNode) {
			pvs(b, inventory.PersistentVolume{Name: "dp", Driver: "directpv-min-io", Handle: "dp"})
			b.mount("8:64", "xfs", "/dev/sde", "", "/var/lib/directpv/mnt/u")
			b.mount("8:64", "xfs", "/dev/sde", "/.FSUUID/dp", kubelet+"/plugins/kubernetes.io/csi/directpv-min-io/"+hashOf("dp")+"/globalmount")
			b.mount("8:64", "xfs", "/dev/sde", "/.FSUUID/dp", v("kubernetes.io~csi/dp/mount"))
		},
		"Kata shares volumes with its machine": func(b *mountNode) {
			b.stage()
			b.bind(uid)
			b.api()
			b.mount("253:80", "ext4", "/dev/vdf", "", "/run/kata-containers/shared/sandboxes/"+other+"/mounts/"+other+"-abc-data")
			b.mount("0:90", "overlay", "overlay", "", "/run/kata-containers/shared/sandboxes/"+other+"/shared/"+other+"/rootfs")
		},
		"docker's devicemapper: a layer is a disk": func(b *mountNode) {
			b.mount("253:60", "xfs", "/dev/mapper/docker-253:0-1-aa", "", "/var/lib/docker/devicemapper/mnt/"+layer)
		},
		"Bottlerocket: /var is a bind mount of /local/var": func(b *mountNode) {
			b.mount("259:9", "xfs", "/dev/nvme1n1p1", "", "/local")
			b.mount("259:9", "xfs", "/dev/nvme1n1p1", "/var", "/var")
			b.stage()
			b.bind(uid)
			b.api()
			b.mount("253:80", "ext4", "/dev/vdf", "", "/local"+staging)
		},
		"CephFS of Rook: staged without a disk": func(b *mountNode) {
			b.mount("253:1", "ext4", "/dev/vda1", "/var/lib/rook/x", "/var/lib/rook/x")
			b.mount("0:91", "ceph", "1.2.3.4:6789:/volumes", "/csi/v1", kubelet+"/plugins/kubernetes.io/csi/rook-ceph.cephfs.csi.ceph.com/"+hashOf("c1")+"/globalmount")
			b.mount("0:91", "ceph", "1.2.3.4:6789:/volumes", "/csi/v1", v("kubernetes.io~csi/cfs/mount"))
			pvs(b, inventory.PersistentVolume{Name: "cfs", Driver: "rook-ceph.cephfs.csi.ceph.com", Handle: "c1"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMountNode()
			build(b)
			expect(t, b)
		})
	}
}
