package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

// nodeMounts is what is kept of a node's answer, and of its report where the whole
// fleet's is saved.
type nodeMounts struct {
	mounts   correlate.NodeMounts
	findings []diagnose.Finding
	// is says which machine it was, and in which state.
	is report.Node
	// namespace is the inode of the host's mount namespace, 0 if unknown.
	namespace uint64
	// table is there for a script.
	table []report.Mount
}

// reduce keeps of a report what is told of it.
func (o *mountsOptions) reduce(n *correlate.Node) (nodeMounts, error) {
	if n.Report.Mounts == nil {
		return nodeMounts{}, fmt.Errorf("the report has no mounts%s", missingMounts(n.Report))
	}
	m := nodeMounts{mounts: n.Mounts(), findings: o.findingsAbout(n, correlate.Filter{}, "mounts-"), is: n.Report.Node}
	if o.script {
		m.table = n.Report.Mounts.List
	}
	if o.output.human() && o.diff == "" { // a fleet has more volumes in use than anybody wants kept
		m.mounts.Volumes = nil
		for _, v := range n.Mounts().Volumes {
			if printer.IsLeaked(v) || v.State == correlate.VolumeUnknown {
				m.mounts.Volumes = append(m.mounts.Volumes, v)
			}
		}
	}
	for _, ns := range n.Report.Mounts.Namespaces {
		if ns.Host {
			m.namespace = ns.Inode
		}
	}
	return m, nil
}

func missingMounts(r *report.NodeReport) string {
	if len(r.Probe.Failed) > 0 {
		return failures(r)
	}
	return ": make one with mounts --save"
}

// runOne asks one node, or this machine.
func (o *mountsOptions) runOne(ctx context.Context, s *source) error {
	node := strings.Join(o.nodes, "")
	return s.answer(ctx, node, o.request(), func(n *correlate.Node) error {
		m, err := o.reduce(n)
		if err != nil {
			return err
		}
		return o.print([]visit[nodeMounts]{{target: target{node: m.mounts.Node, state: printer.NodeAnswered}, value: m}})
	})
}

// runSaved answers from a file of one node or of many.
func (o *mountsOptions) runSaved(s *source) error {
	items, err := saved.ReadAll(o.source.from, o.streams.In)
	if err != nil {
		return err
	}
	if o.script && len(items) > 1 {
		return fmt.Errorf("a script is for one node, and %q holds %d: save that node alone", o.source.from, len(items))
	}
	var visits []visit[nodeMounts]
	for _, item := range items {
		n := correlate.Join(item.Report, item.Inventory)
		v := visit[nodeMounts]{target: target{node: n.Name(), state: printer.NodeAnswered}}
		if v.value, v.err = o.reduce(n); v.err != nil {
			v.state, v.reason = printer.NodeFailed, v.err.Error()
		}
		visits = append(visits, v)
	}
	if len(visits) == 1 && visits[0].err != nil {
		return visits[0].err
	}
	slices.SortStableFunc(visits, func(a, b visit[nodeMounts]) int { return strings.Compare(a.node, b.node) })
	err = s.saveAll(items)
	return errors.Join(err, unlessReaderLeft(o.print(visits)), fleetError(visits))
}

// saveAll saves what was read once more.
func (s *source) saveAll(items []saved.Item) error {
	switch {
	case s.flags.save == "":
		return nil
	case len(items) == 1:
		return s.save(items[0].Report, items[0].Inventory)
	}
	w, err := saved.NewList(s.flags.save)
	if err != nil {
		return err
	}
	var storage *inventory.Storage
	for _, item := range items {
		_ = w.Add(item.Report, item.Inventory) // Close says it
		if item.Inventory != nil {
			storage = cmp.Or(storage, item.Inventory.Storage)
		}
	}
	return w.Close(storage)
}

// runFleet asks many nodes.
func (o *mountsOptions) runFleet(ctx context.Context, s *source) error {
	defer s.progress.clear()
	targets, parallel, err := s.targets(ctx, o.nodes, o.selector, o.maxParallel)
	if err != nil {
		return err
	}
	s.trySick(ctx, targets)
	keep, err := newKeeper(o.source.save)
	if err != nil {
		return err
	}
	shown := newFleetProgress(s.progress)
	visits := visitAll(ctx, targets, parallel, func(ctx context.Context, node string) (nodeMounts, error) {
		one := *s
		one.progress = shown.ofNode(node)
		return o.askNode(ctx, &one, node, keep)
	}, shown.tell)
	shown.clear()
	err = keep.close(s.storage.last)
	if gone := missing(visits); len(gone) > 0 {
		err = errors.Join(err, fmt.Errorf("no answer from %d of %d nodes: %s", len(gone), len(visits), names(gone)))
	}
	return errors.Join(err, unlessReaderLeft(o.print(visits)), fleetError(visits))
}

// askNode asks one of many.
func (o *mountsOptions) askNode(ctx context.Context, s *source, node string, keep *keeper) (m nodeMounts, err error) {
	at, err := s.openNode(ctx, node, 0)
	if err != nil {
		return m, err
	}
	defer func() {
		if left := at.release(); left != nil && err == nil {
			err = &besideError{left}
		} else {
			err = errors.Join(err, left)
		}
	}()
	r, err := at.collect(ctx, o.request())
	if err != nil {
		return m, err
	}
	received := time.Now()
	at.finish()
	inv := at.inventory(ctx)
	m, err = o.reduce(correlate.Join(r, inv))
	if err == nil && m.mounts.Leaked.Volumes > 0 && inv != nil {
		inv.AddStorage(s.storage.since(ctx, s.cluster.clients.Kube, received))
		m, err = o.reduce(correlate.Join(r, inv))
	}
	if ctx.Err() != nil && err == nil { // what the API server says is not whole
		return m, context.Cause(ctx)
	}
	keep.add(r, inv)
	return m, err
}
