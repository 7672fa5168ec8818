package incidents

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MemoryNight is incident 2 made for real: the node's own job walks through a
// pod's volume and takes ever more memory, beside pods that are OOM-killed by their
// own limits.
type MemoryNight struct {
	Walked *corev1.Pod // the innocent one, in whose volume updatedb is
	Search *corev1.Pod // container "app" of Deployment search: killed again and again
	Gone   *corev1.Pod // container "import": killed, and deleted since
	Cache  *corev1.Pod // has CacheSize in its volume "cache", whose writer has ended
	Tmpfs  string      // a tmpfs of the node's with TmpfsSize, whose writer has ended
}

// Sizes in MiB, and in MiB per second.
const (
	UpdatedbRate = 6
	UpdatedbMost = 300
	SearchLimit  = 64
	CacheSize    = 40
	TmpfsSize    = 30

	mebibyte = 1 << 20
)

// NewMemoryNight starts the incident on a node, in a namespace that is there. The
// pods are critical ones, so that none of them is evicted.
func NewMemoryNight(ctx context.Context, c *Cluster, u *Undo, node, namespace string, start Job) (*MemoryNight, error) {
	n := &MemoryNight{Tmpfs: "/mnt/tmpfs-" + namespace}
	u.Add(func(ctx context.Context) error {
		// First, or each pod that is deleted is followed by another, which keeps a slow node busy.
		if err := c.Client.AppsV1().Deployments(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
			return err
		}
		return c.forgetPods(ctx, node, namespace)
	})
	var err error
	if n.Walked, err = c.Pod(ctx, namespace, "archive", walked(node)); err != nil {
		return nil, err
	}
	if err := start(ctx, c, u, node, n.updatedb()); err != nil {
		return nil, err
	}
	if err := n.killed(ctx, c, node, namespace); err != nil {
		return nil, err
	}
	if n.Cache, err = c.Pod(ctx, namespace, "cache", cache(node)); err != nil {
		return nil, err
	}
	u.unmount(c, node, n.Tmpfs)
	_, err = c.OnNode(ctx, node, "sh", "-ec", fmt.Sprintf("mkdir %[1]s && mount -t tmpfs -o size=64m e2e %[1]s && %[2]s fill %[1]s/file %[3]d", n.Tmpfs, actorOnNode, TmpfsSize))
	return n, err
}

// Critical is a pod that the kubelet evicts for nothing.
func Critical(spec corev1.PodSpec) corev1.PodSpec {
	spec.PriorityClassName = "system-node-critical"
	return spec
}

// walked has some directories in a volume.
func walked(node string) corev1.PodSpec {
	spec := WithVolume(PodSpec(node, Container("main", "sh", "-c", "mkdir -p /data/2026/11/21 /data/2026/11/22 && exec /actor hold 1")),
		"data", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})
	spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: *resource.NewQuantity(SearchLimit*mebibyte, resource.BinarySI)}
	return Critical(spec)
}

// updatedb is the job's command.
func (n *MemoryNight) updatedb() string {
	return fmt.Sprintf("%s --comm updatedb grow %d %d /var/lib/kubelet/pods/%s/volumes/kubernetes.io~empty-dir/data",
		actorOnNode, UpdatedbRate, UpdatedbMost, n.Walked.UID)
}

// killed starts the pods that outgrow their limits, and waits for what becomes of
// them.
func (n *MemoryNight) killed(ctx context.Context, c *Cluster, node, namespace string) error {
	// A pod has a limit of its own only if each of its containers has one.
	var err error
	if n.Search, err = c.Deployment(ctx, namespace, "search", Critical(PodSpec(node,
		outgrowing("app", "java"), Container("metrics", "/actor", "--comm", "exporter", "hold", "20")))); err != nil {
		return err
	}
	gone := Critical(PodSpec(node, outgrowing("import", "rsync")))
	gone.RestartPolicy = corev1.RestartPolicyNever
	if err := c.startPods(ctx, namespace, map[string]corev1.PodSpec{"import": gone}); err != nil {
		return err
	}
	if n.Gone, err = c.OOMKilled(ctx, namespace, "import", "import", 1); err != nil {
		return err
	}
	if err := c.ForgetPod(ctx, namespace, n.Gone.Name); err != nil {
		return err
	}
	n.Search, err = c.OOMKilled(ctx, namespace, n.Search.Name, "app", 2)
	return err
}

// outgrowing is a container whose limit the child of a shell outgrows, beside
// another one.
func outgrowing(name, comm string) corev1.Container {
	c := Container(name, "sh", "-c", "/actor --comm helper hold 3 & /actor --comm "+comm+" grow 40 "+strconv.Itoa(2*SearchLimit))
	c.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: *resource.NewQuantity(SearchLimit*mebibyte, resource.BinarySI)}
	return c
}

// OOMKilled waits until a pod's container has ended so many times, the last time
// for its limit.
func (c *Cluster) OOMKilled(ctx context.Context, namespace, name, container string, times int32) (pod *corev1.Pod, err error) {
	err = poll(ctx, name+" is OOM-killed", func(ctx context.Context) bool {
		if pod, err = c.Client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{}); err != nil {
			return false
		}
		i := slices.IndexFunc(pod.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == container })
		if i < 0 {
			return false
		}
		s := pod.Status.ContainerStatuses[i]
		ended, all := s.LastTerminationState.Terminated, s.RestartCount
		if s.State.Terminated != nil {
			ended, all = s.State.Terminated, all+1
		}
		return all >= times && ended != nil && ended.Reason == "OOMKilled"
	})
	if err != nil && pod != nil {
		err = errors.Join(err, fmt.Errorf("its containers: %+v", pod.Status.ContainerStatuses))
	}
	return pod, err
}

// cache has a file in a volume in memory, whose writer has ended.
func cache(node string) corev1.PodSpec {
	size := resource.MustParse("64Mi")
	spec := WithVolume(PodSpec(node, Container("main", "/actor", "hold", "1")), "cache", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{
		Medium: corev1.StorageMediumMemory, SizeLimit: &size}})
	writer := Container("writer", "/actor", "fill", "/cache/file", strconv.Itoa(CacheSize))
	writer.VolumeMounts = spec.Containers[0].VolumeMounts
	spec.InitContainers = []corev1.Container{writer}
	return Critical(spec)
}
