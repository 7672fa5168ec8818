// Package debugpod runs the probe on a node: it creates a short-lived pod
// there, delivers the probe through the pod's standard input, exchanges
// requests for reports, and removes the pod again, whatever happens.
package debugpod

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// slowAnswer is when a report is so late that whoever waits is told.
const slowAnswer = 15 * time.Second

// Session is a probe that runs on a node and waits for requests.
type Session struct {
	clients Clients
	cfg     Config
	node    *corev1.Node
	sick    string // why the node may start no pod, "" if nothing says so
	hangs   string // what keeps the pod from starting, as far as others tell
	nonce   string
	pod     *corev1.Pod
	left    leftover
	talk    *conversation
	answers int // received so far
	warn    func(string)

	finish sync.Once
	done   chan struct{} // closed once removal is over
	err    error         // of the removal
}

// Collect asks the probe for one report. It may be called again after a
// report, but not after it has failed: then there is only Close.
func (s *Session) Collect(ctx context.Context, r report.Request) (*report.NodeReport, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("failed to encode the request: %w", err)
	}
	interval := time.Duration(r.IntervalMillis) * time.Millisecond
	late := time.AfterFunc(interval+slowAnswer, func() {
		s.warn(fmt.Sprintf("the probe on node %q is %v late: the node is slow, or its container runtime, which carries the answer, hangs; "+
			"giving up %v after the request", s.node.Name, slowAnswer, s.cfg.ReportTimeout+interval))
	})
	answer, err := s.ask(ctx, report.Frame{Type: report.FrameRequest, Payload: body}, s.cfg.ReportTimeout+interval)
	late.Stop()
	if err != nil {
		answer, err = s.salvage(ctx, err)
	}
	s.answers++
	if err != nil {
		return nil, err
	}
	switch answer.Type {
	case report.FrameReport:
		nr, err := report.DecodeReport(answer.Payload)
		if err != nil {
			return nil, fmt.Errorf("node %q sent no valid report: %w", s.node.Name, err)
		}
		return nr, nil
	case report.FrameError:
		return nil, fmt.Errorf("the probe on node %q failed: %s", s.node.Name, quote("", string(answer.Payload)))
	}
	return nil, fmt.Errorf("the probe on node %q answered with %q", s.node.Name, answer.Type)
}

// ask sends a request and waits for the answer.
func (s *Session) ask(ctx context.Context, request report.Frame, timeout time.Duration) (report.Frame, error) {
	if err := s.talk.sendFrame(ctx, request, s.cfg.DeliverTimeout); err != nil {
		return report.Frame{}, err
	}
	return s.talk.receive(ctx, timeout)
}

// Finish tells the probe that all has arrived and starts to remove the pod. It
// returns at once; Close waits.
func (s *Session) Finish() { s.finish.Do(func() { go s.end(true) }) }

// Close removes the pod, if Finish has not begun to, and waits until it is
// really gone. An error says that this could not be confirmed, and what to run
// by hand. It may be called more than once.
func (s *Session) Close() error {
	s.finish.Do(func() { go s.end(false) })
	<-s.done
	return s.err
}

// end is bounded by itself. Without an acknowledgement, the end of its stdin
// tells the probe to stop.
func (s *Session) end(acknowledge bool) {
	defer close(s.done)
	if s.talk != nil {
		if acknowledge {
			_ = s.talk.sendFrame(context.Background(), report.Frame{Type: report.FrameAck}, 2*time.Second)
		}
		s.talk.hangUp(errors.New("the session is over"))
	}
	if err := s.left.remove(s.cfg.RemoveTimeout); err != nil {
		s.err = &PodLeftError{err}
	}
}
