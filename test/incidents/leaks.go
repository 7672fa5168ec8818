package incidents

import (
	"context"
	"encoding/json"
	"errors"

	corev1 "k8s.io/api/core/v1"
)

// LeakedVolumes are volumes that a node has mounted and nobody needs, each for
// another reason. Keys are their names as nodedoc is to give them.
//
// They are made while the kubelet runs. It looks for volumes that it does not
// know only when it starts, and leaves the directory of a pod that it does not
// know alone while anything is mounted there ("orphaned pod … found, but volume
// paths are still present on disk", every two minutes).
type LeakedVolumes struct {
	// DriverDead: pod, claim and volume were deleted from the API while the driver
	// was dead. The kubelet made these mounts, and tries on to unmount them.
	DriverDead string
	// OldStaging: …/csi/pv/NAME/globalmount, as of Kubernetes before 1.24, and a
	// pod's mount of it; neither volume nor pod are in the API.
	OldStaging string
	// Detached: staged, the volume exists, but is not attached.
	Detached string
	// InTree: …/aws-ebs/mounts/…, which no pod uses.
	InTree string
	// Sick: its device was taken away, so that its filesystem has errors.
	Sick string
	// Odd has a name that a careless script trips over.
	Odd string

	driver *CSIDriver
}

// Names are all of them.
func (v *LeakedVolumes) Names() []string {
	return []string{v.DriverDead, v.OldStaging, v.Detached, v.InTree, v.Sick, v.Odd}
}

// OddName does harm where a shell reads it.
const OddName = "d-odd 'q\" \\040 $(touch nodedoc-pwned)\n;x"

const plugins = "/var/lib/kubelet/plugins/kubernetes.io/"

// GoneUID is the UID of a pod that never was.
const GoneUID = "93e182b4-0000-4000-8000-00000000dead"

// NewLeakedVolumes makes them on a node. The namespace is there.
func NewLeakedVolumes(ctx context.Context, c *Cluster, u *Undo, node, namespace string) (*LeakedVolumes, error) {
	v := &LeakedVolumes{DriverDead: namespace + "-dead", OldStaging: "d-" + namespace + "-old", Detached: namespace + "-detached",
		InTree: "vol-" + namespace, Sick: "d-" + namespace + "-sick", Odd: OddName}
	if err := v.byHand(ctx, c, u, node, namespace); err != nil {
		return nil, err
	}
	return v, v.driverDies(ctx, c, u, node, namespace)
}

// byHand makes those that are no longer, or never were, the kubelet's.
func (v *LeakedVolumes) byHand(ctx context.Context, c *Cluster, u *Undo, node, namespace string) error {
	attaching, err := c.StartCSI(ctx, u, node, namespace+".detached.csi.nodedoc.test", true)
	if err != nil {
		return err
	}
	if err := c.PersistentVolume(ctx, u, namespace, "nobody", v.Detached, CSI(attaching.Name, v.Detached)); err != nil {
		return err
	}
	for _, name := range []string{v.OldStaging, v.Odd} {
		if _, err := c.StagedVolume(ctx, u, node, name, StagedAt(name)); err != nil {
			return err
		}
	}
	if _, err := c.StagedVolume(ctx, u, node, v.Detached, attaching.Staged(v.Detached)); err != nil {
		return err
	}
	device, err := c.StagedVolume(ctx, u, node, v.Sick, StagedAt(v.Sick))
	if err != nil {
		return err
	}
	if err := takeAway(ctx, c, node, device, StagedAt(v.Sick)+"/globalmount"); err != nil {
		return err
	}
	pod := "/var/lib/kubelet/pods/" + GoneUID
	u.unmount(c, node, pod)
	if err := c.bind(ctx, node, StagedAt(v.OldStaging)+"/globalmount", pod+"/volumes/kubernetes.io~csi/"+v.OldStaging+"/mount"); err != nil {
		return err
	}
	inTree := plugins + "aws-ebs/mounts/aws/eu-central-1b/" + v.InTree
	u.unmount(c, node, inTree)
	_, err = c.mountDisk(ctx, u, node, inTree)
	return err
}

// StagedAt is where the kubelet staged a CSI volume before Kubernetes 1.24.
func StagedAt(name string) string { return plugins + "csi/pv/" + name }

// StagedVolume mounts a volume in a staging directory, with the kubelet's notes
// beside it, and returns its device.
func (c *Cluster) StagedVolume(ctx context.Context, u *Undo, node, name, directory string) (device string, err error) {
	u.unmount(c, node, directory)
	device, err = c.mountDisk(ctx, u, node, directory+"/globalmount")
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]string{"attachmentID": "csi-" + sha256Hex(name+node), "driverName": "gone.csi.nodedoc.test",
		"specVolID": name, "volumeHandle": "vol-" + name, "volumeLifecycleMode": "Persistent"})
	if err != nil {
		return "", err
	}
	_, err = c.OnNode(ctx, node, "sh", "-ec", `printf %s "$2" >"$1/vol_data.json"`, "sh", directory, string(data))
	return device, err
}

// mountDisk mounts an ext4 of its own on a directory, and returns its device.
func (c *Cluster) mountDisk(ctx context.Context, u *Undo, node, point string) (device string, err error) {
	image := "/var/lib/loopcsi/" + sha256Hex(point) + ".img"
	u.onNode(c, node, "rm -f "+image)
	u.unmount(c, node, point)
	return c.OnNode(ctx, node, "sh", "-ec", `mkdir -p "${1%/*}" "$2"
truncate -s 8M "$1"
mkfs.ext4 -q -F -E lazy_itable_init=0 "$1"
mount -o loop "$1" "$2"
findmnt -nro MAJ:MIN --mountpoint "$2"`, "sh", image, point)
}

// takeAway makes a mounted device one of size 0, as a disk is whose volume was
// deleted, and has the filesystem notice: its journal aborts.
func takeAway(ctx context.Context, c *Cluster, node, device, point string) error {
	_, err := c.OnNode(ctx, node, "sh", "-ec", `device=$(basename $(readlink /sys/dev/block/$1))
truncate -s 0 "$(cat /sys/block/$device/loop/backing_file)"
losetup -c /dev/$device
dd if=/dev/zero of="$2/lost" bs=4096 count=1 conv=fsync 2>/dev/null || true
test "$(cat /sys/fs/ext4/$device/errors_count)" -gt 0`, "sh", device, point)
	return err
}

func (c *Cluster) bind(ctx context.Context, node, from, to string) error {
	_, err := c.OnNode(ctx, node, "sh", "-ec", `mkdir -p "$2" && mount --bind "$1" "$2"`, "sh", from, to)
	return err
}

// driverDies: the kubelet mounts a volume, the driver is killed, and whatever
// the API knew of it is deleted.
func (v *LeakedVolumes) driverDies(ctx context.Context, c *Cluster, u *Undo, node, namespace string) (err error) {
	name := v.DriverDead
	if v.driver, err = c.StartCSI(ctx, u, node, namespace+".dead.csi.nodedoc.test", false); err != nil {
		return err
	}
	if err := c.Volume(ctx, u, namespace, name, CSI(v.driver.Name, name)); err != nil {
		return err
	}
	var pod *corev1.Pod
	u.Add(func(ctx context.Context) error {
		// With the driver back the kubelet succeeds, but tries every two minutes only by then; started anew, it tries at once.
		if err := errors.Join(v.driver.Stop(ctx), v.driver.Start(ctx), c.tool(ctx, "restart", node+"/kubelet").Run()); err != nil {
			return err
		}
		if err := c.ForgetPod(ctx, namespace, "orphan"); err != nil || pod == nil {
			return err
		}
		return c.removed(ctx, node, string(pod.UID), v.driver.Staged(name))
	})
	pod, err = c.Pod(ctx, namespace, "orphan", WithClaim(PodSpec(node, Container("main", "/actor", "hold", "1")), name))
	if err != nil {
		return err
	}
	if err := v.driver.Kill(ctx); err != nil {
		return err
	}
	if err := c.ForgetPod(ctx, namespace, "orphan"); err != nil {
		return err
	}
	if err := c.ForgetVolume(ctx, namespace, name, name); err != nil {
		return err
	}
	// While the container runs, somebody uses the volume, whatever the API says.
	return poll(ctx, "the processes of pod orphan end", func(ctx context.Context) bool {
		_, err := c.OnNode(ctx, node, "sh", "-c", "! grep -qs "+string(pod.UID)+" /proc/[0-9]*/cgroup")
		return err == nil
	})
}
