package inventory

import (
	"context"
	"fmt"
	"time"
)

// parting is how long a question may take to notice that its time is over.
const parting = 200 * time.Millisecond

// lateError: nobody answered in time.
type lateError struct{ patience time.Duration }

func (e lateError) Error() string { return fmt.Sprintf("no answer within %v", e.patience) }

// question is one of several that are asked side by side. What it gives back keeps the
// answer; failed hears why there is none.
type question struct {
	ask    func(context.Context) (keep func(), err error)
	failed func(error)
}

// askBeside returns when all are answered or, shortly after patience, without those that
// are late: client-go waits without its context for a credential plugin that hangs.
// keep and failed are called one after another, and never after it has returned.
func askBeside(ctx context.Context, patience time.Duration, questions []question) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, lateError{patience})
	defer cancel()
	type answer struct {
		by   int
		keep func()
		err  error
	}
	answers := make(chan answer, len(questions))
	for i, q := range questions {
		go func() {
			keep, err := q.ask(ctx)
			if err != nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			answers <- answer{i, keep, err}
		}()
	}
	answered := make([]bool, len(questions))
	over := time.NewTimer(patience + parting)
	defer over.Stop()
	for range questions {
		select {
		case a := <-answers:
			answered[a.by] = true
			if a.err != nil {
				questions[a.by].failed(a.err)
			} else {
				a.keep()
			}
			continue
		case <-over.C:
		}
		for i, q := range questions {
			if !answered[i] {
				q.failed(lateError{patience})
			}
		}
		return
	}
}
