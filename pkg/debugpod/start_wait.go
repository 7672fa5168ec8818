package debugpod

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// slowStart is when a start takes so long that whoever waits is told why,
	// also where no progress is shown.
	slowStart = 10 * time.Second
	// sickStart is how long a node in trouble gets: most such nodes start
	// nothing for as long as it lasts.
	sickStart = 20 * time.Second
	// sickRemoval is how long such a node gets to confirm a removal.
	sickRemoval = 10 * time.Second
)

func (s *Session) startTimeout() time.Duration {
	switch {
	case s.cfg.StartTimeout > 0:
		return s.cfg.StartTimeout
	case s.sick != "":
		return sickStart
	}
	return time.Minute
}

func (s *Session) waitRunning(ctx context.Context, progress, warn func(string)) error {
	ctx, cancel := bounded(ctx, s.startTimeout(), "the pod did not start")
	defer cancel()
	w := waiter{client: s.clients.Kube, reasons: make(chan string), said: map[string]bool{}}
	ended := make(chan error, 1)
	go func() { ended <- w.wait(ctx, s.pod) }()
	began, slow, given := time.Now(), time.NewTimer(slowStart), s.cfg.StartTimeout > 0
	defer slow.Stop()
	told := s.vitalsLater(ctx, &w)
	var enough <-chan time.Time
	last := "nothing"
	for {
		select {
		case last = <-w.reasons:
			progress(last)
		case v := <-told:
			s.tellVitals(v, warn)
		case <-slow.C:
			s.lookAgain(ctx, began, w.takenUp.Load())
			said := fmt.Sprintf("the pod has not started within %v: %s", slowStart, last)
			if !given && s.cfg.elsewhere(ctx) {
				return &ElsewhereError{Why: errors.New(strings.TrimSuffix(said+"; "+s.sick, "; "))}
			}
			if s.sick == "" {
				if s.hangs != "" {
					said += "; if it does not heal, " + otherWay(s.cfg.Kubectl, s.node.Name)
				}
				warn(said + "; still waiting")
				continue
			}
			warn(said + "; " + s.sick + "; if it does not heal, " + otherWay(s.cfg.Kubectl, s.node.Name))
			if !given {
				enough = time.After(sickStart - time.Since(began))
			}
		case <-enough:
			return s.notStarted(fmt.Errorf("the pod did not start within %v; last seen: %s", sickStart, last), true)
		case err := <-ended:
			if ctx.Err() == nil {
				return s.notStarted(err, false)
			}
		case <-ctx.Done():
			return s.notStarted(fmt.Errorf("%w; last seen: %s", context.Cause(ctx), last), errors.Is(ctx.Err(), context.DeadlineExceeded))
		}
	}
}

func (s *Session) tellVitals(v vitalsTold, warn func(string)) {
	if s.hangs = v.verdict; s.hangs != "" {
		warn(fmt.Sprintf("node %q starts no pod so far: %s", s.node.Name, s.hangs))
	}
	for _, line := range v.lines {
		warn("  " + line)
	}
}

// lookAgain asks what became of the node since the pod was created.
func (s *Session) lookAgain(ctx context.Context, began time.Time, takenUp bool) {
	if s.sick != "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	type found struct {
		node  *corev1.Node
		lease *coordinationv1.Lease
	}
	now, err := within(ctx, func(ctx context.Context) (f found, err error) {
		if f.node, err = s.clients.Kube.CoreV1().Nodes().Get(ctx, s.node.Name, metav1.GetOptions{}); err != nil {
			return f, err
		}
		f.lease, _ = s.clients.Kube.CoordinationV1().Leases(corev1.NamespaceNodeLease).Get(ctx, s.node.Name, metav1.GetOptions{})
		return f, nil
	})
	switch {
	case inventory.Unanswered(err): // nobody knows what the kubelet does
		s.hangs = inventory.APIServerFails + report.Escape(err.Error())
		return
	case err == nil:
		if s.sick = notReady(now.node); s.sick == "" && !s.pod.CreationTimestamp.IsZero() {
			s.sick = leaseExpired(now.node, now.lease, metav1.NewTime(s.pod.CreationTimestamp.Add(time.Since(began))))
		}
	}
	if s.sick == "" && s.hangs == "" && !takenUp {
		s.sick = fmt.Sprintf("the kubelet of node %q does not react", s.node.Name)
	}
}

// notStarted says what the wait has come to, and what remains where it was
// long, or where the node cannot start a pod.
func (s *Session) notStarted(err error, long bool) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("failed to start pod %s/%s on node %q: %w", s.pod.Namespace, s.pod.Name, s.node.Name, err)
	other := otherWay(s.cfg.Kubectl, s.node.Name)
	lacks := exhausted(err.Error())
	if lacks != "" && s.sick == "" { // says more than what seems to hang
		return fmt.Errorf("%w; %s: if that does not heal, %s", err, lacks, other)
	}
	if why := strings.Trim(s.sick+"; "+s.hangs, "; "); s.sick != "" || why != "" && long {
		s.cfg.RemoveTimeout = min(s.cfg.RemoveTimeout, sickRemoval)
		return &NotStartedError{fmt.Errorf("%w; %s; %s", err, why, other)}
	}
	if long {
		return &NotStartedError{fmt.Errorf("%w; if no pod starts there, %s", err, other)}
	}
	return err
}

// NotStartedError says that a node did not start a pod in time, for no reason that lies
// in the pod.
type NotStartedError struct{ Err error }

func (e *NotStartedError) Error() string { return e.Err.Error() }

func (e *NotStartedError) Unwrap() error { return e.Err }
