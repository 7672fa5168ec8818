package debugpod

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// plan is what preflight found out. Nothing has been created yet.
type plan struct {
	node      *corev1.Node
	nonce     string
	probe     []byte
	pod       *corev1.Pod // admitted by a dry run
	webSocket bool
}

// preflight refuses whatever can be refused before a pod exists.
func preflight(ctx context.Context, client kubernetes.Interface, cfg Config, by parts, warn func(string)) (*plan, error) {
	access, err := checkAccess(ctx, client, cfg.Namespace)
	if err != nil {
		return nil, err
	}
	if access.unchecked != nil {
		warn(fmt.Sprintf("whether you may delete the pod again is not known: %v", access.unchecked))
	}
	node, err := getNode(ctx, client, cfg.Node)
	if err != nil {
		return nil, err
	}
	if err := checkNode(node); err != nil {
		return nil, err
	}
	warnOfNode(node, warn)
	probe, err := by.probe(architecture(node))
	if err != nil {
		return nil, err
	}
	if len(probe) > maxProbeBytes {
		return nil, fmt.Errorf("the probe has %d bytes, its volume %d: this build is broken", len(probe), maxProbeBytes)
	}
	p := &plan{node: node, probe: probe, webSocket: access.webSocket}
	if p.nonce, err = newNonce(); err != nil {
		return nil, err
	}
	spec, err := specify(ctx, client, cfg, p, warn)
	if err != nil {
		return nil, err
	}
	p.pod, err = admit(ctx, client, spec, warn)
	return p, err
}

// specify decides all that the pod depends on.
func specify(ctx context.Context, client kubernetes.Interface, cfg Config, p *plan, warn func(string)) (podSpec, error) {
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		return podSpec{}, fmt.Errorf("failed to ask the API server's version: %w", err)
	}
	image := chooseImage(cfg.Image, p.node.Status.Images)
	if !image.onNode && cfg.Image == "" {
		warn(fmt.Sprintf("node %q lists no image that is known to carry a shell: it may have to pull %s; name one that it has with --image",
			p.node.Name, image.name))
	}
	room := findRoom(ctx, client, p.node)
	resources, critical := chooseResources(room, limitRanges(ctx, client, cfg.Namespace))
	if pressed := pressures(p.node); !critical && len(pressed) > 0 {
		warn(fmt.Sprintf("node %q is under %s and has no known room for a critical pod: it may refuse this one",
			p.node.Name, strings.Join(pressed, ", ")))
	}
	return podSpec{
		namespace:       cfg.Namespace,
		name:            podName(p.node.Name, p.nonce),
		nonce:           p.nonce,
		node:            p.node.Name,
		image:           image,
		pullSecret:      cfg.PullSecret,
		profile:         cfg.Profile,
		server:          parseServerVersion(version),
		resources:       resources,
		critical:        critical,
		lifetimeSeconds: int64(cfg.Lifetime.Seconds()),
		version:         cfg.Version,
		command:         command(p.nonce, p.probe),
	}, nil
}

func warnOfNode(node *corev1.Node, warn func(string)) {
	if why := notReady(node); why != "" {
		warn(why + ": a new pod may never start there")
	}
}

func architecture(node *corev1.Node) string {
	if arch := node.Status.NodeInfo.Architecture; arch != "" {
		return arch
	}
	return node.Labels[corev1.LabelArchStable]
}

// limitRanges are the namespace's, or none if they are not ours to list: then
// the dry run tells.
func limitRanges(ctx context.Context, client kubernetes.Interface, namespace string) []corev1.LimitRange {
	list, err := client.CoreV1().LimitRanges(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil
	}
	return list.Items
}
