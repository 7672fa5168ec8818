package hostfs

import (
	"encoding/json"
	"fmt"
)

// RuntimeContainer is what a runtime's file on the node says of one container.
type RuntimeContainer struct {
	ID, Runtime                   string
	Sandbox                       bool
	Name, Image, SandboxID        string
	PodUID, PodName, PodNamespace string
	// State is docker's word for it, "" of others.
	State string
	// Root is where an OCI bundle says that the root directory is: below the
	// bundle if it is not absolute.
	Root string
	// Driver is docker's, which knows where the root directory is.
	Driver string
}

// ParseOCIConfig reads a bundle's config.json (OCI runtime spec), in whose
// annotations containerd's CRI plugin and cri-o leave pod and container. ok is
// false where there are none: not a container of Kubernetes.
//
// Sources: containerd pkg/cri/annotations, cri-o pkg/annotations.
func ParseOCIConfig(id string, b []byte) (c RuntimeContainer, ok bool, err error) {
	var config struct {
		Root struct {
			Path string `json:"path"`
		} `json:"root"`
		Annotations map[string]string `json:"annotations"`
	}
	if err := json.Unmarshal(b, &config); err != nil {
		return c, false, fmt.Errorf("not an OCI config: %w", err)
	}
	a := config.Annotations
	switch {
	case a["io.kubernetes.cri.container-type"] != "":
		c = containerdContainer(a)
	case a["io.kubernetes.cri-o.ContainerType"] != "":
		c = crioContainer(a)
	default:
		return c, false, nil
	}
	c.ID, c.Root = id, config.Root.Path
	if c.Sandbox {
		c.SandboxID, c.Name = id, ""
	}
	return c, true, nil
}

func containerdContainer(a map[string]string) RuntimeContainer {
	const p = "io.kubernetes.cri."
	return RuntimeContainer{
		Runtime: "containerd",
		Sandbox: a[p+"container-type"] == "sandbox",
		Name:    a[p+"container-name"], Image: a[p+"image-name"], SandboxID: a[p+"sandbox-id"],
		// sandbox-uid came with containerd 1.6, the names with 1.3: before that
		// only the sandbox id joins a container to its pod.
		PodUID: a[p+"sandbox-uid"], PodName: a[p+"sandbox-name"], PodNamespace: a[p+"sandbox-namespace"],
	}
}

func crioContainer(a map[string]string) RuntimeContainer {
	image := a["io.kubernetes.cri-o.ImageName"]
	if image == "" {
		image = a["io.kubernetes.cri-o.Image"]
	}
	return RuntimeContainer{
		Runtime: "cri-o",
		Sandbox: a["io.kubernetes.cri-o.ContainerType"] == "sandbox",
		Name:    a["io.kubernetes.container.name"], Image: image, SandboxID: a["io.kubernetes.cri-o.SandboxID"],
		PodUID: a["io.kubernetes.pod.uid"], PodName: a["io.kubernetes.pod.name"], PodNamespace: a["io.kubernetes.pod.namespace"],
	}
}
