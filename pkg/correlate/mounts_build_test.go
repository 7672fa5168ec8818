package correlate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	goneUID = "0badf00d-1f00-4c6e-9d51-0242ac120002"
	deadID  = "e4261544f8eb00000000000000000000000000000000000000000000000000aa"
	layer   = "9caa958000000000000000000000000000000000000000000000000000064bea"
	driver  = "disk.csi.example.com"
	kubelet = "/var/lib/kubelet"
	pv      = "d-bp1"
	staging = kubelet + "/plugins/kubernetes.io/csi/pv/" + pv + "/globalmount"
)

// mountNode is a node with pod prod/hub-1 and its inventory.
type mountNode struct {
	*report.NodeReport
	inv *inventory.Inventory
}

// newMountNode has what a healthy node has: its own disks, the container of a
// pod, the pod's token.
func newMountNode() *mountNode {
	b := &mountNode{NodeReport: testNode(), inv: testInventory()}
	b.Node.Now = 1_700_005_000
	b.Mounts = &report.Mounts{}
	b.Devices = &report.Devices{}
	b.inv.Storage = &inventory.Storage{Drivers: []inventory.Driver{{Name: driver, Attaches: true}, {Name: "nfs.csi.k8s.io"}}}
	b.Mounts.Namespaces = []report.MountNamespace{{Inode: 1, Host: true, PID: 1}}
	b.mount("253:1", "ext4", "/dev/vda1", "", "/")
	b.mount("0:5", "devtmpfs", "devtmpfs", "", "/dev")
	b.mount("253:17", "xfs", "/dev/vdb1", "", "/data")
	b.Containers.List[0].Runtime = "containerd"
	b.mount("0:50", "overlay", "overlay", "", "/run/containerd/io.containerd.runtime.v2.task/k8s.io/"+id+"/rootfs")
	b.namespace(2, 21, "/", "0:50")
	b.mount("0:51", "tmpfs", "tmpfs", "", dirOfPod(uid)+"/volumes/kubernetes.io~projected/kube-api-access-x")
	return b
}

func dirOfPod(uid string) string { return kubelet + "/pods/" + uid }

// mount adds one to the host's namespace.
func (b *mountNode) mount(number, fstype, source, root, point string) {
	b.Mounts.List = append(b.Mounts.List, report.Mount{ID: len(b.Mounts.List) + 20, Parent: 20, FS: b.fs(number, fstype, source), Root: root, Point: point})
}

func (b *mountNode) fs(number, fstype, source string) int {
	i := slices.IndexFunc(b.Mounts.Filesystems, func(f report.Filesystem) bool { return f.Number == number })
	if i < 0 {
		i = len(b.Mounts.Filesystems)
		b.Mounts.Filesystems = append(b.Mounts.Filesystems, report.Filesystem{Number: number, Type: fstype, Source: source})
	}
	return i
}

// namespace adds one of a process, in which filesystems are mounted.
func (b *mountNode) namespace(inode uint64, pid int, entry string, numbers ...string) {
	var indices []int
	for _, number := range numbers {
		indices = append(indices, b.fs(number, "", ""))
	}
	count := len(indices)
	b.Mounts.Namespaces = append(b.Mounts.Namespaces, report.MountNamespace{Inode: inode, PID: pid, Processes: 1, Mounts: &count,
		Groups: []report.MountGroup{{Entry: entry, Receives: true, Mounts: count, Filesystems: report.NewIndexSet(indices)}}})
}

// disk is a block device with an ext4 on it.
func (b *mountNode) disk(number, name string) *report.Device {
	size, errors := uint64(20<<30), uint64(0)
	b.Devices.List = append(b.Devices.List, report.Device{Number: number, Name: name, SizeBytes: &size, FSErrors: &errors, Threads: 3, ThreadsSince: 6000})
	return &b.Devices.List[len(b.Devices.List)-1]
}

// stage mounts the disk of the volume pv where the kubelet stages it.
func (b *mountNode) stage() *report.Device {
	b.mount("253:80", "ext4", "/dev/vdf", "", staging)
	return b.disk("253:80", "vdf")
}

// bind mounts the volume pv into a pod's directory.
func (b *mountNode) bind(uid string) {
	b.mount("253:80", "ext4", "/dev/vdf", "", dirOfPod(uid)+"/volumes/kubernetes.io~csi/"+pv+"/mount")
}

// api has the API server know the volume pv, and its attachment.
func (b *mountNode) api() {
	b.inv.Storage.PersistentVolumes = append(b.inv.Storage.PersistentVolumes, inventory.PersistentVolume{Name: pv, Driver: driver, Handle: "d-1", Claim: "prod/data"})
	b.inv.Storage.Attachments = append(b.inv.Storage.Attachments, inventory.Attachment{Name: "csi-1", Node: "node-1", Volume: pv, Driver: driver, Attached: true})
	b.wrote("/plugins/kubernetes.io/csi/pv/" + pv)
}

func (b *mountNode) wrote(dir string) *report.VolumeData {
	b.Mounts.VolumeData = append(b.Mounts.VolumeData, report.VolumeData{Dir: kubelet + dir, Driver: driver, VolumeHandle: "d-1", SpecVolID: pv, Lifecycle: "Persistent", AttachmentID: "csi-1", Written: 1_700_000_100})
	return &b.Mounts.VolumeData[len(b.Mounts.VolumeData)-1]
}

// raw maps the disk of the volume pv, without a filesystem, into a pod.
func (b *mountNode) raw(uid string) {
	const dir = "/plugins/kubernetes.io/csi/volumeDevices/"
	for _, point := range []string{"staging/" + pv + "/x", "publish/" + pv + "/" + uid, pv + "/dev/" + uid} {
		b.mount("0:5", "devtmpfs", "devtmpfs", "/vdf", kubelet+dir+point)
	}
	b.wrote(dir + pv + "/data").Lifecycle = "" // the kubelet writes none
}

// uses has pod prod/hub-1 use the volume pv by its claim.
func (b *mountNode) uses() {
	b.inv.Pods[0].Volumes = append(b.inv.Pods[0].Volumes, inventory.Volume{Name: "data", Claim: "data", PersistentVolume: pv})
}

// blocked has pod prod/hub-1 wait in uninterruptible sleep.
func (b *mountNode) blocked() {
	for i := range b.Processes.List {
		b.Processes.List[i].State = "D"
	}
}

// dead adds docker's container of a DaemonSet's pod that is gone, whose root
// directory cannot be removed.
func (b *mountNode) dead(state string) string {
	merged := "/var/lib/docker/overlay2/" + layer + "/merged"
	b.Containers.List = append(b.Containers.List, report.Container{ID: deadID, Runtime: "docker", Name: "logxxx", PodUID: goneUID, PodName: "logxxx-ds-hsbv9", PodNamespace: "kube-system", State: state, Rootfs: merged})
	// docker's directory is bind-mounted, and this is its other name.
	merged = "/var/lib/container/docker/overlay2/" + layer + "/merged"
	b.mount("0:60", "overlay", "overlay", "", merged)
	b.mount("253:1", "ext4", "/dev/vda1", "", merged+"/logxxx_host")
	return merged
}

// said is each volume as "name state leaked/mounts reasons…", those of which
// nothing is to be said left out.
func said(m NodeMounts) []string {
	var lines []string
	for i := range m.Volumes {
		v := &m.Volumes[i]
		if v.State == VolumeLive && v.Leaked == 0 {
			continue
		}
		line := fmt.Sprintf("%s %s %d/%d", v.Name, v.State, v.Leaked, len(v.Mounts))
		for _, r := range v.Reasons {
			line += " " + string(r.Reason)
		}
		lines = append(lines, line)
	}
	return lines
}

func expect(t *testing.T, b *mountNode, want ...string) NodeMounts {
	t.Helper()
	m := Join(b.NodeReport, b.inv).Mounts()
	if got := said(m); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	return m
}
