package debugpod

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

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
