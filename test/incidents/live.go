package incidents

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// LiveVolumes are pods with every kind of volume that a node of the test cluster
// can have, all of them in use.
type LiveVolumes struct {
	// Shared is a claim's volume that two pods have, of Driver, Attached one of a
	// driver whose volumes are attached. Both are PersistentVolumes.
	Shared, Attached string
	Driver           *CSIDriver
}

// NewLiveVolumes starts them on a node, in a namespace that is there.
func NewLiveVolumes(ctx context.Context, c *Cluster, u *Undo, node, namespace string) (*LiveVolumes, error) {
	v := &LiveVolumes{Shared: namespace + "-shared", Attached: namespace + "-attached"}
	var err error
	if v.Driver, err = c.StartCSI(ctx, u, node, namespace+".loop.csi.nodedoc.test", false); err != nil {
		return nil, err
	}
	attaching, err := c.StartCSI(ctx, u, node, namespace+".attach.csi.nodedoc.test", true)
	if err != nil {
		return nil, err
	}
	if _, err := c.mountDisk(ctx, u, node, localDir(namespace)); err != nil {
		return nil, err
	}
	disk, err := c.device(ctx, u, node, namespace)
	if err != nil {
		return nil, err
	}
	for name, spec := range map[string]corev1.PersistentVolumeSpec{
		v.Shared:   CSI(v.Driver.Name, "vol-"+v.Shared),
		v.Attached: CSI(attaching.Name, "vol-"+v.Attached),
		// A handle is any text: the staging directory is named after its hash.
		namespace + "-raw":     Block(CSI(v.Driver.Name, "zone a/"+namespace+"-raw")),
		namespace + "-local":   Local(node, localDir(namespace)),
		namespace + "-disk":    Block(Local(node, disk)),
		namespace + "-leaving": CSI(v.Driver.Name, "vol-"+namespace+"-leaving"),
	} {
		if err := c.Volume(ctx, u, namespace, name, spec); err != nil {
			return nil, err
		}
	}
	// A generic ephemeral volume's claim is named after its pod.
	if err := c.PersistentVolume(ctx, u, namespace, "odd-scratch", namespace+"-scratch", CSI(v.Driver.Name, "vol-"+namespace+"-scratch")); err != nil {
		return nil, err
	}
	attach, stop := context.WithCancel(context.WithoutCancel(ctx))
	u.Add(func(context.Context) error { stop(); return nil })
	go c.Attach(attach, attaching.Name)
	return v, v.pods(ctx, c, u, node, namespace)
}

// LocalVolume starts a pod that uses a directory of the node as its volume; pod,
// claim and volume have the same name.
func (c *Cluster) LocalVolume(ctx context.Context, u *Undo, node, namespace, name, directory string) error {
	if err := c.Volume(ctx, u, namespace, name, Local(node, directory)); err != nil {
		return err
	}
	u.Add(func(ctx context.Context) error { return c.forgetPods(ctx, node, namespace) })
	_, err := c.Pod(ctx, namespace, name, WithClaim(PodSpec(node, Container("main", "/actor", "hold", "1")), name))
	return err
}

func localDir(namespace string) string { return "/mnt/disks/" + namespace }

// pods starts them all; only the static pod is not waited for by its name.
func (v *LiveVolumes) pods(ctx context.Context, c *Cluster, u *Undo, node, namespace string) error {
	u.Add(func(ctx context.Context) error { return c.forgetPods(ctx, node, namespace) })
	hold := func() corev1.PodSpec { return PodSpec(node, Container("main", "/actor", "hold", "1")) }
	leaving := PodSpec(node, Container("main", "/actor", "--stubborn", "--comm", leavingComm, "hold", "1"))
	u.onNode(c, node, "pgrep -x "+leavingComm+" | xargs -r kill -KILL")
	grace := int64(600)
	leaving.TerminationGracePeriodSeconds = &grace
	starting := map[string]corev1.PodSpec{
		"shared-a": subPaths(WithClaim(hold(), v.Shared), v.Shared),
		"shared-b": WithClaim(hold(), v.Shared),
		"attached": WithClaim(hold(), v.Attached),
		"raw":      withDevice(hold(), namespace+"-raw"),
		"disk":     withDevice(hold(), namespace+"-disk"),
		"local":    WithClaim(hold(), namespace+"-local"),
		"odd":      v.oddVolumes(hold()),
		"leaving":  WithClaim(leaving, namespace+"-leaving"),
	}
	if err := c.startPods(ctx, namespace, starting); err != nil {
		return err
	}
	if err := staticPod(ctx, c, u, node, namespace, WithVolume(hold(), "static", memory())); err != nil {
		return err
	}
	// Terminating, within its grace.
	return c.Client.CoreV1().Pods(namespace).Delete(ctx, "leaving", metav1.DeleteOptions{})
}

// leavingComm is the name of the process that ignores SIGTERM.
const leavingComm = "nd-leaving"

// startPods starts pods side by side.
func (c *Cluster) startPods(ctx context.Context, namespace string, pods map[string]corev1.PodSpec) error {
	started := make(chan error)
	for name, spec := range pods {
		go func() {
			_, err := c.Pod(ctx, namespace, name, spec)
			started <- err
		}()
	}
	failures := make([]error, 0, len(pods))
	for range pods {
		failures = append(failures, <-started)
	}
	return errors.Join(failures...)
}

func memory() corev1.VolumeSource {
	return corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}}
}

// withDevice gives a pod's first container a claim's device.
func withDevice(spec corev1.PodSpec, claim string) corev1.PodSpec {
	spec.Volumes = WithClaim(corev1.PodSpec{}, claim).Volumes
	spec.Containers[0].VolumeDevices = []corev1.VolumeDevice{{Name: claim, DevicePath: "/dev/raw"}}
	return spec
}

// device makes a node's disk without a filesystem.
func (c *Cluster) device(ctx context.Context, u *Undo, node, name string) (string, error) {
	image := "/var/lib/loopcsi/" + name + ".disk.img"
	u.onNode(c, node, "losetup -nO NAME --associated "+image+" | xargs -r losetup -d; rm -f "+image)
	return c.OnNode(ctx, node, "sh", "-ec", `mkdir -p "${1%/*}"
truncate -s 8M "$1"
losetup --find --show "$1"`, "sh", image)
}

// subPaths mounts parts of a volume, which the kubelet binds one by one.
func subPaths(spec corev1.PodSpec, volume string) corev1.PodSpec {
	for _, dir := range []string{"a", "a/b c"} {
		spec.Containers[0].VolumeMounts = append(spec.Containers[0].VolumeMounts, corev1.VolumeMount{Name: volume, MountPath: "/sub/" + dir, SubPath: dir})
	}
	return spec
}

// oddVolumes are all that need no PersistentVolume, or whose one is odd.
func (v *LiveVolumes) oddVolumes(spec corev1.PodSpec) corev1.PodSpec {
	privileged, both := true, corev1.MountPropagationBidirectional
	for name, source := range map[string]corev1.VolumeSource{
		"disk":    {EmptyDir: &corev1.EmptyDirVolumeSource{}},
		"memory":  memory(),
		"inline":  {CSI: &corev1.CSIVolumeSource{Driver: v.Driver.Name}},
		"scratch": {Ephemeral: &corev1.EphemeralVolumeSource{VolumeClaimTemplate: &corev1.PersistentVolumeClaimTemplate{Spec: Claim("", nil)}}},
		"config":  {ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"}}},
		"pod": {DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
			{Path: "name", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}}},
		"plugins": {HostPath: &corev1.HostPathVolumeSource{Path: "/var/lib/kubelet/plugins"}},
	} {
		spec = WithVolume(spec, name, source)
	}
	spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: &privileged}
	for i := range spec.Containers[0].VolumeMounts {
		if m := &spec.Containers[0].VolumeMounts[i]; m.Name == "plugins" {
			m.MountPropagation = &both
		}
	}
	return spec
}

// staticPod starts one from a file: its UID on the node is none that the API
// server knows.
func staticPod(ctx context.Context, c *Cluster, u *Undo, node, namespace string, spec corev1.PodSpec) error {
	file := "/etc/kubernetes/manifests/" + namespace + ".yaml"
	u.onNode(c, node, "rm -f "+file)
	manifest, err := yaml.Marshal(corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: "static", Namespace: namespace}, Spec: spec})
	if err != nil {
		return err
	}
	if _, err := c.OnNode(ctx, node, "sh", "-c", `printf %s "$2" >"$1.new" && mv "$1.new" "$1"`, "sh", file, string(manifest)); err != nil {
		return err
	}
	_, err = c.waitRunning(ctx, namespace, metav1.ListOptions{FieldSelector: "metadata.name=static-" + node})
	return err
}

// forgetPods deletes all pods of a namespace, and waits until the kubelet has
// nothing of them any more.
func (c *Cluster) forgetPods(ctx context.Context, node, namespace string) error {
	list, err := c.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, p := range list.Items {
		if err := c.ForgetPod(ctx, namespace, p.Name); err != nil {
			return fmt.Errorf("failed to delete pod %s/%s: %w", namespace, p.Name, err)
		}
	}
	for _, p := range list.Items {
		if err := c.removed(ctx, node, string(p.UID)); err != nil {
			return err
		}
	}
	return nil
}
