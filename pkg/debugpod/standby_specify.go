package debugpod

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/payload"
)

// standbyNodes are those that get one, by architecture.
func standbyNodes(ctx context.Context, client kubernetes.Interface, chosen labels.Selector) (map[string][]corev1.Node, error) {
	selector := ""
	if chosen != nil {
		selector = chosen.String()
	}
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: selector, ResourceVersion: "0"})
	if err != nil {
		return nil, fmt.Errorf("failed to list the nodes: %w", err)
	}
	byArch := map[string][]corev1.Node{}
	for _, n := range list.Items {
		if arch := n.Labels[corev1.LabelArchStable]; Unfit(&n) == "" && slices.Contains(payload.Architectures(), arch) {
			byArch[arch] = append(byArch[arch], n)
		}
	}
	if len(byArch) == 0 {
		return nil, errors.New("no node that could have a standby has these labels: see `kubectl get nodes --show-labels`")
	}
	return byArch, nil
}

// specifyStandby decides what the DaemonSet of an architecture depends on, and asks
// admission what it makes of its pods.
func specifyStandby(ctx context.Context, client kubernetes.Interface, cfg Config, arch string, nodes []corev1.Node, chosen labels.Selector,
	probe func(string) ([]byte, error), warn func(string),
) (standbySpec, error) {
	nonce, err := newNonce()
	if err != nil {
		return standbySpec{}, err
	}
	survey := &Survey{}
	if err := askAll(ctx, client, cfg, []question{survey.askVersion, survey.askRanges}); err != nil {
		return standbySpec{}, err
	}
	image := commonImage(cfg, nodes)
	warnOfImage(cfg, arch, image, warn)
	image.pull = corev1.PullIfNotPresent // nodes that come later may lack it
	resources, critical := chooseResources(roomOfAll(ctx, client, nodes), survey.ranges)
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		least, _ := bounds(survey.ranges, name)
		resources.Requests[name] = least // it sleeps
	}
	s := standbySpec{selector: chosen, podSpec: podSpec{
		namespace: cfg.Namespace, nonce: nonce, arch: arch, image: image, pullSecret: cfg.PullSecret, profile: cfg.Profile,
		server: survey.server, resources: resources, critical: critical, version: cfg.Version,
	}}
	if !critical {
		warn(fmt.Sprintf("some %s nodes have no known room for one more pod, and others must not yield to it: without class %s a node under pressure may refuse the standby or evict it", arch, criticalClass))
	}
	if image.by != byItself {
		if err := s.pack(probe); err != nil {
			return s, err
		}
	}
	return s, admitStandby(ctx, client, &s, nodes[0].Name, warn)
}

func warnOfImage(cfg Config, arch string, image imageChoice, warn func(string)) {
	switch {
	case image.by == byHostShell:
		warn(fmt.Sprintf("the %s nodes have no image in common that is known to carry a shell, so the standbys run the nodes' own, with %s "+
			"mounted read-only into image %s; name an image with a shell by --image, or one that holds the probe by --probe-image, to have these not mounted",
			arch, strings.Join(hostDirs(arch), ", "), image.name))
	case !image.onNode && cfg.Image == "" && cfg.ProbeImage == "":
		warn(fmt.Sprintf("the %s nodes have no image in common that is known to serve: they may have to pull %s; name another by --image", arch, image.name))
	}
}

// pack has the probe in it, for ConfigMaps.
func (s *standbySpec) pack(probe func(string) ([]byte, error)) error {
	binary, err := probe(s.arch)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(binary)
	s.sum = hex.EncodeToString(sum[:])
	if s.packed, err = gzipped(binary); err != nil {
		return fmt.Errorf("failed to pack the probe: %w", err)
	}
	return nil
}

func gzipped(b []byte) ([]byte, error) {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = z.Write(b)
	err = errors.Join(err, z.Close())
	return packed.Bytes(), err
}

// admitStandby asks, by a dry run, for a pod as the DaemonSet would make it: of the
// DaemonSet itself most policies think nothing.
func admitStandby(ctx context.Context, client kubernetes.Interface, s *standbySpec, node string, warn func(string)) error {
	try := func() (asked, got *corev1.Pod, err error) {
		template := standbySet(*s).Spec.Template
		asked = &corev1.Pod{ObjectMeta: *template.ObjectMeta.DeepCopy(), Spec: *template.Spec.DeepCopy()}
		asked.Namespace, asked.Name, asked.Spec.NodeName = s.namespace, standbyName(s.arch)+"-"+s.nonce, node
		got, err = dryRun(ctx, client, asked)
		return asked, got, err
	}
	asked, got, err := try()
	if s.critical && (apierrors.IsForbidden(err) || apierrors.IsInvalid(err)) && !isPodSecurity(err) {
		s.critical = false
		if again, plain, plainErr := try(); plainErr == nil {
			warn(fmt.Sprintf("namespace %q may not use priority class %s: a node under pressure may refuse the standby or evict it (%v)", s.namespace, criticalClass, err))
			asked, got, err = again, plain, nil
		}
	}
	switch {
	case apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "dry run"):
		return nil
	case err != nil:
		return explainRejection(ctx, client, asked, err)
	}
	if fatal, _ := mutations(asked, got); len(fatal) > 0 {
		return mutationError(s.namespace, fatal)
	}
	return nil
}
