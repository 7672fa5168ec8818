package incidents

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// FDLeak is incident 1 made for real: in one pod the child of the container's
// first process opens the named pipes of exec sessions and closes none, beside
// innocent pods and host daemons with many descriptors.
type FDLeak struct {
	Culprit *corev1.Pod // container "app" of Deployment prod/plugin-hub
	Web     *corev1.Pod // innocent, of Deployment prod/web
	Dockerd int         // pid on the node, of unit docker.service
}

// How many descriptors the innocent hold, and how many pipes a second leak, up
// to a bound.
const (
	webFiles, dockerdFiles = 300, 1100
	LeakPerSecond          = 60
	leakMost               = 6000
)

// NewFDLeak starts the incident on a node. The namespace "prod" is made.
func NewFDLeak(ctx context.Context, c *Cluster, node string) (*FDLeak, error) {
	if err := c.Namespace(ctx, "prod"); err != nil {
		return nil, err
	}
	var leak FDLeak
	var err error
	leak.Culprit, err = c.Deployment(ctx, "prod", "plugin-hub", PodSpec(node,
		Container("app", "/actor", "--comm", "copy_plugins.sh", "parent",
			"/actor", "--comm", "java", "leak-fifos", "/run/docker/containerd", strconv.Itoa(LeakPerSecond), strconv.Itoa(leakMost)),
		Container("metrics", "/actor", "--comm", "exporter", "hold", "20")))
	if err != nil {
		return nil, err
	}
	if leak.Web, err = c.Deployment(ctx, "prod", "web", PodSpec(node, Container("nginx", "/actor", "--comm", "nginx", "hold", strconv.Itoa(webFiles)))); err != nil {
		return nil, err
	}
	leak.Dockerd, err = c.Daemon(ctx, node, "dockerd", "docker.service", "hold", strconv.Itoa(dockerdFiles))
	return &leak, err
}

// Daemon starts an actor on the node itself, in the cgroup of a systemd unit
// and under a daemon's name, and returns its pid there.
func (c *Cluster) Daemon(ctx context.Context, node, comm, unit string, role ...string) (int, error) {
	command := append([]string{actorOnNode, "--detach", "--comm", comm, "--cgroup", "/" + node + "/system.slice/" + unit}, role...)
	out, err := c.OnNode(ctx, node, command...)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(out)
	if err != nil {
		return 0, fmt.Errorf("actor said %q, not its pid", out)
	}
	return pid, nil
}
