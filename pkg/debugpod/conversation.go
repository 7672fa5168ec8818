package debugpod

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// conversation is one attached stream: bytes go in, messages come out. Once it
// has failed, or a context given to it has ended, it is over.
type conversation struct {
	nonce  string
	stdin  *io.PipeWriter
	stderr tail

	frames chan report.Frame // closed at the end, readErr says why
	// Written before frames is closed, read after.
	readErr error
	noise   []byte

	ended     chan struct{} // closed when the attach has returned
	attachErr error         // written before

	ctx    context.Context
	cancel context.CancelCauseFunc
	inR    *io.PipeReader
	outW   *io.PipeWriter
}

// converse attaches; maxNoise bounds, in bytes, what else may be heard before a
// message. The stream is nobody's child: it lives until hangUp.
func converse(attach attachFunc, nonce string, maxNoise int) *conversation {
	ctx, cancel := context.WithCancelCause(context.Background())
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	c := &conversation{nonce: nonce, stdin: inW, frames: make(chan report.Frame), ended: make(chan struct{}),
		ctx: ctx, cancel: cancel, inR: inR, outW: outW}
	go func() {
		c.attachErr = attach(ctx, streams{stdin: inR, stdout: outW, stderr: &c.stderr})
		close(c.ended)
		_ = inR.CloseWithError(io.ErrClosedPipe)
		_ = outW.Close()
	}()
	go c.read(outR, maxNoise)
	return c
}

// read takes one message ahead, so that a node cannot fill our memory.
func (c *conversation) read(from *io.PipeReader, maxNoise int) {
	defer close(c.frames)
	defer func() { _ = from.Close() }()
	messages := report.NewFrameReader(from, c.nonce)
	messages.MaxNoise = maxNoise
	for {
		frame, err := messages.Next()
		if err != nil {
			c.readErr, c.noise = err, bytes.Clone(messages.Noise)
			return
		}
		select {
		case c.frames <- frame:
		case <-c.ctx.Done():
			c.readErr = context.Cause(c.ctx)
			return
		}
	}
}

// hangUp ends the stream, even under an attach that does not return.
func (c *conversation) hangUp(cause error) {
	c.cancel(cause)
	_ = c.inR.CloseWithError(cause)
	_ = c.outW.CloseWithError(cause)
}

// send writes data. stall bounds how long the stream may stand still: a half
// open connection takes bytes and never answers.
func (c *conversation) send(ctx context.Context, data []byte, stall time.Duration) error {
	stop := context.AfterFunc(ctx, func() { c.hangUp(context.Cause(ctx)) })
	defer stop()
	watchdog := time.AfterFunc(stall, func() { c.hangUp(fmt.Errorf("the stream stood still for %v", stall)) })
	defer watchdog.Stop()
	for len(data) > 0 {
		n := min(len(data), 32<<10)
		if _, err := c.stdin.Write(data[:n]); err != nil {
			return c.why(err)
		}
		watchdog.Reset(stall)
		data = data[n:]
	}
	return nil
}

// sendFrame writes one message.
func (c *conversation) sendFrame(ctx context.Context, f report.Frame, stall time.Duration) error {
	var b bytes.Buffer
	if err := report.WriteFrame(&b, c.nonce, f); err != nil {
		return err
	}
	return c.send(ctx, b.Bytes(), stall)
}

// receive waits for the next message.
func (c *conversation) receive(ctx context.Context, timeout time.Duration) (report.Frame, error) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case frame, ok := <-c.frames:
		if !ok {
			return frame, c.why(c.readErr)
		}
		return frame, nil
	case <-ctx.Done():
		c.hangUp(context.Cause(ctx))
	case <-timer.C:
		c.hangUp(fmt.Errorf("no answer within %v", timeout))
	}
	return report.Frame{}, context.Cause(c.ctx)
}

// why prefers the reason of a hang-up, then the attach's own error, to what a
// closed pipe says.
func (c *conversation) why(err error) error {
	if cause := context.Cause(c.ctx); cause != nil {
		return cause
	}
	if !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, report.ErrTruncated) {
		return err
	}
	select {
	case <-c.ended:
		if c.attachErr != nil {
			return fmt.Errorf("the stream to the pod broke, running it again may help: %w", c.attachErr)
		}
	case <-time.After(time.Second):
	}
	return report.ErrTruncated
}

// printed is what the container printed besides messages, bounded and escaped.
func (c *conversation) printed() string {
	c.hangUp(errors.New("the stream has failed"))
	out := []byte(c.stderr.String())
	select {
	case _, open := <-c.frames:
		if !open {
			out = append(c.noise, out...)
		}
	case <-time.After(time.Second):
	}
	return report.Escape(string(bytes.TrimSpace(out[:min(len(out), maxTail)])))
}
