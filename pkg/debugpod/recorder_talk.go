package debugpod

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Record asks the probe to record, and leaves it alone with that: the pod stays.
// After an error it is there still, see Close.
func (s *Session) Record(ctx context.Context) (*report.Recording, error) {
	req := report.NewRequest()
	req.Record = &report.RecordRequest{ForSeconds: int64(s.cfg.Record.For.Seconds()), EveryMillis: s.cfg.Record.Every.Milliseconds()}
	body, err := json.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("failed to encode the request: %w", err)
	}
	answer, err := s.ask(ctx, report.Frame{Type: report.FrameRecord, Payload: body}, s.cfg.ReportTimeout)
	if err != nil {
		return nil, s.explain(ctx, "failed to start recording", err)
	}
	r, err := recordingOf(answer, s.node.Name)
	if err != nil {
		return nil, err
	}
	s.finish.Do(func() {
		s.talk.hangUp(errors.New("the recorder records"))
		close(s.done)
	})
	return r.Recording, nil
}

func recordingOf(answer report.Frame, node string) (*report.NodeReport, error) {
	switch answer.Type {
	case report.FrameReport:
		r, err := report.DecodeReport(answer.Payload)
		if err == nil && r.Recording == nil {
			err = errors.New("it holds no recording")
		}
		if err != nil {
			return nil, fmt.Errorf("the recorder on node %q sent no valid answer: %w", node, err)
		}
		return r, nil
	case report.FrameError:
		return nil, fmt.Errorf("the recorder on node %q failed: %s", node, quote("", string(answer.Payload)))
	}
	return nil, fmt.Errorf("the recorder on node %q answered with %q", node, answer.Type)
}

const (
	// readTimeout bounds the wait for a recorder's answer: others may be served
	// first. askAgain is when it is asked once more: what a client that was killed
	// left half sent may have taken the request with it.
	readTimeout, askAgain = 90 * time.Second, 20 * time.Second
	// othersAnswers bounds, in bytes, what is heard of answers to others.
	othersAnswers = 256 << 20
)

// Read gets what a recorder has recorded: of one that runs by a request over an
// attached stream, of one that has ended out of its log.
func (r Recorder) Read(ctx context.Context, c Clients, req report.Request) (*report.NodeReport, error) {
	return r.read(ctx, c, req, attachTo)
}

func (r Recorder) read(ctx context.Context, c Clients, req report.Request, attach func(Clients, *corev1.Pod, bool) (attachFunc, error)) (*report.NodeReport, error) {
	access, err := within(ctx, func(ctx context.Context) (access, error) {
		return checkAccess(ctx, c.Kube, r.Namespace, readVerbs())
	})
	if err != nil {
		return nil, err
	}
	if r.Ended != nil {
		return r.fromLog(ctx, c.Kube)
	}
	// The pod's status may lag behind: it is tried whatever that says.
	way, err := attach(c, r.pod, access.webSocket)
	if err != nil {
		return nil, err
	}
	answer, err := r.ask(ctx, way, req)
	if err != nil {
		// One that is asked no more, since its stdin has ended, tells its log.
		if told, logErr := r.fromLog(ctx, c.Kube); ctx.Err() == nil && logErr == nil {
			return told, nil
		}
		if r.Why != "" {
			err = fmt.Errorf("%w (%s)", err, r.Why)
		}
		return nil, fmt.Errorf("the recorder of node %q in pod %s/%s does not answer: %w; it may answer later, `kubectl nodedoc record --stop %s` ends it",
			r.Node, r.Namespace, r.Pod, err, r.Node)
	}
	return recordingOf(answer, r.Node)
}

// ask sends a request in the recorder's session and takes the answer in one of our
// own: several may be attached, and each hears all answers.
func (r Recorder) ask(ctx context.Context, attach attachFunc, req report.Request) (report.Frame, error) {
	own, err := newNonce()
	if err != nil {
		return report.Frame{}, err
	}
	req.ReplyTo = own
	body, err := json.Marshal(req)
	if err != nil {
		return report.Frame{}, fmt.Errorf("failed to encode the request: %w", err)
	}
	var frame bytes.Buffer
	frame.WriteByte('\n') // ends what somebody who was killed has left
	if err := report.WriteFrame(&frame, r.pod.Labels[labelSession], report.Frame{Type: report.FrameRequest, Payload: body}); err != nil {
		return report.Frame{}, err
	}
	talk := converse(attach, own, othersAnswers)
	defer talk.hangUp(errors.New("the recorder has answered"))
	if err := talk.send(ctx, frame.Bytes(), askAgain); err != nil {
		return report.Frame{}, err
	}
	again := time.AfterFunc(askAgain, func() { _, _ = talk.stdin.Write(frame.Bytes()) })
	defer again.Stop()
	return talk.receive(ctx, readTimeout)
}

// fromLog takes the last answer that stands whole in the container's log.
func (r Recorder) fromLog(ctx context.Context, client kubernetes.Interface) (*report.NodeReport, error) {
	ctx, cancel := bounded(ctx, 60*time.Second, "the log did not arrive")
	defer cancel()
	told, err := within(ctx, func(ctx context.Context) (*report.NodeReport, error) {
		log, err := client.CoreV1().Pods(r.Namespace).GetLogs(r.Pod, &corev1.PodLogOptions{Container: containerName}).Stream(ctx)
		if err != nil {
			return nil, err
		}
		defer log.Close()
		return lastRecording(log, r.pod.Labels[labelSession], r.Node)
	})
	switch {
	case err == nil:
		return told, nil
	case r.Ended != nil && r.Why != "": // evicted, out of memory, past a node's shutdown: it had no last word
		return nil, fmt.Errorf("the recorder of node %q, pod %s/%s, has ended before its time: %s; what it recorded lay in its memory and is lost with it (%w); `kubectl nodedoc record --stop %s` removes it, and then another can start",
			r.Node, r.Namespace, r.Pod, report.Clean(r.Why), err, r.Node)
	}
	return nil, fmt.Errorf("what the recorder of node %q recorded cannot be read from the log of pod %s/%s: %w", r.Node, r.Namespace, r.Pod, err)
}

// lastRecording is the last that stands whole in a log. The first answer only says
// that it records.
func lastRecording(log io.Reader, nonce, node string) (*report.NodeReport, error) {
	messages := report.NewFrameReader(log, nonce)
	messages.MaxNoise = othersAnswers
	var last report.Frame
	for failed := 0; failed < 1000; { // a damaged one is followed by others
		frame, err := messages.Next()
		if errors.Is(err, report.ErrTruncated) {
			break
		}
		switch {
		case err != nil:
			failed++
		case frame.Type == report.FrameReport:
			last = frame
		}
	}
	none := errors.New("there is none: it ended before its time, or the log was cut")
	if last.Type == "" {
		return nil, none
	}
	told, err := recordingOf(last, node)
	if err == nil && len(told.Recording.Samples) == 0 {
		err = none
	}
	return told, err
}
