package debugpod

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// StandbyNamespace is where standbys are, unless somebody chose another place: every
// cluster has it, and lets critical pods and those that see the host run there.
const StandbyNamespace = metav1.NamespaceSystem

// labelStandby marks all that belongs to standbys, with the architecture of their
// nodes.
const labelStandby = "nodedoc.io/standby"

// Standby is a probe that is on a node already, asleep.
type Standby struct {
	Node, Namespace, Pod string
	// Version of the plugin that put it there.
	Version string
	// Running: its container runs. Why says why not.
	Running bool
	Why     string

	pod *corev1.Pod
}

func isStandby(p *corev1.Pod) bool { return p.Labels[labelStandby] != "" }

// seesNode: a label anybody may set, who may run a pod. One that sees the host's processes
// and writes to its disk has the node anyhow, and no need to lie to us.
func seesNode(p *corev1.Pod) bool {
	return p.Spec.HostPID && slices.ContainsFunc(p.Spec.Volumes, func(v corev1.Volume) bool {
		return v.HostPath != nil && v.HostPath.Path == report.KeptDir
	})
}

func asStandby(p *corev1.Pod) Standby {
	s := Standby{Node: p.Spec.NodeName, Namespace: p.Namespace, Pod: p.Name, Version: p.Annotations[annotationVersion], pod: p}
	if s.Node == "" { // the scheduler has not bound it yet
		s.Node = affinityNode(p)
	}
	running, why, err := stateOf(p)
	switch {
	case p.DeletionTimestamp != nil:
		s.Why = "its pod is being deleted"
	case running:
		s.Running = true
	case err != nil:
		s.Why = err.Error()
	default:
		s.Why = cmp.Or(why, "its pod has not started")
	}
	return s
}

// affinityNode is the node that the DaemonSet's controller made a pod for.
func affinityNode(p *corev1.Pod) string {
	if p.Spec.Affinity == nil || p.Spec.Affinity.NodeAffinity == nil || p.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return ""
	}
	for _, term := range p.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		for _, f := range term.MatchFields {
			if f.Key == metav1.ObjectNameField && len(f.Values) == 1 {
				return f.Values[0]
			}
		}
	}
	return ""
}

// ErrNoStandby says that a node has none, as far as may be seen.
var ErrNoStandby = errors.New("there is no standby on this node")

// standbyPatience bounds the search: where it is looked for, things have gone wrong,
// maybe the way to the API server itself.
const standbyPatience = 5 * time.Second

// FindStandby finds a node's standby: in any namespace or, where the pods of all are
// not ours to list, in those given and the usual one. One that runs comes first.
func FindStandby(ctx context.Context, client kubernetes.Interface, node string, namespaces ...string) (Standby, error) {
	ctx, cancel := bounded(ctx, standbyPatience, "the API server did not answer")
	defer cancel()
	list := func(namespace string) ([]Standby, error) {
		return within(ctx, func(ctx context.Context) ([]Standby, error) {
			return listStandbys(ctx, client, namespace, fields.OneTermEqualSelector("spec.nodeName", node).String())
		})
	}
	all, err := list(metav1.NamespaceAll)
	if apierrors.IsForbidden(err) {
		err = nil
		for _, namespace := range slices.Compact(append(namespaces, StandbyNamespace)) {
			some, oneErr := list(namespace)
			all, err = append(all, some...), errors.Join(err, oneErr)
		}
	}
	if len(all) > 0 {
		return slices.MinFunc(all, func(a, b Standby) int { return cmp.Compare(b2i(b.Running), b2i(a.Running)) }), nil
	}
	if err != nil {
		return Standby{}, fmt.Errorf("failed to look for a standby on node %q: %w", node, err)
	}
	return Standby{}, ErrNoStandby
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Standbys lists those of a namespace, "" for all, by node.
func Standbys(ctx context.Context, client kubernetes.Interface, namespace string) ([]Standby, error) {
	ctx, cancel := bounded(ctx, 2*standbyPatience, "the API server did not answer")
	defer cancel()
	all, err := within(ctx, func(ctx context.Context) ([]Standby, error) { return listStandbys(ctx, client, namespace, "") })
	if err != nil {
		return nil, fmt.Errorf("failed to list the standbys: %w", err)
	}
	slices.SortFunc(all, func(a, b Standby) int { return strings.Compare(a.Node+"\x00"+a.Pod, b.Node+"\x00"+b.Pod) })
	return all, nil
}

func listStandbys(ctx context.Context, client kubernetes.Interface, namespace, fieldSelector string) ([]Standby, error) {
	list, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: standbySelector(), FieldSelector: fieldSelector})
	if err != nil {
		return nil, err
	}
	all := make([]Standby, 0, len(list.Items))
	for i := range list.Items {
		if seesNode(&list.Items[i]) {
			all = append(all, asStandby(&list.Items[i]))
		}
	}
	return all, nil
}

func standbySelector() string {
	return labelName + "=" + appName + "," + labelManagedBy + "=" + managedBy + "," + labelStandby
}
