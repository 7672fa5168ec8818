package cmd

import (
	"context"
	"errors"
	"sync"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

// target is a node to ask, or one that is not asked and why.
type target struct {
	node   string
	state  printer.NodeState // "": to ask
	reason string
}

// visit is what became of a node.
type visit[T any] struct {
	target
	value T
	// err is why there is no value, or what went wrong beside it.
	err error
	// told: err stands, whole, where a person reads what is told of the node.
	told bool
}

// tally counts nodes.
type tally struct{ of, done, failed int }

func (t tally) left() int { return t.of - t.done - t.failed }

// visitAll asks the targets, so many at a time, and tells how far it is after
// each. What one of them comes to never ends the rest; the end of ctx does: nodes
// without an answer are then missing. The answers are in the targets' order.
func visitAll[T any](ctx context.Context, targets []target, parallel int, ask func(context.Context, string) (T, error), tell func(tally)) []visit[T] {
	visits := make([]visit[T], len(targets))
	var toAsk []int
	for i, t := range targets {
		visits[i].target = t
		if t.state == "" {
			toAsk = append(toAsk, i)
		}
	}
	next := make(chan int)
	done := make(chan int)
	var asking sync.WaitGroup
	for range min(parallel, len(toAsk)) {
		asking.Go(func() {
			for i := range next {
				visits[i].ask(ctx, ask)
				done <- i
			}
		})
	}
	go func() {
		defer close(done)
		defer asking.Wait()
		defer close(next)
		for _, i := range toAsk {
			next <- i
		}
	}()
	t := tally{of: len(toAsk)}
	tell(t)
	for i := range done {
		switch visits[i].state {
		case printer.NodeAnswered:
			t.done++
		case printer.NodeFailed:
			t.failed++
		}
		tell(t)
	}
	return visits
}

// ask fills in what becomes of one node.
func (v *visit[T]) ask(ctx context.Context, ask func(context.Context, string) (T, error)) {
	if ctx.Err() != nil {
		v.state, v.reason = printer.NodeMissing, "not asked before the interruption"
		return
	}
	value, err := ask(ctx, v.node)
	beside, stands := err.(*besideError) //nolint:errorlint // nothing wraps it
	switch {
	case err == nil:
		v.state, v.value = printer.NodeAnswered, value
	case stands:
		v.state, v.value, v.err = printer.NodeAnswered, value, beside
	case ctx.Err() != nil && (errors.Is(err, context.Cause(ctx)) || errors.Is(err, context.Canceled)):
		v.state, v.reason = printer.NodeMissing, "interrupted"
		var left *debugpod.PodLeftError
		if errors.As(err, &left) {
			v.err = left
		}
	default:
		v.state, v.reason, v.err = printer.NodeFailed, oneLine(err), err
	}
}

// besideError went wrong beside an answer that stands, such as the removal of a pod.
type besideError struct{ error }

func (e *besideError) Unwrap() error { return e.error }
