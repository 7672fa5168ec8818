package debugpod

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// logTimeout bounds each look into the container's log: with a runtime that
// hangs, a log hangs, too.
const logTimeout = 8 * time.Second

// salvage takes the answer from the container's log after the stream broke:
// the probe may have written it all before. Nonce, length and hash tell whether
// it is whole, since a log may be rotated. It is read again once the container
// has ended, as it may lag behind. Else the error says what is known.
func (s *Session) salvage(ctx context.Context, broken error) (report.Frame, error) {
	const what = "failed to get a report"
	if ctx.Err() != nil {
		return report.Frame{}, s.describe(what, broken, "")
	}
	answer, err := s.answerInLog(ctx)
	if err == nil {
		return answer, nil
	}
	end := s.containerEnd(ctx)
	if end != "" {
		if answer, err = s.answerInLog(ctx); err == nil {
			return answer, nil
		}
	}
	return report.Frame{}, s.describe(what, broken, end)
}

// explain adds to an error how the container ended and what it printed. It
// asks the cluster only while ctx stands.
func (s *Session) explain(ctx context.Context, what string, err error) error {
	end := ""
	if ctx.Err() == nil {
		end = s.containerEnd(ctx)
	}
	return s.describe(what, err, end)
}

func (s *Session) describe(what string, err error, end string) error {
	err = fmt.Errorf("%s on node %q: %w", what, s.node.Name, err)
	if end != "" {
		err = fmt.Errorf("%w; %s", err, end)
	}
	if printed := s.talk.printed(); printed != "" {
		err = fmt.Errorf("%w; it printed: %s", err, printed)
	}
	return err
}

// containerEnd tells how the container ended, "" if that is not known. Where
// the stream ended by itself, the kubelet gets a moment to say so; where we
// hung up, the container may well be running.
func (s *Session) containerEnd(ctx context.Context) string {
	patience := 4 * time.Second
	if context.Cause(s.talk.ctx) != nil {
		patience = 0
	}
	until := time.Now().Add(patience)
	ctx, cancel := context.WithTimeout(ctx, patience+4*time.Second)
	defer cancel()
	for {
		p, err := within(ctx, func(ctx context.Context) (*corev1.Pod, error) {
			return s.clients.Kube.CoreV1().Pods(s.pod.Namespace).Get(ctx, s.pod.Name, metav1.GetOptions{})
		})
		if apierrors.IsNotFound(err) {
			return "somebody deleted the pod"
		}
		if end := endOf(p, s.nonce); err == nil && end != "" {
			return end
		}
		if time.Now().After(until) || pause(ctx, 500*time.Millisecond) != nil {
			return ""
		}
	}
}

// endOf is "" for a container that has not ended.
func endOf(p *corev1.Pod, nonce string) string {
	if p == nil {
		return ""
	}
	if c := containerStatus(p); c != nil && c.State.Terminated != nil {
		t := *c.State.Terminated
		t.Message = withoutFrames(t.Message, nonce)
		return "the container ended: " + describeEnd(&t) + noStarter(p, t.Message)
	}
	if p.Status.Phase == corev1.PodFailed {
		return "the pod failed: " + quote(p.Status.Reason, p.Status.Message)
	}
	return ""
}

// withoutFrames drops our own messages from the end of a container's log, which
// the kubelet puts into its status: they are a line with the nonce and lines of
// base64, of which the first may be cut.
func withoutFrames(message, nonce string) string {
	const long = 200
	var kept []string
	inFrame := false
	for line := range strings.Lines(message) {
		switch {
		case strings.Contains(line, nonce):
			inFrame = true
		case strings.Contains(line, " "), !inFrame && len(line) < long:
			inFrame = false
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// answerInLog looks for the answer that follows those received before.
func (s *Session) answerInLog(ctx context.Context) (report.Frame, error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	return within(ctx, func(ctx context.Context) (report.Frame, error) {
		return answerInLog(ctx, s.clients.Kube, s.pod, s.nonce, s.answers)
	})
}

// answerInLog returns the answer after the first skip ones.
func answerInLog(ctx context.Context, client kubernetes.Interface, p *corev1.Pod, nonce string, skip int) (report.Frame, error) {
	log, err := client.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{Container: containerName}).Stream(ctx)
	if err != nil {
		return report.Frame{}, err
	}
	defer log.Close()
	messages := report.NewFrameReader(log, nonce)
	for {
		frame, err := messages.Next()
		if err != nil {
			return frame, err
		}
		if frame.Type != report.FrameReport && frame.Type != report.FrameError {
			continue
		}
		if skip == 0 {
			return frame, nil
		}
		skip--
	}
}
