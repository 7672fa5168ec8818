package incidents

import (
	"context"
	"encoding/json"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// HostMount is where the log collector of incident 4 has the node's root.
const HostMount = "/logxxx_host"

// LogCollector starts the DaemonSet logxxx-ds, which mounts the node's root with
// propagation from the host, and waits for its pods on some nodes.
func (c *Cluster) LogCollector(ctx context.Context, u *Undo, namespace string, nodes ...string) error {
	labels := map[string]string{"app": "logxxx-ds"}
	spec := Collector("")
	spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	spec.Affinity = onlyOn(nodes)
	sets := c.Client.AppsV1().DaemonSets(namespace)
	u.Add(func(ctx context.Context) error {
		_ = sets.Delete(ctx, "logxxx-ds", metav1.DeleteOptions{})
		return c.gone(ctx, namespace, "app=logxxx-ds")
	})
	if _, err := sets.Create(ctx, &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "logxxx-ds"}, Spec: appsv1.DaemonSetSpec{
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: spec},
	}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	for _, n := range nodes {
		if _, err := c.waitRunning(ctx, namespace, metav1.ListOptions{LabelSelector: "app=logxxx-ds", FieldSelector: "spec.nodeName=" + n}); err != nil {
			return err
		}
	}
	return nil
}

// Collector is a pod's that has the node's root, with whatever is mounted there
// at any time.
func Collector(node string) corev1.PodSpec {
	in := corev1.MountPropagationHostToContainer
	spec := WithVolume(PodSpec(node, Container("logxxx", "/actor", "hold", "1")), "host",
		corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}})
	spec.Containers[0].VolumeMounts[0].MountPath = HostMount
	spec.Containers[0].VolumeMounts[0].MountPropagation = &in
	return spec
}

// onlyOn keeps a DaemonSet to some nodes, by their names.
func onlyOn(nodes []string) *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: nodes}}}}}}}
}

// gone waits until no pod has a label any more.
func (c *Cluster) gone(ctx context.Context, namespace, label string) error {
	return poll(ctx, "pods with "+label+" go", func(ctx context.Context) bool {
		list, err := c.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: label})
		return err == nil && len(list.Items) == 0
	})
}

// RemovingContainer is one of dockershim's that Docker cannot remove, since a
// copy of the node's mounts stands below its root directory.
type RemovingContainer struct {
	ID, Layer string
	// Copy is the directory with the copy. Docker's directory has two names,
	// and so has the copy: CopyToo.
	Copy, CopyToo string
}

// RemovingPod is that of the container, as its name in Docker tells.
const RemovingPod = "kube-system/logxxx-ds-hsbv9"

const dockerDir = "/var/lib/container/docker"

// NewRemovingContainer copies all mounts that a node has at this time, and lets
// no later ones in, nor any unmounting out.
func NewRemovingContainer(ctx context.Context, c *Cluster, u *Undo, node string) (*RemovingContainer, error) {
	r := &RemovingContainer{ID: "e4261544f8eb" + strings.Repeat("5a", 26), Layer: "9caa9580" + strings.Repeat("64be", 14)}
	at := "/overlay2/" + r.Layer + "/merged" + HostMount
	r.Copy, r.CopyToo = dockerDir+at, "/var/lib/docker"+at
	config, err := json.Marshal(map[string]any{
		"State":  map[string]any{"Running": false, "RemovalInProgress": true, "Dead": true, "Pid": 0, "Error": "unlinkat " + dockerDir + "/overlay2/" + r.Layer + "/merged: device or resource busy"},
		"ID":     r.ID,
		"Name":   "/k8s_logxxx_logxxx-ds-hsbv9_kube-system_" + GoneUID + "_0",
		"Driver": "overlay2",
		"Config": map[string]any{"Labels": map[string]string{
			"io.kubernetes.container.name": "logxxx", "io.kubernetes.pod.name": "logxxx-ds-hsbv9", "io.kubernetes.pod.namespace": "kube-system",
			"io.kubernetes.pod.uid": GoneUID, "io.kubernetes.docker.type": "container"}},
	})
	if err != nil {
		return nil, err
	}
	u.unmount(c, node, "/var/lib/docker", dockerDir)
	_, err = c.OnNode(ctx, node, "sh", "-ec", `docker=$1 copy=$2
mkdir -p "$docker/containers/$3" "$docker/image/overlay2/layerdb/mounts/$3" "$copy" /var/lib/docker
printf %s "$5" >"$docker/containers/$3/config.v2.json"
printf %s "$4" >"$docker/image/overlay2/layerdb/mounts/$3/mount-id"
mount --rbind / "$copy"
mount --make-rslave "$copy"
mount --rbind "$docker" /var/lib/docker`, "sh", dockerDir, r.Copy, r.ID, r.Layer, string(config))
	return r, err
}

// UnknownTask binds a directory of a node below the root of a task of
// containerd's that containerd has no container for. The two are peers: what is
// unmounted in the one is unmounted in the other, too. Make it before a copy of
// everything, and it is undone after that: /run's mount points have copies, too.
func (c *Cluster) UnknownTask(ctx context.Context, u *Undo, node, directory string) (copied string, err error) {
	copied = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + strings.Repeat("0d", 32) + "/rootfs/host"
	u.unmount(c, node, copied)
	_, err = c.OnNode(ctx, node, "sh", "-ec", `mkdir -p "$2" && mount --rbind "$1" "$2"`, "sh", directory, copied)
	return copied, err
}
