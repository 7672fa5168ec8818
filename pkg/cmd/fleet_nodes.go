package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/pager"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

// nodesPerPage bounds what is decoded at once: a node with its images has 30 KB.
const nodesPerPage = 200

// allNodes are those that the selector of labels chooses, "" for all, by name.
// Resource version 0 is served from the API server's cache.
func allNodes(ctx context.Context, client kubernetes.Interface, selector string) ([]target, error) {
	var targets []target
	list := pager.New(func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		return client.CoreV1().Nodes().List(ctx, o)
	})
	list.PageSize = nodesPerPage
	err := list.EachListItem(ctx, metav1.ListOptions{LabelSelector: selector, ResourceVersion: "0"}, func(o runtime.Object) error {
		n, ok := o.(*corev1.Node)
		if !ok {
			return fmt.Errorf("a %T is no node", o)
		}
		targets = append(targets, judge(n))
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("failed to list the nodes (name some, where you may not): %w", err)
	case len(targets) == 0 && selector != "":
		return nil, fmt.Errorf("no node has the labels %s: see `kubectl get nodes --show-labels`", selector)
	case len(targets) == 0:
		return nil, errors.New("the cluster has no nodes")
	}
	slices.SortFunc(targets, func(a, b target) int { return strings.Compare(a.node, b.node) })
	return targets, nil
}

// judge leaves out what cannot answer: nobody has asked for this node by name.
func judge(n *corev1.Node) target {
	t := target{node: n.Name}
	if why := debugpod.Unfit(n); why != "" {
		t.state, t.reason = printer.NodeSkipped, why
	} else if why := debugpod.NotReadySince(n); why != "" {
		t.state, t.reason = printer.NodeFailed, why+"; name it to try"
	}
	return t
}

// namedNodes must exist. A node that is named is asked even if it is not ready.
func namedNodes(ctx context.Context, client kubernetes.Interface, names []string) ([]target, error) {
	targets := make([]target, 0, len(names))
	for _, name := range names {
		targets = append(targets, target{node: name})
	}
	var errs []error
	for i, v := range visitAll(ctx, targets, 16, func(ctx context.Context, name string) (*corev1.Node, error) {
		return debugpod.GetNode(ctx, client, name)
	}, func(tally) {}) {
		switch {
		case v.err != nil:
			errs = append(errs, v.err)
		case v.state != printer.NodeAnswered:
			return nil, context.Cause(ctx)
		default:
			if why := debugpod.Unfit(v.value); why != "" {
				targets[i].state, targets[i].reason = printer.NodeFailed, why
			}
		}
	}
	return targets, errors.Join(errs...)
}

// atATime is how many nodes are asked at once by default: a tenth, at least 5.
func atATime(nodes int) int { return max(5, (nodes+9)/10) }

// targets are the nodes to ask, those named or those with the labels, and how many
// at a time; parallel 0: the default. The cluster gets a survey for all of them.
func (s *source) targets(ctx context.Context, named []string, selector string, parallel int) ([]target, int, error) {
	s.progress.show("listing the nodes")
	at, err := s.reach()
	if err != nil {
		return nil, 0, err
	}
	var targets []target
	if len(named) > 0 {
		targets, err = namedNodes(ctx, at.clients.Kube, named)
	} else {
		targets, err = allNodes(ctx, at.clients.Kube, selector)
	}
	if err != nil {
		return nil, 0, err
	}
	toAsk := 0
	for _, t := range targets {
		if t.state == "" {
			toAsk++
		}
	}
	if parallel == 0 {
		parallel = atATime(toAsk)
	}
	// The same cluster, with room for as many at a time.
	if at.clients, _, err = s.env.clients(parallel); err != nil || toAsk == 0 || s.flags.standby {
		return targets, parallel, err
	}
	at.survey, err = debugpod.NewSurvey(ctx, at.clients, s.podConfig("", at, 0), s.progress.warn)
	return targets, parallel, err
}

// addNodes takes nodes off arguments, each once.
func addNodes(nodes *[]string, args []string) error {
	for _, node := range args {
		if node == "" {
			return errors.New("a node's name is empty: leave it away to ask all nodes")
		}
		if !slices.Contains(*nodes, node) {
			*nodes = append(*nodes, node)
		}
	}
	return nil
}
