package debugpod

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// standbyHears is how long a standby may take to say that it has heard: the
	// stream goes through the container runtime, which may hang. repeatAfter is when
	// it is asked once more.
	standbyHears, repeatAfter = 8 * time.Second, 3 * time.Second
	// standbyTurn bounds each report, on top of the request's interval.
	standbyTurn = 2 * time.Minute
)

// cutShort ends whatever a client that was killed has left half said: it is no base64.
const cutShort = "\n!\n"

// Skew says how far a standby's version is from this program's, "" if it is not.
func (s Standby) Skew(version, kubectl string) string {
	if s.Version == version {
		return ""
	}
	return fmt.Sprintf("the standby on node %q is of version %s, and this is %s: what it does not know yet is missing; `%s standby install` renews it",
		s.Node, quote("", s.Version), version, nodedocOf(kubectl))
}

// Collect asks a standby for one report over an attached stream, which starts no
// process on the node. progress is told while others are served first.
func (s Standby) Collect(ctx context.Context, c Clients, req report.Request, progress func(string)) (*report.NodeReport, error) {
	return s.collect(ctx, c, req, attachTo, progress)
}

func (s Standby) collect(ctx context.Context, c Clients, req report.Request, attach func(Clients, *corev1.Pod, bool) (attachFunc, error), progress func(string)) (*report.NodeReport, error) {
	asking, cancel := bounded(ctx, standbyHears, "the API server did not answer")
	access, err := within(asking, func(ctx context.Context) (access, error) {
		return checkAccess(ctx, c.Kube, s.Namespace, standbyVerbs())
	})
	cancel()
	if err != nil {
		return nil, err
	}
	way, err := attach(c, s.pod, access.webSocket)
	if err != nil {
		return nil, err
	}
	answer, err := s.ask(ctx, way, req, progress)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the standby in pod %s/%s does not answer: %w", s.Namespace, s.Pod, err)
	case answer.Type == report.FrameError:
		return nil, fmt.Errorf("the standby in pod %s/%s failed: %s", s.Namespace, s.Pod, quote("", string(answer.Payload)))
	case answer.Type != report.FrameReport:
		return nil, fmt.Errorf("the standby in pod %s/%s answered with %q", s.Namespace, s.Pod, answer.Type)
	}
	r, err := report.DecodeReport(answer.Payload)
	if err != nil {
		return nil, fmt.Errorf("the standby in pod %s/%s sent no valid report: %w", s.Namespace, s.Pod, err)
	}
	return r, nil
}

// ask sends a request in the standby's session and takes the answer in one of our own:
// several may be attached, and each hears all answers.
func (s Standby) ask(ctx context.Context, attach attachFunc, req report.Request, progress func(string)) (report.Frame, error) {
	own, err := newNonce()
	if err != nil {
		return report.Frame{}, err
	}
	req.ReplyTo = own
	body, err := json.Marshal(req)
	if err != nil {
		return report.Frame{}, fmt.Errorf("failed to encode the request: %w", err)
	}
	frame := bytes.NewBufferString(cutShort)
	if err := report.WriteFrame(frame, s.pod.Labels[labelSession], report.Frame{Type: report.FrameRequest, Payload: body}); err != nil {
		return report.Frame{}, err
	}
	talk := converse(attach, own, othersAnswers)
	defer talk.hangUp(errors.New("the standby has answered"))
	if err := talk.send(ctx, frame.Bytes(), standbyHears); err != nil {
		return report.Frame{}, err
	}
	again := time.AfterFunc(repeatAfter, func() { _, _ = talk.stdin.Write(frame.Bytes()) })
	defer again.Stop()
	answer, err := talk.receive(ctx, standbyHears)
	again.Stop()
	interval := time.Duration(req.IntervalMillis) * time.Millisecond
	for err == nil && answer.Type == report.FrameWait {
		ahead, _ := strconv.Atoi(string(answer.Payload))
		ahead = min(max(ahead, 0), 100)
		if ahead > 0 {
			progress(fmt.Sprintf("the standby on node %s serves %d others first", s.Node, ahead))
		}
		answer, err = talk.receive(ctx, time.Duration(ahead+1)*standbyTurn+interval)
	}
	return answer, err
}

// standbyVerbs are what asking a standby takes.
func standbyVerbs() []verb {
	return []verb{
		{"create", "pods", "attach", false},
		{"get", "pods", "attach", true},
	}
}
