package incidents

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"slices"

	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CSIDriver is a driver (test/incidents/loopcsi) that runs on a node.
type CSIDriver struct {
	Name string
	node string
	pid  string // "": it does not run
	c    *Cluster
}

// loopCSI is where its program lies on a node.
const loopCSI = "/opt/loopcsi"

// StartCSI makes a driver's object and starts it on a node.
func (c *Cluster) StartCSI(ctx context.Context, u *Undo, node, name string, attaches bool) (*CSIDriver, error) {
	d := &CSIDriver{Name: name, node: node, c: c}
	if err := c.CopyToNode(ctx, node, filepath.Join(c.Tools, "loopcsi"), loopCSI); err != nil {
		return nil, err
	}
	u.onNode(c, node, "rm -rf "+d.data()+" /var/lib/kubelet/plugins/"+name)
	u.Add(d.forget)
	u.Add(d.Stop)
	inline := []storagev1.VolumeLifecycleMode{storagev1.VolumeLifecyclePersistent, storagev1.VolumeLifecycleEphemeral}
	yes := true // else an inline volume could not be told from another
	_, err := c.Client.StorageV1().CSIDrivers().Create(ctx, &storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: storagev1.CSIDriverSpec{AttachRequired: &attaches, VolumeLifecycleModes: inline, PodInfoOnMount: &yes}}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	return d, d.Start(ctx)
}

func (d *CSIDriver) data() string { return "/var/lib/loopcsi/" + d.Name }

// Start starts it and waits until the kubelet knows it.
func (d *CSIDriver) Start(ctx context.Context) error {
	var err error
	if d.pid, err = d.c.OnNode(ctx, d.node, loopCSI, "--detach", "--name", d.Name, "--node", d.node, "--data", d.data()); err != nil {
		return err
	}
	return poll(ctx, "the kubelet of "+d.node+" takes the driver "+d.Name, func(ctx context.Context) bool {
		n, err := d.c.Client.StorageV1().CSINodes().Get(ctx, d.node, metav1.GetOptions{})
		return err == nil && slices.ContainsFunc(n.Spec.Drivers, func(o storagev1.CSINodeDriver) bool { return o.Name == d.Name })
	})
}

// Stop ends it; the kubelet forgets it with its sockets.
func (d *CSIDriver) Stop(ctx context.Context) error { return d.signal(ctx, "TERM") }

// Kill ends it as a crash does: the kubelet goes on asking.
func (d *CSIDriver) Kill(ctx context.Context) error { return d.signal(ctx, "KILL") }

// signal ends the driver's process, if there is one.
func (d *CSIDriver) signal(ctx context.Context, name string) error {
	if d.pid == "" {
		return nil
	}
	_, err := d.c.OnNode(ctx, d.node, "sh", "-c", "kill -"+name+" "+d.pid+"; while kill -0 "+d.pid+" 2>/dev/null; do sleep 0.1; done")
	if err == nil {
		d.pid = ""
	}
	return err
}

// forget removes its object, and whatever its volumes left.
func (d *CSIDriver) forget(ctx context.Context) error {
	err := d.c.Client.StorageV1().CSIDrivers().Delete(ctx, d.Name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	// Block volumes have no filesystem, so their devices do not go with a mount.
	_, err = d.c.OnNode(ctx, d.node, "sh", "-c",
		"losetup -nO NAME,BACK-FILE | "+`awk -v d="`+d.data()+`/" 'index($2, d) { print $1 }' | xargs -r losetup -d`)
	return err
}

// Staged is the directory in which the kubelet keeps a volume's mount,
// globalmount, and notes, vol_data.json.
func (d *CSIDriver) Staged(handle string) string {
	return "/var/lib/kubelet/plugins/kubernetes.io/csi/" + d.Name + "/" + sha256Hex(handle)
}

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
