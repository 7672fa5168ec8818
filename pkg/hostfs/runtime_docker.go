package hostfs

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

// ParseDockerDaemonConfig gives the data root of /etc/docker/daemon.json, "" for
// docker's default. Before 17.05 it was called graph.
func ParseDockerDaemonConfig(b []byte) (string, error) {
	var f struct {
		DataRoot string `json:"data-root"`
		Graph    string `json:"graph"`
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return "", fmt.Errorf("not docker's daemon.json: %w", err)
	}
	if f.DataRoot == "" {
		return f.Graph, nil
	}
	return f.DataRoot, nil
}

// ParseDockerConfig reads /var/lib/docker/containers/<id>/config.v2.json, where
// dockershim and cri-dockerd leave pod and container as labels. A container
// that Kubernetes did not make has its docker name only.
func ParseDockerConfig(b []byte) (RuntimeContainer, error) {
	var f struct {
		ID     string
		Name   string // "/name"
		Driver string
		State  *dockerState
		Config struct {
			Image  string
			Labels map[string]string
		}
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return RuntimeContainer{}, fmt.Errorf("not docker's config.v2.json: %w", err)
	}
	l := f.Config.Labels
	c := RuntimeContainer{
		ID: f.ID, Runtime: "docker", Image: f.Config.Image, State: f.State.String(), Driver: f.Driver,
		Sandbox: l["io.kubernetes.docker.type"] == "podsandbox",
		Name:    l["io.kubernetes.container.name"], SandboxID: l["io.kubernetes.sandbox.id"],
		PodUID: l["io.kubernetes.pod.uid"], PodName: l["io.kubernetes.pod.name"], PodNamespace: l["io.kubernetes.pod.namespace"],
	}
	switch {
	case c.Sandbox:
		c.SandboxID, c.Name = c.ID, ""
	case c.Name == "":
		c.Name = path.Base(f.Name)
	}
	return c, nil
}

// dockerState is the State of config.v2.json (container/state.go of moby).
type dockerState struct {
	Running, Paused, Restarting, RemovalInProgress, Dead bool

	StartedAt string
}

// String is the word that docker ps has for it. A container that cannot be
// removed, since something is mounted in its root directory, says that it is
// dead and, written while it was tried, that it is being removed.
func (s *dockerState) String() string {
	switch {
	case s == nil:
		return ""
	case s.Running && s.Paused:
		return "paused"
	case s.Running && s.Restarting:
		return "restarting"
	case s.Running:
		return "running"
	case s.RemovalInProgress:
		return "removing"
	case s.Dead:
		return "dead"
	case strings.HasPrefix(s.StartedAt, "0001-"):
		return "created"
	}
	return "exited"
}

// DockerMountID is the file below docker's data root with the name that the
// storage driver has for a container's root directory, "" where it is the
// container's (docker with containerd's snapshotters).
func DockerMountID(driver, id string) string {
	if dockerRootfs(driver, id) == "" || strings.HasPrefix(dockerRootfs(driver, id), "rootfs/") {
		return ""
	}
	return path.Join("image", driver, "layerdb/mounts", id, "mount-id")
}

// DockerRootfs is where, below the data root, docker mounts the root directory
// that its driver calls name; "" where that is not known.
func DockerRootfs(driver, name string) string {
	if name == "" || strings.Trim(name, "0123456789abcdefghijklmnopqrstuvwxyz-_") != "" {
		return ""
	}
	return dockerRootfs(driver, name)
}

// dockerRootfs: daemon/graphdriver of moby, a package for each.
func dockerRootfs(driver, name string) string {
	switch driver {
	case "overlay2", "overlay", "fuse-overlayfs":
		return path.Join(driver, name, "merged")
	case "devicemapper":
		return path.Join(driver, "mnt", name, "rootfs")
	case "aufs":
		return path.Join(driver, "mnt", name)
	case "btrfs":
		return path.Join(driver, "subvolumes", name)
	case "zfs":
		return path.Join(driver, "graph", name)
	case "vfs":
		return path.Join(driver, "dir", name)
	case "overlayfs", "native": // containerd's snapshotters
		return path.Join("rootfs", driver, name)
	}
	return ""
}
