package correlate

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func TestLiveHoweverOdd(t *testing.T) {
	for name, build := range map[string]func(*mountNode){
		"nothing but a healthy node": func(*mountNode) {},
		"a volume and its pod":       func(b *mountNode) { b.stage(); b.bind(uid); b.api(); b.uses() },
		"staged, and the pod has not mounted it yet": func(b *mountNode) {
			b.stage()
			b.api()
			b.uses()
		},
		"shared by two pods of the node": func(b *mountNode) {
			b.stage()
			b.bind(uid)
			b.bind(static)
			b.api()
		},
		"static PV: two names of one disk, and the note has the other": func(b *mountNode) {
			dir := "/plugins/kubernetes.io/csi/" + driver + "/" + hashOf("d-1")
			b.mount("253:80", "ext4", "/dev/vdf", "", kubelet+dir+"/globalmount")
			b.wrote(dir)
			b.inv.Storage.PersistentVolumes = []inventory.PersistentVolume{{Name: "other-name", Driver: driver, Handle: "d-1"}}
			b.inv.Storage.Attachments = []inventory.Attachment{{Name: "csi-9", Node: "node-1", Volume: "other-name"}}
			b.inv.Pods[0].Volumes = []inventory.Volume{{Name: "v", PersistentVolume: "other-name"}}
		},
		"inline ephemeral CSI": func(b *mountNode) {
			b.mount("0:70", "tmpfs", "tmpfs", "", dirOfPod(uid)+"/volumes/kubernetes.io~csi/inline/mount")
			v := b.wrote("/pods/" + uid + "/volumes/kubernetes.io~csi/inline")
			v.Lifecycle, v.SpecVolID, v.VolumeHandle, v.AttachmentID = "Ephemeral", "inline", "csi-0123", ""
		},
		"published without staging (LVM)": func(b *mountNode) {
			b.mount("252:3", "xfs", "/dev/mapper/lv", "", dirOfPod(uid)+"/volumes/kubernetes.io~csi/"+pv+"/mount")
			b.wrote("/pods/" + uid + "/volumes/kubernetes.io~csi/" + pv)
		},
		"subPath": func(b *mountNode) {
			b.stage()
			b.bind(uid)
			b.api()
			b.mount("253:80", "ext4", "/dev/vdf", "/mysql", dirOfPod(uid)+"/volume-subpaths/"+pv+"/app/0")
		},
		"subPath of a configMap on the node's disk": func(b *mountNode) {
			b.mount("253:1", "ext4", "/dev/vda1", "/var/lib/kubelet/pods/x", dirOfPod(uid)+"/volume-subpaths/config/app/0")
		},
		"local PV on a disk that the node has mounted": func(b *mountNode) {
			b.mount("253:17", "xfs", "/dev/vdb1", "/disk1", dirOfPod(uid)+"/volumes/kubernetes.io~local-volume/local-1")
		},
		"Terminating within its grace": func(b *mountNode) {
			b.stage()
			b.bind(uid)
			b.api()
			b.inv.Pods[0].Deleting, b.inv.Pods[0].DeleteBy = true, b.Node.Now+30
		},
		"Terminating, its grace just over": func(b *mountNode) {
			b.stage()
			b.bind(uid)
			b.api()
			b.inv.Pods[0].Deleting, b.inv.Pods[0].DeleteBy = true, b.Node.Now-500
		},
		"Terminating for hours on a node that was cut off, and its processes run": func(b *mountNode) {
			b.stage()
			b.bind(uid)
			b.api()
			b.inv.Pods[0].Deleting, b.inv.Pods[0].DeleteBy = true, b.Node.Now-3600
		},
		"deleted from the API by force, and its processes run": func(b *mountNode) {
			b.stage()
			b.bind(uid)
			b.api()
			b.inv.Pods = b.inv.Pods[1:]
		},
		"Kata: deleted by force, its machine is in the pod's own cgroup": func(b *mountNode) {
			b.mount("0:61", "tmpfs", "tmpfs", "", dirOfPod(goneUID)+"/volumes/kubernetes.io~secret/s")
			b.Processes.Cgroups = append(b.Processes.Cgroups, report.Cgroup{Entries: []report.CgroupEntry{{Path: "/kubepods/burstable/pod" + goneUID + "/kata_overhead"}}})
			b.Processes.List = append(b.Processes.List, report.Process{PID: 77, PPID: 1, Comm: "qemu-system-x86", State: "S", Cgroup: len(b.Processes.Cgroups) - 1})
		},
		"cri-o: the root directory of a container that ended, its pod gone": func(b *mountNode) {
			root := "/var/lib/containers/storage/overlay/" + layer + "/merged"
			b.Containers.List = append(b.Containers.List, report.Container{ID: deadID, Runtime: "cri-o", PodUID: goneUID, Rootfs: root})
			b.mount("0:63", "overlay", "overlay", "", root)
		},
		"pod completed a moment ago, its directory already unmounted": func(b *mountNode) {
			b.stage()
			b.api()
			b.inv.Pods = append(b.inv.Pods, inventory.Pod{UID: goneUID, Phase: "Succeeded", EndedAt: b.Node.Now - 5, Volumes: []inventory.Volume{{Name: "data", PersistentVolume: pv}}})
		},
		"pod has completed": func(b *mountNode) {
			b.stage()
			b.bind(goneUID)
			b.api()
			b.inv.Pods = append(b.inv.Pods, inventory.Pod{Namespace: "prod", Name: "job-1", UID: goneUID, Phase: "Succeeded"})
		},
		"pod was deleted while the report was made": func(b *mountNode) {
			b.stage()
			b.bind(goneUID)
			b.api()
			b.inv.Departed = []inventory.Pod{{Namespace: "prod", Name: "job-1", UID: goneUID}}
		},
		"pod was deleted meanwhile, and its directory already gone": func(b *mountNode) {
			b.stage()
			b.api()
			b.inv.Departed = []inventory.Pod{{Namespace: "prod", Name: "job-1", UID: goneUID, Volumes: []inventory.Volume{{Name: "data", PersistentVolume: pv}}}}
		},
		"staged a minute ago": func(b *mountNode) {
			d := b.stage()
			b.api()
			d.ThreadsSince = uint64(4950 * b.Node.ClockTicks)
			b.Mounts.VolumeData[0].Written = b.Node.Now - 50
		},
		"static pod without a mirror runs": func(b *mountNode) {
			b.inv.Pods = b.inv.Pods[:1]
			b.mount("0:61", "tmpfs", "tmpfs", "", dirOfPod(static)+"/volumes/kubernetes.io~empty-dir/memory")
		},
		"multi-path": func(b *mountNode) {
			b.mount("252:5", "ext4", "/dev/mapper/mpatha", "", staging)
			b.mount("252:5", "ext4", "/dev/mapper/mpatha", "", dirOfPod(uid)+"/volumes/kubernetes.io~csi/"+pv+"/mount")
			b.disk("252:5", "dm-5").DMName = "mpatha"
			b.disk("8:16", "sdb").State = "offline"
			b.api()
		},
		"in-tree, whose staging has another name than the PV": func(b *mountNode) {
			b.mount("253:80", "ext4", "/dev/vdf", "", kubelet+"/plugins/kubernetes.io/aws-ebs/mounts/aws/eu-1a/vol-1")
			b.mount("253:80", "ext4", "/dev/vdf", "", dirOfPod(uid)+"/volumes/kubernetes.io~aws-ebs/pvc-1")
		},
		"in-tree, not in the pod yet": func(b *mountNode) {
			b.mount("253:80", "ext4", "/dev/vdf", "", kubelet+"/plugins/kubernetes.io/aws-ebs/mounts/aws/eu-1a/vol-1")
			b.inv.Storage.PersistentVolumes = []inventory.PersistentVolume{{Name: pv, Driver: "kubernetes.io/aws-ebs", Handle: "aws://eu-1a/vol-1"}}
			b.uses()
		},
		"NFS, one PV in two pods": func(b *mountNode) {
			b.inv.Storage.PersistentVolumes = []inventory.PersistentVolume{{Name: "nfs-a", Driver: "kubernetes.io/nfs"}}
			b.mount("0:70", "nfs4", "s:/", "/a", dirOfPod(uid)+"/volumes/kubernetes.io~nfs/nfs-a")
			b.mount("0:70", "nfs4", "s:/", "/a", dirOfPod(static)+"/volumes/kubernetes.io~nfs/nfs-a")
		},
		"btrfs, whose device number is no device's": func(b *mountNode) {
			b.mount("0:71", "btrfs", "/dev/vdf", "", staging)
			b.mount("0:71", "btrfs", "/dev/vdf", "/@data", dirOfPod(uid)+"/volumes/kubernetes.io~csi/"+pv+"/mount")
			b.api()
		},
		"block volume": func(b *mountNode) {
			b.api()
			b.raw(uid)
		},
		"all under two names": func(b *mountNode) {
			b.mount("253:17", "xfs", "/dev/vdb1", "/kubelet", kubelet)
			b.stage()
			b.bind(uid)
			b.api()
			for _, m := range b.Mounts.List {
				if rest, ok := strings.CutPrefix(m.Point, kubelet+"/"); ok {
					m.Point = "/data/kubelet/" + rest
					b.Mounts.List = append(b.Mounts.List, m)
				}
			}
		},
		"a device with errors in use":   func(b *mountNode) { d := b.stage(); *d.FSErrors, d.LogErrors = 3, 9; b.bind(uid); b.api() },
		"a device that is gone, in use": func(b *mountNode) { b.stage().Gone = true; b.bind(uid); b.api() },
		"PV deleted by force, in use":   func(b *mountNode) { b.stage(); b.bind(uid) },
		"a driver's own directory":      func(b *mountNode) { b.mount("0:72", "fuse.s3", "s3", "", kubelet+"/plugins/s3.csi.aws.com/mnt/abc") },
		"a disk for the kubelet":        func(b *mountNode) { b.mount("253:40", "xfs", "/dev/vdc", "", kubelet) },
		"a disk for the pods":           func(b *mountNode) { b.mount("253:40", "xfs", "/dev/vdc", "", kubelet+"/pods") },
		"a node that runs in a pod, with a kubelet of its own": func(b *mountNode) {
			dir := dirOfPod(uid) + "/volumes/kubernetes.io~empty-dir/var/lib/kubelet/pods/" + goneUID + "/volumes/kubernetes.io~csi/"
			b.mount("0:61", "tmpfs", "tmpfs", "", dir+"x/mount")
			b.Mounts.VolumeData = append(b.Mounts.VolumeData, report.VolumeData{Dir: dir + "x", SpecVolID: "x"})
		},
		"COS: the kubelet's directory once more for its mounter": func(b *mountNode) {
			b.mount("253:1", "ext4", "/dev/vda1", kubelet, kubelet)
			b.mount("253:1", "ext4", "/dev/vda1", kubelet, "/home/kubernetes/containerized_mounter/rootfs"+kubelet)
			b.stage()
			b.bind(uid)
			b.api()
			b.mount("253:80", "ext4", "/dev/vdf", "", "/home/kubernetes/containerized_mounter/rootfs"+staging)
		},
		"vSphere: a disk's name with spaces and brackets": func(b *mountNode) {
			b.mount("253:80", "ext4", "/dev/vdf", "", kubelet+"/plugins/kubernetes.io/vsphere-volume/mounts/[store 1] kubevols/pvc-1.vmdk")
			b.inv.Storage.PersistentVolumes = []inventory.PersistentVolume{{Name: pv, Driver: "kubernetes.io/vsphere-volume", Handle: "[store 1] kubevols/pvc-1.vmdk"}}
			b.uses()
		},
		"ceph-csi, which mounts below globalmount": func(b *mountNode) {
			dir := "/plugins/kubernetes.io/csi/" + driver + "/" + hashOf("d-1")
			b.mount("252:0", "ext4", "/dev/rbd0", "", kubelet+dir+"/globalmount/0001-0009-rook-ceph")
			b.api()
			b.wrote(dir)
			b.uses()
		},
		"a user's directory looks alike": func(b *mountNode) { b.mount("8:1", "ext4", "/dev/sda1", "", "/home/u"+staging) },
		"and a pod's": func(b *mountNode) {
			b.mount("8:1", "ext4", "/dev/sda1", "", "/home/u/pods/"+goneUID+"/volumes/kubernetes.io~csi/x/mount")
		},
		"a user's directory named merged": func(b *mountNode) { b.mount("8:1", "ext4", "/dev/sda1", "", "/home/u/overlay2/x/merged/data") },
		"a stick in the node": func(b *mountNode) {
			b.mount("8:1", "vfat", "/dev/sda1", "", "/mnt/stick")
			b.disk("8:1", "sda1").Gone = true
		},
		"a container that restarts": func(b *mountNode) {
			b.Containers.List = append(b.Containers.List, report.Container{ID: other, PodUID: uid})
			b.mount("0:63", "overlay", "overlay", "", "/run/containerd/io.containerd.runtime.v2.task/k8s.io/"+other+"/rootfs")
		},
		"docker's exited container, of a pod that is there": func(b *mountNode) {
			b.dead("exited")
			b.inv.Pods[0].UID = goneUID
			b.inv.Pods = append(b.inv.Pods, inventory.Pod{Namespace: "prod", Name: "hub", UID: uid})
		},
		"docker rm -f, and the container is still at its end": func(b *mountNode) {
			b.dead("removing")
			b.Containers.List[1].PodUID = ""
			b.Processes.Cgroups = append(b.Processes.Cgroups, report.Cgroup{Entries: []report.CgroupEntry{{Path: "/docker/" + deadID}}})
			b.Processes.List = append(b.Processes.List, report.Process{PID: 77, PPID: 1, Comm: "sleep", State: "S", Cgroup: len(b.Processes.Cgroups) - 1})
		},
		"docker run, of no pod": func(b *mountNode) {
			b.dead("exited")
			b.Containers.List[1].PodUID = ""
		},
		"a build's layer": func(b *mountNode) {
			b.Containers.List = append(b.Containers.List, report.Container{ID: deadID, PodUID: uid, Rootfs: "/var/lib/docker/overlay2/x/merged"})
			b.mount("0:63", "overlay", "overlay", "", "/var/lib/docker/overlay2/"+other+"/merged")
		},
		"a namespace of containerd's that is somebody else's": func(b *mountNode) {
			root := "/run/containerd/io.containerd.runtime.v2.task/default/test1/rootfs"
			b.mount("0:63", "overlay", "overlay", "", root)
			b.mount("253:17", "xfs", "/dev/vdb1", "", root+"/data")
		},
		"a container that no file names, and whose process lives in it": func(b *mountNode) {
			root := "/var/lib/containers/storage/overlay/" + other + "/merged"
			b.Containers.List = append(b.Containers.List, report.Container{ID: deadID, PodUID: uid, Rootfs: "/var/lib/containers/storage/overlay/x/merged"})
			b.mount("0:63", "overlay", "overlay", "", root)
			b.mount("253:17", "xfs", "/dev/vdb1", "", root+"/data")
			b.namespace(7, 30, "/", "0:63")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMountNode()
			build(b)
			expect(t, b)
		})
	}
}
