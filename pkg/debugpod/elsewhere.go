package debugpod

import (
	"context"
	"time"
)

// ElsewhereError says why no pod was started, or not waited for, on a node that can
// be asked in another way, see Config.Elsewhere.
type ElsewhereError struct {
	Why error
	// Removed waits until the pod that was made is gone; nil: none was.
	Removed func() error
}

func (e *ElsewhereError) Error() string { return e.Why.Error() }

func (e *ElsewhereError) Unwrap() error { return e.Why }

// elsewhere says whether there is another way in.
func (c Config) elsewhere(ctx context.Context) bool {
	if c.Elsewhere == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return c.Elsewhere(ctx)
}
