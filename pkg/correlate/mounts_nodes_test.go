package correlate

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Distributions lay out their disks, and the kubelet's directory, in ways of
// their own. Nothing there is leaked but what no pod needs any more.
func TestLayoutsOfDistributions(t *testing.T) {
	for name, c := range map[string]struct {
		dir   string // --root-dir
		build func(b *mountNode)
	}{
		"RHCOS: /var lies in the deployment's directory of the root disk": {kubelet, func(b *mountNode) {
			b.mount("253:1", "xfs", "/dev/vda4", "/ostree/deploy/rhcos/deploy/0a.0", "/")
			b.mount("253:1", "xfs", "/dev/vda4", "", "/sysroot")
			b.mount("253:1", "xfs", "/dev/vda4", "/ostree/deploy/rhcos/deploy/0a.0/etc", "/etc")
			b.mount("253:1", "xfs", "/dev/vda4", "/ostree/deploy/rhcos/var", "/var")
			b.mount("253:1", "xfs", "/dev/vda4", "/ostree/deploy/rhcos/var/lib/kubelet/pods/"+uid+"/volumes/kubernetes.io~configmap/c", dirOfPod(uid)+"/volume-subpaths/c/app/0")
		}},
		"composefs: the root is an overlay, and /var of the disk": {kubelet, func(b *mountNode) {
			b.mount("0:34", "overlay", "composefs", "", "/")
			b.mount("253:1", "ext4", "/dev/vda4", "/ostree/deploy/fedora-coreos/var", "/var")
		}},
		"EKS on instance stores: directories of an array are bound to the kubelet's": {kubelet, func(b *mountNode) {
			b.mount("9:127", "xfs", "/dev/md127", "", "/mnt/k8s-disks/0")
			b.mount("9:127", "xfs", "/dev/md127", "/kubelet", kubelet)
			b.mount("9:127", "xfs", "/dev/md127", "/containerd", "/var/lib/containerd")
			b.mount("9:127", "xfs", "/dev/md127", "/kubelet/pods/"+uid+"/volumes/kubernetes.io~empty-dir/e", dirOfPod(uid)+"/volume-subpaths/e/app/0")
		}},
		"Talos: a partition for all that lasts": {kubelet, func(b *mountNode) {
			b.mount("7:1", "squashfs", "/dev/loop1", "", "/")
			b.mount("253:6", "xfs", "/dev/vda6", "", "/var")
			b.mount("253:6", "xfs", "/dev/vda6", "/lib/kubelet", kubelet)
			b.mount("0:60", "overlay", "overlay", "", "/run/containerd/io.containerd.runtime.v2.task/system/kubelet/rootfs")
		}},
		"minikube: the root is in memory": {kubelet, func(b *mountNode) {
			b.mount("0:2", "tmpfs", "tmpfs", "", "/")
			b.mount("253:1", "ext4", "/dev/vda1", "", "/mnt/vda1")
			b.mount("253:1", "ext4", "/dev/vda1", "/var/lib/kubelet", kubelet)
		}},
		"kind: a container's overlay, and a volume of docker's": {kubelet, func(b *mountNode) {
			b.mount("0:90", "overlay", "overlay", "", "/")
			b.mount("253:1", "ext4", "/dev/vda1", "/docker/volumes/0a/_data", "/var")
			b.mount("253:1", "ext4", "/dev/vda1", "/docker/containers/0a/hosts", "/etc/hosts")
		}},
		"a ZFS of its own for the kubelet": {kubelet, func(b *mountNode) {
			b.mount("0:41", "zfs", "rpool/ROOT/nixos", "", "/")
			b.mount("0:42", "zfs", "rpool/kubelet", "", kubelet)
			b.mount("0:42", "zfs", "rpool/kubelet", "/pods/"+uid+"/volumes/kubernetes.io~empty-dir/e", dirOfPod(uid)+"/volume-subpaths/e/app/0")
		}},
		"btrfs: subvolumes of one disk": {kubelet, func(b *mountNode) {
			b.mount("0:31", "btrfs", "/dev/vda2", "/@", "/")
			b.mount("0:31", "btrfs", "/dev/vda2", "/@var", "/var")
			b.mount("0:31", "btrfs", "/dev/vda2", "/@var/lib/kubelet/pods/"+uid+"/volumes/kubernetes.io~empty-dir/e", dirOfPod(uid)+"/volume-subpaths/e/app/0")
		}},
		"MicroK8s": {"/var/snap/microk8s/common/var/lib/kubelet", func(b *mountNode) {
			b.mount("7:3", "squashfs", "/dev/loop3", "", "/snap/microk8s/1")
			b.mount("0:70", "tmpfs", "tmpfs", "", "/run/snapd/ns")
			b.mount("0:4", "nsfs", "nsfs", "mnt:[4026532512]", "/run/snapd/ns/lxd.mnt")
		}},
		"k0s":                            {"/var/lib/k0s/kubelet", func(*mountNode) {}},
		"IKS: another disk, and no link": {"/var/data/kubelet", func(b *mountNode) { b.mount("253:33", "ext4", "/dev/vdc", "", "/var/data") }},
		"a driver's pod that mounts the kubelet's directories upon themselves, each time it starts": {kubelet, func(b *mountNode) {
			for _, dir := range []string{"/pods", "/pods", "/pods", "/plugins", "/plugins/kubernetes.io", "/plugins/kubernetes.io/csi", "/plugins/kubernetes.io/csi/volumeDevices", "/plugins/d.example", "/plugins_registry"} {
				b.mount("253:1", "ext4", "/dev/vda1", kubelet+dir, kubelet+dir)
			}
		}},
		"network namespaces, binfmt, home directories by automount": {kubelet, func(b *mountNode) {
			b.mount("0:4", "nsfs", "nsfs", "net:[4026532513]", "/run/netns/cni-1")
			b.mount("0:29", "autofs", "systemd-1", "", "/proc/sys/fs/binfmt_misc")
			b.mount("0:80", "autofs", "/etc/auto.home", "", "/home")
			b.mount("0:81", "nfs4", "filer:/home/u", "", "/home/u")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMountNode()
			b.Kubelet = &report.Kubelet{PID: 40, RootDir: c.dir}
			for i := range b.Mounts.List {
				if rest, ok := strings.CutPrefix(b.Mounts.List[i].Point, kubelet); ok {
					b.Mounts.List[i].Point = c.dir + rest
				}
			}
			c.build(b)
			at := c.dir + "/plugins/kubernetes.io/csi/" + driver + "/" + hashOf("d-1") + "/globalmount"
			b.mount("259:300", "ext4", "/dev/nvme1n1", "", at)
			b.mount("259:300", "ext4", "/dev/nvme1n1", "", c.dir+"/pods/"+uid+"/volumes/kubernetes.io~csi/"+pv+"/mount")
			b.mount("259:301", "ext4", "/dev/nvme2n1", "", c.dir+"/plugins/kubernetes.io/csi/"+driver+"/"+hashOf("d-2")+"/globalmount")
			b.mount("0:99", "tmpfs", "tmpfs", "", c.dir+"/pods/"+goneUID+"/volumes/kubernetes.io~secret/s")
			b.inv.Storage.PersistentVolumes = []inventory.PersistentVolume{{Name: pv, Driver: driver, Handle: "d-1"}, {Name: "d-bp2", Driver: driver, Handle: "d-2"}}
			expect(t, b, "d-bp2 leaked 1/1 not-attached unused", "s leaked 1/1 pod-gone")
		})
	}
}
