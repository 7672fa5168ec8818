// Package incidents makes the incidents that nodedoc is for happen on a real
// cluster: for the demo and the end-to-end tests.
package incidents

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// patience is for a node that is emulated, on a busy machine.
const patience = 3 * time.Minute

// ActorImage is the image that LoadActor puts on every node.
const ActorImage = "nodedoc.test/actor:1"

// Cluster is a throwaway cluster of test/cluster.
type Cluster struct {
	Client kubernetes.Interface
	REST   *rest.Config
	// Tools is the directory with the built programs: cluster, actor,
	// kubectl-nodedoc.
	Tools string
}

// Connect uses the cluster that KUBECONFIG names, with the programs in tools.
func Connect(tools string) (*Cluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return nil, fmt.Errorf("failed to use KUBECONFIG (run this through `cluster run -- …`): %w", err)
	}
	config.QPS, config.Burst = 100, 200
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	tools, err = filepath.Abs(tools)
	return &Cluster{Client: client, REST: config, Tools: tools}, err
}

// actorOnNode is where the actor lies on a node itself.
const actorOnNode = "/opt/actor"

// LoadActor makes an image of the actor, and puts image and program on nodes.
func (c *Cluster) LoadActor(ctx context.Context, nodes ...string) error {
	program := filepath.Join(c.Tools, "actor")
	load := append(make([]string, 0, 6+2*len(nodes)), "load", "--image", ActorImage, "--base", "busybox")
	for _, n := range nodes {
		load = append(load, "--node", n)
	}
	if out, err := c.tool(ctx, append(load, program+"=/actor")...).CombinedOutput(); err != nil {
		return fmt.Errorf("failed to load the actor's image: %w: %s", err, out)
	}
	for _, n := range nodes {
		if err := c.CopyToNode(ctx, n, program, actorOnNode); err != nil {
			return err
		}
	}
	return nil
}

// CopyToNode copies a program to a node.
func (c *Cluster) CopyToNode(ctx context.Context, node, from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	copying := c.tool(ctx, "exec", node, "--", "sh", "-c", "cat >"+to+".new && chmod 755 "+to+".new && mv "+to+".new "+to)
	copying.Stdin = f
	if out, err := copying.CombinedOutput(); err != nil {
		return fmt.Errorf("failed to copy %s to %s: %w: %s", from, node, err, out)
	}
	return nil
}

func (c *Cluster) tool(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, filepath.Join(c.Tools, "cluster"), args...)
}

// OnNode runs a command on a node, as if logged in there, and returns what it
// prints.
func (c *Cluster) OnNode(ctx context.Context, node string, command ...string) (string, error) {
	out, err := c.tool(ctx, append([]string{"exec", node, "--"}, command...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("failed to run %q on %s: %w: %s", command, node, err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// Shell is a command on a node, as ssh would run it, to be started by the caller.
func (c *Cluster) Shell(ctx context.Context, node string, command ...string) *exec.Cmd {
	return c.tool(ctx, append([]string{"exec", node, "--"}, command...)...)
}

// Namespace makes a namespace.
func (c *Cluster) Namespace(ctx context.Context, name string) error {
	_, err := c.Client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	return err
}

// Container is one that plays a role.
func Container(name string, command ...string) corev1.Container {
	return corev1.Container{Name: name, Image: ActorImage, ImagePullPolicy: corev1.PullNever, Command: command}
}

// PodSpec is a pod's on this node.
func PodSpec(node string, containers ...corev1.Container) corev1.PodSpec {
	grace := int64(1)
	return corev1.PodSpec{NodeName: node, Containers: containers, TerminationGracePeriodSeconds: &grace}
}

// Pod makes a pod and waits until it runs.
func (c *Cluster) Pod(ctx context.Context, namespace, name string, spec corev1.PodSpec) (*corev1.Pod, error) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
	if _, err := c.Client.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	return c.waitRunning(ctx, namespace, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
}

// Deployment makes one and waits until its pod runs.
func (c *Cluster) Deployment(ctx context.Context, namespace, name string, spec corev1.PodSpec) (*corev1.Pod, error) {
	labels := map[string]string{"app": name}
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: spec},
	}}
	if _, err := c.Client.AppsV1().Deployments(namespace).Create(ctx, d, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	return c.waitRunning(ctx, namespace, metav1.ListOptions{LabelSelector: "app=" + name})
}

// waitRunning waits for one pod whose containers all run.
func (c *Cluster) waitRunning(ctx context.Context, namespace string, which metav1.ListOptions) (found *corev1.Pod, err error) {
	err = wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		list, err := c.Client.CoreV1().Pods(namespace).List(ctx, which)
		if err != nil || len(list.Items) == 0 {
			return false, nil //nolint:nilerr // asked again
		}
		found = &list.Items[0]
		for _, s := range found.Status.ContainerStatuses {
			if s.State.Running == nil {
				return false, nil
			}
		}
		return found.Status.Phase == corev1.PodRunning, nil
	})
	if err != nil && found != nil {
		err = fmt.Errorf("pod %s/%s does not run: %w: %+v", namespace, found.Name, err, found.Status.ContainerStatuses)
	}
	return found, err
}
