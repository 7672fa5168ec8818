package hostfs

import (
	"encoding/json"
	"fmt"
	"path"
)

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
