package cmd

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

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

func (t *tally) count(s printer.NodeState) {
	switch s {
	case printer.NodeAnswered:
		t.done++
	case printer.NodeFailed:
		t.failed++
	}
}

// visitAll asks the targets, so many at a time, and tells how far it is after
// each. What one of them comes to never ends the rest; the end of ctx does: nodes
// without an answer are then missing. The answers are in the targets' order.
func visitAll[T any](ctx context.Context, targets []target, parallel int, ask func(context.Context, string) (T, error), tell func(tally)) []visit[T] {
	return visitUntil(ctx, targets, parallel, ask, tell, nil)
}

// visitUntil is visitAll that tells, where ctx ends before the visits do, what there
// is by then: removing the pods of the others may take long. What these come to
// after that is an error at most.
func visitUntil[T any](ctx context.Context, targets []target, parallel int, ask func(context.Context, string) (T, error), tell func(tally), ended func([]visit[T])) []visit[T] {
	visits := make([]visit[T], len(targets))
	began := make([]atomic.Bool, len(targets))
	var toAsk []int
	for i, t := range targets {
		visits[i].target = t
		if t.state == "" {
			toAsk = append(toAsk, i)
		}
	}
	done := eachOf(toAsk, parallel, func(i int) {
		began[i].Store(ctx.Err() == nil)
		visits[i].ask(ctx, ask)
	})
	t := tally{of: len(toAsk)}
	tell(t)
	over := ctx.Done()
	if ended == nil {
		over = nil
	}
	came := make([]bool, len(targets))
	var told []visit[T] // when ctx ended
	for {
		select {
		case i, more := <-done:
			switch {
			case !more:
				return visits
			case told != nil:
				visits[i].state, visits[i].reason = told[i].state, told[i].reason
				continue
			}
			came[i] = true
			t.count(visits[i].state)
			tell(t)
		case <-over:
			over = nil
			told = soFar(targets, visits, came, began)
			ended(told)
		}
	}
}

// soFar are the visits that have ended, and those that are missing. The others are
// still written to.
func soFar[T any](targets []target, visits []visit[T], came []bool, began []atomic.Bool) []visit[T] {
	now := make([]visit[T], len(targets))
	for i, t := range targets {
		switch {
		case t.state != "" || came[i]:
			now[i] = visits[i]
		case began[i].Load():
			now[i].target = target{t.node, printer.NodeMissing, reasonInterrupted}
		default:
			now[i].target = target{t.node, printer.NodeMissing, reasonNotAsked}
		}
	}
	return now
}

// Why a node gave no answer before the interruption.
const (
	reasonInterrupted = "interrupted"
	reasonNotAsked    = "not asked before the interruption"
)

// eachOf does something for each of them, so many at a time, and gives those that
// are done.
func eachOf(all []int, parallel int, do func(int)) <-chan int {
	next, done := make(chan int), make(chan int)
	var asking sync.WaitGroup
	for range min(parallel, len(all)) {
		asking.Go(func() {
			for i := range next {
				do(i)
				done <- i
			}
		})
	}
	go func() {
		defer close(done)
		defer asking.Wait()
		defer close(next)
		for _, i := range all {
			next <- i
		}
	}()
	return done
}

// ask fills in what becomes of one node.
func (v *visit[T]) ask(ctx context.Context, ask func(context.Context, string) (T, error)) {
	if ctx.Err() != nil {
		v.state, v.reason = printer.NodeMissing, reasonNotAsked
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
		v.state, v.reason = printer.NodeMissing, reasonInterrupted
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
