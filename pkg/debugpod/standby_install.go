package debugpod

import (
	"context"
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
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
	if err != nil {
		return nil //nolint:nilerr // what is in other namespaces is not ours to see
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
