package debugpod

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
)

// plan is what preflight found out. Nothing has been created yet.
type plan struct {
	node      *corev1.Node
	nonce     string
	probe     []byte      // what is delivered; nothing where the image holds it
	pod       *corev1.Pod // admitted by a dry run
	webSocket bool
	// sick is why the node may never start the pod, "" if nothing says so.
	sick string
}

// preflight refuses whatever can be refused before a pod exists.
func preflight(ctx context.Context, client kubernetes.Interface, cfg Config, by parts, warn func(string)) (*plan, error) {
	found, err := lookAround(ctx, client, cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Survey == nil { // else it has been said
		found.access.warn(warn)
	}
	if err := checkNode(found.node); err != nil {
		return nil, err
	}
	p := &plan{node: found.node, webSocket: found.access.webSocket}
	if cfg.ProbeImage == "" {
		if p.probe, err = by.probe(architecture(found.node)); err != nil {
			return nil, err
		}
	}
	if len(p.probe) > maxProbeBytes {
		return nil, fmt.Errorf("the probe has %d bytes, its volume %d: this build is broken", len(p.probe), maxProbeBytes)
	}
	if p.nonce, err = newNonce(); err != nil {
		return nil, err
	}
	var now serverTime
	if p.pod, now, err = admit(ctx, client, specify(cfg, found, p, warn), warn); err != nil {
		return nil, err
	}
	if p.sick = notReady(found.node); p.sick == "" {
		p.sick = leaseExpired(found.node, found.lease, now)
	}
	if p.sick != "" {
		if cfg.elsewhere(ctx) {
			return nil, &ElsewhereError{Why: errors.New(p.sick)}
		}
		warn(p.sick + ": a new pod may never start there; if none does, " + otherWay(cfg.Kubectl, cfg.Node))
	}
	return p, nil
}

// specify decides all that the pod depends on.
func specify(cfg Config, found *surroundings, p *plan, warn func(string)) podSpec {
	image := chooseImage(cfg, p.node)
	switch {
	case image.by == byHostShell:
		warn(fmt.Sprintf("node %q lists no image that is known to carry a shell, so the pod runs the node's own, with the node's %s "+
			"mounted read-only into image %s; name an image with a shell by --image to have nothing mounted",
			p.node.Name, strings.Join(hostDirs(architecture(p.node)), ", "), image.name))
	case !image.onNode && image.by == byImageShell && cfg.Image == "":
		warn(fmt.Sprintf("node %q lists no image that is known to carry a shell: it may have to pull %s; name one that it has with --image",
			p.node.Name, image.name))
	}
	room := room{}
	if found.podsKnown {
		room = roomBeside(p.node, found.pods)
	}
	resources, critical := chooseResources(room, found.ranges)
	if pressed := pressures(p.node); !critical && len(pressed) > 0 {
		warn(fmt.Sprintf("node %q is under %s and has no known room for a critical pod: it may refuse this one",
			p.node.Name, strings.Join(pressed, ", ")))
	}
	name := podName(p.node.Name, p.nonce)
	if cfg.Record != nil {
		name = recorderName(p.node.Name)
	}
	return podSpec{
		namespace:       cfg.Namespace,
		name:            name,
		nonce:           p.nonce,
		node:            p.node.Name,
		arch:            architecture(p.node),
		image:           image,
		pullSecret:      cfg.PullSecret,
		profile:         cfg.Profile,
		server:          found.server,
		resources:       resources,
		critical:        critical,
		lifetimeSeconds: int64(cfg.Lifetime.Seconds()),
		version:         cfg.Version,
		command:         command(image.by, p.nonce, p.probe),
		record:          cfg.Record,
	}
}

func architecture(node *corev1.Node) string {
	if arch := node.Status.NodeInfo.Architecture; arch != "" {
		return arch
	}
	return node.Labels[corev1.LabelArchStable]
}
