//go:build linux

package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// ErrClientGone says that stdin ended before the client said goodbye.
var ErrClientGone = errors.New("the client is gone")

// errAcked: the client has what it wanted.
var errAcked = errors.New("acknowledged")

// firstRequest is how long the first request may take to come.
const firstRequest = 2 * time.Minute

var errNoRequest = fmt.Errorf("no request came within %v", firstRequest)

// session is one conversation over a pair of streams.
type session struct {
	out            io.Writer
	nonce, version string
	fs             hostfs.FS
	silence        *hostfs.Silence
}

// Serve speaks one session: hello, then a report for each request, until the
// client acknowledges; or it records, see record. It stops at once when in ends: then nobody is there to
// read the answer, and a sick node should not work for nobody.
func Serve(ctx context.Context, in io.Reader, out io.Writer, nonce, version string, fs hostfs.FS) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// A client waits for each answer. With room for what comes early the end
	// of in is noticed while an answer is being made.
	frames := make(chan report.Frame, 16)
	reader := report.NewFrameReader(in, nonce)
	go listen(ctx, reader, frames, cancel)
	// A recorder's stdin does not end with its client: one that was killed before it
	// asked for anything leaves nobody to wait for.
	first := time.AfterFunc(firstRequest, func() { cancel(errNoRequest) })
	defer first.Stop()
	s := session{out: out, nonce: nonce, version: version, fs: fs, silence: hostfs.NewSilence()}
	err := s.write(ctx, report.Frame{Type: report.FrameHello, Payload: []byte(version)})
	for err == nil {
		select {
		case <-ctx.Done():
			err = context.Cause(ctx)
		case f := <-frames:
			first.Stop()
			if f.Type == report.FrameRecord {
				return s.record(ctx, reader, f)
			}
			err = s.answer(ctx, f)
		}
	}
	if errors.Is(err, errAcked) {
		return nil
	}
	return err
}

// listen passes on the client's frames, and ends the session at its
// acknowledgement or where the stream ends.
func listen(ctx context.Context, r *report.FrameReader, frames chan<- report.Frame, end context.CancelCauseFunc) {
	for {
		f, err := r.Next()
		switch {
		case errors.Is(err, report.ErrTruncated):
			end(ErrClientGone)
			return
		case err != nil:
			end(fmt.Errorf("%w: %w", ErrClientGone, err))
			return
		case f.Type == report.FrameAck:
			end(errAcked)
			return
		}
		select {
		case frames <- f:
		case <-ctx.Done():
			return
		}
		if f.Type == report.FrameRecord { // the recorder reads on
			return
		}
	}
}

// write does not wait for a reader of out once the session is over.
func (s session) write(ctx context.Context, f report.Frame) error {
	done := make(chan error, 1)
	go func() { done <- report.WriteFrame(s.out, s.nonce, f) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s session) answer(ctx context.Context, f report.Frame) error {
	packed, err := s.packedReport(ctx, f)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return s.write(ctx, report.Frame{Type: report.FrameError, Payload: []byte(err.Error())})
	}
	return s.write(ctx, report.Frame{Type: report.FrameReport, Payload: packed})
}

func (s session) packedReport(ctx context.Context, f report.Frame) ([]byte, error) {
	req, err := readRequest(f)
	if err != nil {
		return nil, err
	}
	r, err := collectBeside(ctx, s.fs, s.version, req, s.silence)
	if err != nil {
		return nil, err
	}
	return report.EncodeReport(r)
}
