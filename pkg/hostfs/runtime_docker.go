package hostfs

import (
	"encoding/json"
	"fmt"
	"path"
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
		ID: f.ID, Runtime: "docker", Image: f.Config.Image,
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
