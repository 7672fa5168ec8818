package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

// fleet is what a command asks of one node or of many, and what it makes of the
// answers.
type fleet[T any] struct {
	*fleetFlags
	request report.Request
	// reduce keeps of a report what is told of it: nobody holds a thousand of them.
	reduce func(*correlate.Node) (T, error)
	// without, if set, is what is told of a node in place of an answer; false: nothing.
	without func(context.Context, *source, *visit[T]) (T, bool)
	// byStandby, if set, is told why a node's standby has answered in place of a pod.
	byStandby func(*T, error)
	// print prints the answers, in the order of the nodes' names.
	print func([]visit[T]) error
}

// run answers from a file, from this machine, or from nodes of the cluster.
func (f *fleet[T]) run(ctx context.Context, s *source) error {
	switch {
	case s.flags.from != "":
		return f.fromFile(ctx, s)
	case s.flags.local || len(f.nodes) == 1:
		return f.askOne(ctx, s)
	}
	return f.askMany(ctx, s)
}

// askOne asks one node, or this machine.
func (f *fleet[T]) askOne(ctx context.Context, s *source) error {
	one := visit[T]{target: target{node: strings.Join(f.nodes, "")}}
	err := s.answer(ctx, one.node, f.request, func(n *correlate.Node) (err error) {
		if one.value, err = f.keep(s, n); err != nil {
			return err
		}
		one.node, one.state = n.Name(), printer.NodeAnswered
		return f.print([]visit[T]{one})
	})
	if err == nil || one.state != "" || f.without == nil || !s.flags.remote() || ctx.Err() != nil {
		return err
	}
	one.state, one.reason, one.err = printer.NodeFailed, oneLine(err), err
	var tells bool
	if one.value, tells = f.without(ctx, s, &one); !tells {
		return err
	}
	if one.told {
		err = fleetError([]visit[T]{one})
	}
	return errors.Join(unlessReaderLeft(f.print([]visit[T]{one})), err)
}

// fromFile answers from a file of one node or of many.
func (f *fleet[T]) fromFile(ctx context.Context, s *source) error {
	items, err := saved.ReadAll(s.flags.from, s.env.streams.In)
	if err != nil {
		return err
	}
	var visits []visit[T]
	for i, item := range items {
		if s.flags.join {
			if item.Inventory, err = s.joinNow(ctx, item.Report, item.Inventory); err != nil {
				return err
			}
			items[i] = item
		}
		n := correlate.Join(item.Report, item.Inventory)
		n.Elsewhere = item.Inventory == nil
		v := visit[T]{target: target{node: n.Name(), state: printer.NodeAnswered}}
		if v.value, v.err = f.reduce(n); v.err != nil {
			v.state, v.reason = printer.NodeFailed, v.err.Error()
		}
		visits = append(visits, v)
	}
	if len(visits) == 1 && visits[0].err != nil {
		return visits[0].err
	}
	slices.SortStableFunc(visits, func(a, b visit[T]) int { return strings.Compare(a.node, b.node) })
	err = s.saveAll(items)
	return errors.Join(err, unlessReaderLeft(f.print(visits)), fleetError(visits))
}

// askMany asks many nodes, each by a pod of its own.
func (f *fleet[T]) askMany(ctx context.Context, s *source) error {
	defer s.progress.clear()
	targets, parallel, err := s.targets(ctx, f.nodes, f.selector, f.maxParallel)
	if err != nil {
		return err
	}
	s.trySick(ctx, targets)
	keep, err := newKeeper(s.flags.save)
	if err != nil {
		return err
	}
	shown := newFleetProgress(s.progress)
	printed := false
	show := func(visits []visit[T]) {
		shown.clear()
		printed = true
		err = errors.Join(keep.close(s.storage.latest()), unlessReaderLeft(f.print(visits)))
	}
	visits := visitUntil(ctx, targets, parallel, func(ctx context.Context, node string) (T, error) {
		one := *s
		one.progress = shown.ofNode(node)
		return f.askNode(ctx, &one, node, keep)
	}, shown.tell, func(visits []visit[T]) {
		show(visits)
		shown.leave()
	})
	if !printed {
		f.tellWithout(ctx, s, visits, parallel)
		show(visits)
	}
	shown.clear()
	return errors.Join(missingError(visits), err, fleetError(visits))
}

// missingError says who gave no answer before an interruption.
func missingError[T any](visits []visit[T]) error {
	gone := missing(visits)
	if len(gone) == 0 {
		return nil
	}
	return fmt.Errorf("no answer from %d of %d nodes: %s", len(gone), len(visits), names(gone))
}

// keep reduces a node's answer, which may be its standby's.
func (f *fleet[T]) keep(s *source, n *correlate.Node) (T, error) {
	value, err := f.reduce(n)
	if err == nil && s.noPod != nil && f.byStandby != nil {
		f.byStandby(&value, s.noPod)
	}
	return value, err
}

// tellWithout looks what can be told of nodes that gave no answer.
func (f *fleet[T]) tellWithout(ctx context.Context, s *source, visits []visit[T], parallel int) {
	if f.without == nil {
		return
	}
	byNode := map[string]*visit[T]{}
	var failed []target
	for i := range visits {
		if visits[i].state == printer.NodeFailed {
			byNode[visits[i].node] = &visits[i]
			failed = append(failed, target{node: visits[i].node})
		}
	}
	for _, v := range visitAll(ctx, failed, parallel, func(ctx context.Context, node string) (T, error) {
		value, _ := f.without(ctx, s, byNode[node])
		return value, nil
	}, func(tally) {}) {
		byNode[v.node].value = v.value
	}
}

// askNode asks one of many.
func (f *fleet[T]) askNode(ctx context.Context, s *source, node string, keep *keeper) (value T, err error) {
	at, err := s.openNode(ctx, node, 0)
	if err != nil {
		return value, err
	}
	defer func() {
		if left := at.release(); left != nil && err == nil {
			err = &besideError{left}
		} else {
			err = errors.Join(err, left)
		}
	}()
	r, err := at.collect(ctx, f.request)
	if err != nil {
		return value, err
	}
	received := time.Now()
	at.finish()
	inv := at.inventory(ctx)
	at.name(ctx, r, inv)
	n := correlate.Join(r, inv)
	if r.Mounts != nil && inv != nil && n.Mounts().Leaked.Volumes > 0 { // by a word of the API server's that may be from before
		inv.AddStorage(s.storage.since(ctx, s.cluster.clients.Kube, received))
		n = correlate.Join(r, inv)
	}
	value, err = f.keep(s, n)
	if ctx.Err() != nil && err == nil { // what the API server says is not whole
		return value, context.Cause(ctx)
	}
	keep.add(r, inv)
	return value, err
}
