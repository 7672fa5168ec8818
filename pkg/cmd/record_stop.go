package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
)

// stopAll ends recorders: of the nodes that are named or chosen, else of the
// namespace. A node need not be there any more.
func (o *recordOptions) stopAll(ctx context.Context, s *source) error {
	s.progress.show("looking for recorders")
	at, err := s.reach()
	if err != nil {
		return err
	}
	targets, err := o.toStop(ctx, at)
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		s.progress.clear()
		_, err := fmt.Fprintf(o.streams.Out, "no recorder in namespace %s\n", at.namespace)
		return unlessReaderLeft(err)
	}
	parallel := o.maxParallel
	if parallel == 0 {
		parallel = atATime(len(targets))
	}
	shown := newFleetProgress(s.progress)
	visits := visitAll(ctx, targets, parallel, func(ctx context.Context, node string) (string, error) {
		r, err := debugpod.GetRecorder(ctx, at.clients.Kube, at.namespace, node)
		if errors.Is(err, debugpod.ErrNoRecorder) {
			if o.selector != "" { // nobody said that this one has any
				return "nothing records it", nil
			}
			return "", noRecorder(ctx, at, node)
		}
		if err != nil {
			return "", err
		}
		return "stopped", r.Stop(at.clients.Kube, o.kubectl(), removePatience)
	}, shown.tell)
	shown.clear()
	return o.say(visits)
}

func (o *recordOptions) toStop(ctx context.Context, at *cluster) ([]target, error) {
	var targets []target
	switch {
	case len(o.nodes) > 0:
		for _, node := range o.nodes {
			targets = append(targets, target{node: node})
		}
		return targets, nil
	case o.selector != "":
		chosen, err := allNodes(ctx, at.clients.Kube, o.selector)
		for _, t := range chosen {
			targets = append(targets, target{node: t.node})
		}
		return targets, err
	}
	all, err := debugpod.Recorders(ctx, at.clients.Kube, at.namespace)
	for _, r := range all {
		targets = append(targets, target{node: r.Node})
	}
	return targets, err
}

// noRecorder says where else there is one, or how to start one.
func noRecorder(ctx context.Context, at *cluster, node string) error {
	if r, found := recorderElsewhere(ctx, at, node); found {
		return fmt.Errorf("no recorder of node %q in namespace %q: it is in %q, add --pod-namespace %s", node, at.namespace, r.Namespace, r.Namespace)
	}
	if _, err := debugpod.GetNode(ctx, at.clients.Kube, node); err != nil {
		return err
	}
	return fmt.Errorf("nothing records node %q in namespace %q: start with `kubectl nodedoc record %s`", node, at.namespace, node)
}
