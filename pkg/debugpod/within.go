package debugpod

import (
	"context"
	"fmt"
	"time"
)

// parting is how long a call may take to notice that its context is done.
const parting = 200 * time.Millisecond

// within makes one or more calls to the API server and returns when they are
// answered or, shortly after ctx is done, without them. The calls get ctx as
// well, but client-go waits without it for a credential plugin that hangs.
func within[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		v, err := call(ctx)
		answers <- answer{v, err}
	}()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
	}
	select {
	case a := <-answers:
		return a.value, a.err
	case <-time.After(parting):
		var none T
		return none, context.Cause(ctx)
	}
}

// bounded is a context with a deadline whose error says what took too long.
func bounded(ctx context.Context, d time.Duration, what string) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, fmt.Errorf("%s within %v", what, d))
}
