package debugpod

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// defaultImage is used where the node has no image that is known to serve.
const defaultImage = "docker.io/library/busybox:1.36"

type imageChoice struct {
	name string
	pull corev1.PullPolicy
	// onNode: the node says that it has this image.
	onNode bool
	by     starter
}

// starter is what starts the probe in the container.
type starter int

const (
	// byImageShell: the image's sh receives the probe and starts it.
	byImageShell starter = iota
	// byHostShell: the node's own sh does, mounted into any image.
	byHostShell
	// byItself: the image holds the probe.
	byItself
)

// knownImages are repositories whose images carry sh, head, sha256sum and
// chmod, best first: small bases, distributions, then what runs on many nodes
// for other reasons and is built on one of those. Only whole names count, the
// registry included: the image runs privileged on the node, and anybody who
// may run a pod there can bring an image called somebody/busybox.
func knownImages() []string {
	return []string{
		"docker.io/library/busybox",
		"docker.io/rancher/mirrored-library-busybox",
		"public.ecr.aws/docker/library/busybox",
		"mirror.gcr.io/library/busybox",
		"registry.k8s.io/e2e-test-images/busybox",
		"docker.io/library/alpine",
		"public.ecr.aws/docker/library/alpine",
		"mirror.gcr.io/library/alpine",
		"docker.io/nicolaka/netshoot",
		"docker.io/library/debian",
		"docker.io/library/ubuntu",
		"public.ecr.aws/docker/library/debian",
		"public.ecr.aws/docker/library/ubuntu",
		"registry.access.redhat.com/ubi9/ubi",
		"registry.access.redhat.com/ubi9/ubi-minimal",
		"registry.access.redhat.com/ubi8/ubi",
		"registry.access.redhat.com/ubi8/ubi-minimal",
		"docker.io/library/rockylinux",
		"docker.io/library/almalinux",
		"docker.io/library/fedora",
		"docker.io/library/centos",
		"public.ecr.aws/amazonlinux/amazonlinux",
		// built on busybox
		"quay.io/prometheus/busybox",
		"quay.io/prometheus/node-exporter",
		"quay.io/prometheus/prometheus",
		"quay.io/prometheus/alertmanager",
		"docker.io/prom/node-exporter",
		// built on Alpine
		"docker.io/flannel/flannel",
		"docker.io/rancher/mirrored-flannelcni-flannel",
		"quay.io/coreos/flannel",
		"docker.io/rancher/klipper-lb",
		"docker.io/rancher/klipper-helm",
		"registry.k8s.io/ingress-nginx/controller",
		// built on Debian, Ubuntu or CentOS
		"quay.io/cilium/cilium",
		"quay.io/ceph/ceph",
		"gcr.io/datadoghq/agent",
		"docker.io/library/nginx",
		"docker.io/library/redis",
		"docker.io/library/postgres",
		"docker.io/library/httpd",
		"docker.io/library/python",
		"docker.io/library/node",
	}
}

// chooseImage prefers what the user asked for, then the best of the images
// that the node has, since it may be unable to pull any: one that is known to
// carry a shell, else any, with the node's own shell. The kubelet lists the 50
// largest images only, so a small one can be there unlisted: the default's
// pull policy lets the kubelet find it.
func chooseImage(cfg Config, node *corev1.Node) imageChoice {
	onNode := usable(node.Status.Images, cfg.refused)
	named := func(name string, by starter) imageChoice {
		return imageChoice{name: name, pull: corev1.PullIfNotPresent, onNode: hasImage(name, onNode), by: by}
	}
	switch {
	case cfg.ProbeImage != "":
		return named(cfg.ProbeImage, byItself)
	case cfg.Image != "":
		return named(cfg.Image, byImageShell)
	}
	if known := knownImage(onNode); known != "" {
		return imageChoice{name: known, pull: corev1.PullNever, onNode: true}
	}
	if local := anyImage(onNode); local != "" && mayHaveShell(node) {
		return imageChoice{name: local, pull: corev1.PullNever, onNode: true, by: byHostShell}
	}
	return named(defaultImage, byImageShell)
}

// usable are the images without the names that the kubelet has refused.
func usable(images []corev1.ContainerImage, refused []string) []corev1.ContainerImage {
	left := make([]corev1.ContainerImage, 0, len(images))
	for _, image := range images {
		names := slices.DeleteFunc(slices.Clone(image.Names), func(name string) bool { return slices.Contains(refused, name) })
		left = append(left, corev1.ContainerImage{Names: names, SizeBytes: image.SizeBytes})
	}
	return left
}

// knownImage is the best known image that the node has, "" if it has none. A
// tag or digest that the runtime has lost reads "<none>".
func knownImage(onNode []corev1.ContainerImage) string {
	known := knownImages()
	best, bestRank := "", len(known)*2
	for _, image := range onNode {
		for _, name := range image.Names {
			r := slices.Index(known, repository(name))
			if r < 0 || strings.Contains(name, "<none>") {
				continue
			}
			// A tag before a digest: not every runtime finds an image by the
			// digest of an index that it resolved when it pulled.
			r *= 2
			if strings.Contains(name, "@") {
				r++
			}
			if r < bestRank || r == bestRank && name > best {
				best, bestRank = name, r
			}
		}
	}
	return best
}

func hasImage(asked string, onNode []corev1.ContainerImage) bool {
	return slices.ContainsFunc(onNode, func(i corev1.ContainerImage) bool {
		return slices.ContainsFunc(i.Names, func(n string) bool { return qualified(n) == qualified(asked) })
	})
}

// repository is an image's name without tag and digest.
func repository(name string) string {
	name, _, _ = strings.Cut(qualified(name), "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name
}

// qualified spells out what Docker leaves away: "busybox:1.36" is
// "docker.io/library/busybox:1.36".
func qualified(name string) string {
	first, rest, found := strings.Cut(name, "/")
	switch {
	case !found:
		return "docker.io/library/" + name
	case first == "index.docker.io":
		return "docker.io/" + rest
	case strings.ContainsAny(first, ".:") || first == "localhost":
		return name
	}
	return "docker.io/" + name
}
