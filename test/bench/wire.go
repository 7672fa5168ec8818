//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const nonce = "bench"

// serve starts the probe as the pod does. done ends it.
func (b *bench) serve() (in io.Writer, out io.Reader, done func() error, err error) {
	cmd := exec.CommandContext(b.ctx, b.tool("nodedoc-probe"), "serve", nonce)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	done = func() error {
		err := report.WriteFrame(stdin, nonce, report.Frame{Type: report.FrameAck})
		return errors.Join(err, cmd.Wait())
	}
	return stdin, stdout, done, cmd.Start()
}

// wire says how many bytes a report is as it goes over the wire.
func (b *bench) wire(processes int) error {
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses, report.CollectContainers)
	req.FDs = true
	text, err := json.Marshal(req)
	if err != nil {
		return err
	}
	in, out, done, err := b.serve()
	if err != nil {
		return err
	}
	if err := report.WriteFrame(in, nonce, report.Frame{Type: report.FrameRequest, Payload: text}); err != nil {
		return err
	}
	sent := &counter{r: out}
	frames := report.NewFrameReader(sent, nonce)
	for {
		f, err := frames.Next()
		if err != nil {
			return err
		}
		if f.Type == report.FrameHello {
			continue
		}
		r, err := report.DecodeReport(f.Payload)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Type, err)
		}
		fmt.Printf("\nreport of %d processes\n  %-58s %d KiB for %d processes\n", processes, "bytes on the wire, packed and framed", sent.n>>10, len(r.Processes.List))
		return done()
	}
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// firstByte: how soon after its start the probe says something.
func (b *bench) firstByte() error {
	waits := make([]time.Duration, 0, 4*b.runs)
	for range cap(waits) {
		begin := time.Now()
		_, out, done, err := b.serve()
		if err != nil {
			return err
		}
		if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
			return err
		}
		waits = append(waits, time.Since(begin))
		if err := done(); err != nil {
			return err
		}
	}
	fmt.Printf("\nstart of nodedoc-probe\n  %-58s %s\n", "fork and exec to the first byte, median", short(median(waits, func(d time.Duration) time.Duration { return d })))
	return nil
}
