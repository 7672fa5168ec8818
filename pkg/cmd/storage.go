package cmd

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
)

// storage is what the API server says of volumes. It is the same for all nodes,
// so they share one answer.
type storage struct {
	ask func(context.Context, kubernetes.Interface) *inventory.Storage
	now func() time.Time

	mu   sync.Mutex
	last *inventory.Storage
	at   time.Time // when last was asked for
}

func newStorage() *storage { return &storage{ask: inventory.AskStorage, now: time.Now} }

// askAgain is how soon an answer that had errors is asked for again.
const askAgain = 10 * time.Second

// since is an answer that was asked for at t or later. Whoever finds a volume on
// a node that the API server does not have needs one from after the node's
// report: the volume may be younger than an answer from before.
func (s *storage) since(ctx context.Context, client kubernetes.Interface, t time.Time) *inventory.Storage {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.last == nil || s.at.Before(t) || s.failed() && now.Sub(s.at) > askAgain {
		if next := s.ask(ctx, client); s.last == nil || ctx.Err() == nil { // what Ctrl-C cut short says less
			s.last, s.at = next, now
		}
	}
	return s.last
}

// latest is the last answer, nil if nobody has asked.
func (s *storage) latest() *inventory.Storage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

func (s *storage) failed() bool {
	return s.last.VolumesError+s.last.AttachmentsError+s.last.DriversError != ""
}
