//go:build linux

package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// ErrClientGone: stdin ended before the client said goodbye.
var ErrClientGone = errors.New("the client is gone")

// Serve speaks one session: hello, then a report for each request, until the
// client acknowledges. It stops at once when in ends: then nobody is there to
// read the answer, and a sick node should not work for nobody.
func Serve(ctx context.Context, in io.Reader, out io.Writer, nonce, version string, fs hostfs.FS) error {
	if err := report.WriteFrame(out, nonce, report.Frame{Type: report.FrameHello, Payload: []byte(version)}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	frames := make(chan report.Frame)
	go func() {
		r := report.NewFrameReader(in, nonce)
		for {
			f, err := r.Next()
			if err != nil {
				cancel(ErrClientGone)
				return
			}
			select {
			case frames <- f:
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case f := <-frames:
			if f.Type == report.FrameAck {
				return nil
			}
			if err := answer(ctx, f, out, nonce, version, fs); err != nil {
				return err
			}
		}
	}
}

func answer(ctx context.Context, f report.Frame, out io.Writer, nonce, version string, fs hostfs.FS) error {
	packed, err := packedReport(ctx, f, version, fs)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return report.WriteFrame(out, nonce, report.Frame{Type: report.FrameError, Payload: []byte(err.Error())})
	}
	return report.WriteFrame(out, nonce, report.Frame{Type: report.FrameReport, Payload: packed})
}

func packedReport(ctx context.Context, f report.Frame, version string, fs hostfs.FS) ([]byte, error) {
	var req report.Request
	if f.Type != report.FrameRequest {
		return nil, fmt.Errorf("message %q is not known to this probe", f.Type)
	}
	if err := json.Unmarshal(f.Payload, &req); err != nil {
		return nil, fmt.Errorf("failed to read the request: %w", err)
	}
	if req.APIVersion != report.APIVersion || req.Kind != report.RequestKind {
		return nil, fmt.Errorf("the request is %q of %q, this probe answers %q of %q", req.Kind, req.APIVersion, report.RequestKind, report.APIVersion)
	}
	r, err := Collect(ctx, fs, version, req)
	if err != nil {
		return nil, err
	}
	return report.EncodeReport(r)
}
