//go:build linux

package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxFirstLine bounds the client's first line in bytes.
const maxFirstLine = 256

// Await reads the client's first line, which is the session's nonce. Where the
// probe comes with the image no shell has read it, and what a container prints
// before its client is attached gets lost. It does not wait for ever: a client
// that was killed before it attached leaves nobody to wait for.
func Await(ctx context.Context, in io.Reader, nonce string, patience time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no client came within %v", patience))
	defer cancel()
	type answer struct {
		line string
		err  error
	}
	first := make(chan answer, 1)
	go func() {
		line, err := firstLine(in)
		first <- answer{line, err}
	}()
	select {
	case got := <-first:
		switch {
		case got.err != nil:
			return fmt.Errorf("the client left before it had said who it is: %w", got.err)
		case got.line != nonce:
			return errors.New("another client is attached")
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// firstLine takes no byte more than the line's.
func firstLine(in io.Reader) (string, error) {
	line, b := make([]byte, 0, maxFirstLine), make([]byte, 1)
	for len(line) < maxFirstLine {
		switch _, err := io.ReadFull(in, b); {
		case err != nil:
			return "", err
		case b[0] == '\n':
			return string(line), nil
		}
		line = append(line, b[0])
	}
	return "", fmt.Errorf("more than %d bytes without an end of line", maxFirstLine)
}
