package debugpod

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/payload"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Start runs a probe on a node and returns once it has said hello. ctx governs
// Start only. Whatever fails, what was created is removed again before Start
// returns, and the error says so if that could not be confirmed. progress and
// warn are called on the caller's goroutine.
func Start(ctx context.Context, c Clients, cfg Config, progress, warn func(string)) (*Session, error) {
	return start(ctx, c, cfg, parts{probe: payload.Probe, attach: attachTo}, progress, warn)
}

// parts are what a test does without a cluster.
type parts struct {
	probe  func(arch string) ([]byte, error)
	attach func(c Clients, p *corev1.Pod, webSocket bool) (attachFunc, error)
}

// maxImages is how many of its images a node may refuse to use.
const maxImages = 3

func start(ctx context.Context, c Clients, cfg Config, by parts, progress, warn func(string)) (*Session, error) {
	cfg = cfg.withDefaults()
	if cfg.Survey == nil {
		go sweepBefore(ctx, c.Kube, cfg.Namespace)
	}
	for {
		s, err := startOnce(ctx, c, cfg, by, progress, warn)
		var refused *imageError
		if !errors.As(err, &refused) || cfg.Image != "" || cfg.ProbeImage != "" || len(cfg.refused)+1 >= maxImages || ctx.Err() != nil {
			return s, err
		}
		warn(fmt.Sprintf("node %q does not use its image %s, trying another one: %s", cfg.Node, refused.image, refused.why))
		cfg.refused = append(cfg.refused, refused.image)
	}
}

func startOnce(ctx context.Context, c Clients, cfg Config, by parts, progress, warn func(string)) (*Session, error) {
	progress("checking node " + cfg.Node)
	p, err := check(ctx, c, cfg, by, warn)
	if err != nil {
		return nil, err
	}
	s := &Session{clients: c, cfg: cfg, node: p.node, sick: p.sick, nonce: p.nonce, warn: warn, done: make(chan struct{}), left: leftover{
		client: c.Kube, namespace: p.pod.Namespace, name: p.pod.Name, nonce: p.nonce, kubectl: cfg.Kubectl,
	}}
	if err := s.open(ctx, p, by, progress, warn); err != nil {
		if errors.Is(err, errNeverCreated) {
			return nil, err
		}
		if other, ok := errors.AsType[*ElsewhereError](err); ok {
			s.cfg.RemoveTimeout = min(s.cfg.RemoveTimeout, sickRemoval)
			s.Finish() // and nobody waits for it now
			other.Removed = s.Close
			return nil, other
		}
		progress("removing the pod")
		if closeErr := s.Close(); closeErr != nil {
			err = fmt.Errorf("%w; and %w", err, closeErr)
		}
		return nil, err
	}
	return s, nil
}

// check runs preflight, with warnings passed on in the caller's goroutine even
// if preflight itself had to be left behind.
func check(ctx context.Context, c Clients, cfg Config, by parts, warn func(string)) (*plan, error) {
	ctx, cancel := bounded(ctx, cfg.CheckTimeout, "the API server (or the credential plugin) did not answer")
	defer cancel()
	type found struct {
		plan     *plan
		warnings []string
	}
	f, err := within(ctx, func(ctx context.Context) (found, error) {
		var f found
		var err error
		f.plan, err = preflight(ctx, c.Kube, cfg, by, func(w string) { f.warnings = append(f.warnings, w) })
		return f, err
	})
	for _, w := range f.warnings {
		warn(w)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return nil, cause
	}
	return f.plan, err
}

// PodLeftError says that a pod may be left behind, and what to run by hand.
type PodLeftError struct{ Err error }

func (e *PodLeftError) Error() string { return e.Err.Error() }

func (e *PodLeftError) Unwrap() error { return e.Err }

// errNeverCreated marks a refusal after which there is nothing to remove.
var errNeverCreated = errors.New("nothing was created")

// open goes from an admitted pod to a probe that has said hello.
func (s *Session) open(ctx context.Context, p *plan, by parts, progress, warn func(string)) error {
	progress(fmt.Sprintf("creating pod %s/%s", p.pod.Namespace, p.pod.Name))
	s.cfg.Created(s.left.byHand())
	if err := s.create(ctx, p.pod); err != nil {
		return err
	}
	if err := s.waitRunning(ctx, progress, warn); err != nil {
		return err
	}
	progress(map[bool]string{true: "delivering the probe", false: "greeting the probe"}[len(p.probe) > 0])
	attach, err := by.attach(s.clients, s.pod, p.webSocket)
	if err != nil {
		return err
	}
	s.talk = converse(attach, s.nonce, report.MaxNoise)
	return s.deliver(ctx, p.probe)
}

// create creates the pod and looks at what became of it.
func (s *Session) create(ctx context.Context, asked *corev1.Pod) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", errNeverCreated, context.Cause(ctx))
	}
	ctx, cancel := bounded(ctx, s.cfg.CheckTimeout, "the API server did not create the pod")
	defer cancel()
	got, err := within(ctx, func(ctx context.Context) (*corev1.Pod, error) {
		return s.clients.Kube.CoreV1().Pods(asked.Namespace).Create(ctx, asked, metav1.CreateOptions{})
	})
	if isRefusal(err) {
		return fmt.Errorf("%w: %w", errNeverCreated, explainRejection(ctx, s.clients.Kube, asked, err))
	}
	if err != nil {
		return fmt.Errorf("failed to create pod %q: %w", asked.Name, err)
	}
	s.pod, s.left.uid = got, got.UID
	fatal, _ := mutations(asked, got)
	if len(fatal) > 0 {
		return mutationError(asked.Namespace, fatal)
	}
	return nil
}

// deliver sends the first line, the probe, and nothing more before its hello:
// head in the script may have read ahead. A probe that comes with an image
// must be of our version; the one we sent is.
func (s *Session) deliver(ctx context.Context, probe []byte) error {
	err := s.talk.send(ctx, append([]byte(s.nonce+"\n"), probe...), s.cfg.DeliverTimeout)
	var hello report.Frame
	if err == nil {
		hello, err = s.talk.receive(ctx, s.cfg.DeliverTimeout)
		if err == nil && hello.Type != report.FrameHello {
			err = fmt.Errorf("it said %q in place of hello", hello.Type)
		}
	}
	if err != nil {
		return s.explain(ctx, "failed to start the probe", err)
	}
	if theirs := string(hello.Payload); s.cfg.ProbeImage != "" && theirs != s.cfg.Version {
		return fmt.Errorf("image %s holds the probe of version %s, and this is %s: name an image of this version, or leave --probe-image away",
			s.cfg.ProbeImage, quote("", theirs), s.cfg.Version)
	}
	return nil
}
