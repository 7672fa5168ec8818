package debugpod

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/payload"
)

const daemonSets, configMaps = "daemonsets", "configmaps"

// installVerbs are what putting standbys on nodes takes, and taking them away again.
func installVerbs() []verb {
	var all []verb
	for _, resource := range []string{daemonSets, configMaps} {
		for _, v := range []string{"get", "list", "create", "update", "delete"} {
			all = append(all, verb{v, resource, "", false})
		}
	}
	return append(all, verb{"list", "nodes", "", false}, verb{"create", "pods", "", false})
}

// InstallStandby puts a sleeping probe on the nodes that have the labels, nil: on all,
// or renews what is there. Config says where, of which image and what it may do; its
// Node is not heeded. It returns the nodes that get one, before any runs.
func InstallStandby(ctx context.Context, c Clients, cfg Config, chosen labels.Selector, progress, warn func(string)) ([]string, error) {
	cfg = cfg.withDefaults()
	ctx, cancel := bounded(ctx, cfg.CheckTimeout, "the API server (or the credential plugin) did not answer")
	defer cancel()
	type result struct {
		nodes    []string
		warnings []string
	}
	r, err := within(ctx, func(ctx context.Context) (r result, err error) {
		r.nodes, err = installStandby(ctx, c.Kube, cfg, chosen, payload.Probe, func(w string) { r.warnings = append(r.warnings, w) })
		return r, err
	})
	for _, w := range r.warnings {
		warn(w)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	progress("starting the standbys")
	return r.nodes, err
}

func installStandby(ctx context.Context, client kubernetes.Interface, cfg Config, chosen labels.Selector, probe func(string) ([]byte, error), warn func(string)) ([]string, error) {
	if _, err := checkAccess(ctx, client, cfg.Namespace, installVerbs()); err != nil {
		return nil, err
	}
	if err := noOtherPlace(ctx, client, cfg); err != nil {
		return nil, err
	}
	byArch, err := standbyNodes(ctx, client, chosen)
	if err != nil {
		return nil, err
	}
	warnOfWaysIn(ctx, client, cfg, warn)
	specs := make([]standbySpec, 0, len(byArch))
	var names []string
	for _, arch := range slices.Sorted(maps.Keys(byArch)) {
		s, err := specifyStandby(ctx, client, cfg, arch, byArch[arch], chosen, probe, warn)
		if err != nil {
			return nil, err
		}
		specs = append(specs, s)
		for _, n := range byArch[arch] {
			names = append(names, n.Name)
		}
	}
	for _, s := range specs {
		if err := applyStandby(ctx, client, s); err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	return names, removeStale(ctx, client, cfg.Namespace, specs)
}

// noOtherPlace: a node has one standby.
func noOtherPlace(ctx context.Context, client kubernetes.Interface, cfg Config) error {
	list, err := client.AppsV1().DaemonSets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{LabelSelector: standbySelector()})
	if err != nil { // what is in other namespaces is not ours to see
		return nil
	}
	for _, d := range list.Items {
		if d.Namespace != cfg.Namespace {
			return fmt.Errorf("there are standbys in namespace %q already: renew those with --pod-namespace %s, or uninstall them first", d.Namespace, d.Namespace)
		}
	}
	return nil
}

// warnOfWaysIn says what the user will lack when a standby is to be asked.
func warnOfWaysIn(ctx context.Context, client kubernetes.Interface, cfg Config, warn func(string)) {
	for _, v := range []struct {
		verb
		loses, hint string
	}{
		{verb{"create", "pods", "attach", false}, "ask a standby", verb{"create", "pods", "attach", false}.hint(cfg.Namespace)},
		{verb{"get", "nodes", "proxy", false}, "read what a standby keeps for when the runtime hangs, too", hintNodesProxy},
	} {
		if ok, err := allowed(ctx, client, cfg.Namespace, v.verb); err == nil && !ok {
			warn(fmt.Sprintf("you may not %s %s, so you cannot %s: %s", v.verb.verb, v.resourceName(), v.loses, v.hint))
		}
	}
}

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
	switch {
	case image.by == byHostShell:
		warn(fmt.Sprintf("the %s nodes have no image in common that is known to carry a shell, so the standbys run the nodes' own, with %s "+
			"mounted read-only into image %s; name an image with a shell by --image, or one that holds the probe by --probe-image, to have these not mounted",
			arch, strings.Join(hostDirs(arch), ", "), image.name))
	case !image.onNode && cfg.Image == "" && cfg.ProbeImage == "":
		warn(fmt.Sprintf("the %s nodes have no image in common that is known to serve: they may have to pull %s; name another by --image", arch, image.name))
	}
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
		binary, err := probe(arch)
		if err != nil {
			return s, err
		}
		sum := sha256.Sum256(binary)
		s.sum = hex.EncodeToString(sum[:])
		if s.packed, err = gzipped(binary); err != nil {
			return s, fmt.Errorf("failed to pack the probe: %w", err)
		}
	}
	return s, admitStandby(ctx, client, &s, nodes[0].Name, warn)
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

// applyStandby creates or renews what one architecture needs, the DaemonSet last.
func applyStandby(ctx context.Context, client kubernetes.Interface, s standbySpec) error {
	for _, part := range packedParts(s) {
		_, err := client.CoreV1().ConfigMaps(s.namespace).Create(ctx, part, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) { // its name tells what is in it
			return fmt.Errorf("failed to create ConfigMap %q: %w", part.Name, err)
		}
	}
	sets, set := client.AppsV1().DaemonSets(s.namespace), standbySet(s)
	_, err := sets.Create(ctx, set, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		var there *appsv1.DaemonSet
		if there, err = sets.Get(ctx, set.Name, metav1.GetOptions{}); err == nil {
			set.ResourceVersion = there.ResourceVersion
			_, err = sets.Update(ctx, set, metav1.UpdateOptions{})
		}
	}
	if err != nil {
		return fmt.Errorf("failed to create DaemonSet %q: %w", set.Name, err)
	}
	return nil
}

// removeStale deletes what an earlier installation left: nothing of it is needed by a
// pod that runs.
func removeStale(ctx context.Context, client kubernetes.Interface, namespace string, specs []standbySpec) error {
	needed := map[string]bool{}
	for _, s := range specs {
		needed[daemonSets+standbyName(s.arch)] = true
		for _, part := range packedParts(s) {
			needed[configMaps+part.Name] = true
		}
	}
	return deleteStandby(ctx, client, namespace, func(kind, name string) bool { return !needed[kind+name] })
}

// deleteStandby deletes the DaemonSets, with their pods, and then the ConfigMaps.
func deleteStandby(ctx context.Context, client kubernetes.Interface, namespace string, which func(kind, name string) bool) error {
	o := metav1.ListOptions{LabelSelector: standbySelector()}
	sets, err := client.AppsV1().DaemonSets(namespace).List(ctx, o)
	if err != nil {
		return fmt.Errorf("failed to list the DaemonSets of standbys: %w", err)
	}
	maps, err := client.CoreV1().ConfigMaps(namespace).List(ctx, o)
	if err != nil {
		return fmt.Errorf("failed to list the ConfigMaps of standbys: %w", err)
	}
	var failed []error
	check := func(kind string, m metav1.Object, err error) {
		if err != nil && !apierrors.IsNotFound(err) {
			failed = append(failed, fmt.Errorf("failed to delete %s %s/%s: %w", kind, m.GetNamespace(), m.GetName(), err))
		}
	}
	background := metav1.DeletePropagationBackground
	for _, d := range sets.Items {
		if which(daemonSets, d.Name) {
			check("DaemonSet", &d, client.AppsV1().DaemonSets(d.Namespace).Delete(ctx, d.Name, metav1.DeleteOptions{PropagationPolicy: &background}))
		}
	}
	for _, m := range maps.Items {
		if which(configMaps, m.Name) {
			check("ConfigMap", &m, client.CoreV1().ConfigMaps(m.Namespace).Delete(ctx, m.Name, metav1.DeleteOptions{}))
		}
	}
	return errors.Join(failed...)
}

// UninstallStandby removes all of a namespace, "" for all of the cluster, and waits
// until the pods are gone; those that stay are returned.
func UninstallStandby(ctx context.Context, client kubernetes.Interface, namespace string, timeout time.Duration) (removed, left []Standby, err error) {
	ctx, cancel := bounded(ctx, timeout+45*time.Second, "the API server did not answer")
	defer cancel()
	if removed, err = Standbys(ctx, client, namespace); err != nil {
		return nil, nil, err
	}
	_, err = within(ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, deleteStandby(ctx, client, namespace, func(string, string) bool { return true })
	})
	if err != nil {
		return nil, nil, err
	}
	for end := time.Now().Add(timeout); ; {
		if left, err = Standbys(ctx, client, namespace); err == nil && len(left) == 0 || time.Now().After(end) {
			return removed, left, err
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return removed, left, err
		}
	}
}
