//go:build linux

package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	nonce = "n0nce"
	// prompt is what "at once" may last on a loaded machine.
	prompt = 5 * time.Second
	// long is an interval that no test waits for.
	long = time.Hour
)

// smallNode is enough for a session.
const smallNode = `
-- proc/uptime --
100.00 1.00
-- proc/sys/fs/file-nr --
100	0	1000
-- proc/sys/kernel/hostname --
small
-- proc/1/mountinfo --
30 1 8:1 / / rw - ext4 /dev/sda1 rw
-- proc/1 (process) --
comm systemd
parent 0
cgroup /init.scope
args /sbin/init
fd 0..9 /dev/null
`

// client is the other side of a session.
type client struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *io.PipeReader
	read *report.FrameReader
	done chan error
}

func serve(ctx context.Context, t *testing.T, fs hostfs.FS) *client {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	c := &client{t: t, in: inW, out: outR, read: report.NewFrameReader(outR, nonce), done: make(chan error, 1)}
	go func() { c.done <- Serve(ctx, inR, outW, nonce, "v9", fs) }()
	t.Cleanup(func() {
		inW.Close()
		outR.Close()
	})
	return c
}

func (c *client) send(kind string, payload []byte) {
	c.t.Helper()
	if err := report.WriteFrame(c.in, nonce, report.Frame{Type: kind, Payload: payload}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) raw(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, s); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) request(interval time.Duration) {
	c.t.Helper()
	c.send(report.FrameRequest, requestFor(c.t, interval))
}

func requestFor(t *testing.T, interval time.Duration) []byte {
	t.Helper()
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses)
	req.FDs, req.IntervalMillis = true, interval.Milliseconds()
	b, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (c *client) expect(kind string) report.Frame {
	c.t.Helper()
	f, err := c.read.Next()
	if err != nil || f.Type != kind {
		c.t.Fatalf("got %q %q %v, want %s", f.Type, f.Payload, err, kind)
	}
	return f
}

func (c *client) expectReport() {
	c.t.Helper()
	r, err := report.DecodeReport(c.expect(report.FrameReport).Payload)
	if err != nil || r.Node.Hostname != "small" || len(r.Processes.List) != 1 || r.Probe.Version != "v9" {
		c.t.Fatalf("got %+v %v", r, err)
	}
}

// ends checks that Serve returns at once, by want.
func (c *client) ends(want error) {
	c.t.Helper()
	select {
	case err := <-c.done:
		if !errors.Is(err, want) || want == nil && err != nil {
			c.t.Errorf("ended by %v, want %v", err, want)
		}
	case <-time.After(prompt):
		c.t.Fatal("still serving")
	}
}

func TestSession(t *testing.T) {
	c := serve(t.Context(), t, plant(t, smallNode))
	if f := c.expect(report.FrameHello); string(f.Payload) != "v9" {
		t.Errorf("hello says %q", f.Payload)
	}
	c.request(0)
	c.expectReport()
	c.send(report.FrameAck, nil)
	c.ends(nil)
}

func TestSessionOfTwoRequestsSentAtOnce(t *testing.T) {
	c := serve(t.Context(), t, plant(t, smallNode))
	c.expect(report.FrameHello)
	c.request(0)
	c.request(0)
	c.expectReport()
	c.expectReport()
	c.send(report.FrameAck, nil)
	c.ends(nil)
}

func TestSessionSkipsNoise(t *testing.T) {
	c := serve(t.Context(), t, plant(t, smallNode))
	c.expect(report.FrameHello)
	c.raw("If you don't see a command prompt, try pressing enter.\r\n\n")
	c.raw("NODEDOC1 ack other 0 " + strings.Repeat("0", 32) + "\n") // of another session
	c.raw("NODEDOC1 ack n0nce\n")
	c.request(0)
	c.expectReport()
	c.raw(strings.Repeat("\x00\xff", 100_000))
	c.send(report.FrameAck, nil)
	c.ends(nil)
}

func TestSessionGoesOnAfterABadRequest(t *testing.T) {
	c := serve(t.Context(), t, plant(t, smallNode))
	c.expect(report.FrameHello)
	for _, bad := range []struct{ kind, payload, says string }{
		{"dance", "", `message "dance" is not known`},
		{report.FrameReport, "", `message "report" is not known`},
		{report.FrameRequest, "", "failed to read the request"},
		{report.FrameRequest, "{", "failed to read the request"},
		{report.FrameRequest, `{"pids":"all"}`, "failed to read the request"},
		{report.FrameRequest, `{}`, `this probe answers "NodeReportRequest" of "nodedoc.io/v1alpha1"`},
		{report.FrameRequest, `{"apiVersion":"nodedoc.io/v7","kind":"NodeReportRequest"}`, `"nodedoc.io/v7"`},
	} {
		c.send(bad.kind, []byte(bad.payload))
		if f := c.expect(report.FrameError); !strings.Contains(string(f.Payload), bad.says) {
			t.Errorf("%s %q: answered %q, want %q", bad.kind, bad.payload, f.Payload, bad.says)
		}
	}
	c.request(0)
	c.expectReport()
	c.send(report.FrameAck, nil)
	c.ends(nil)
}

func TestSessionStopsWhereTheClientDoes(t *testing.T) {
	fs := plant(t, smallNode)
	hello := func(c *client) { c.expect(report.FrameHello) }
	for name, c := range map[string]struct {
		before func(*client)
		end    error
	}{
		"before it reads anything":         {func(*client) {}, ErrClientGone},
		"after hello":                      {hello, ErrClientGone},
		"in the middle of a request":       {func(c *client) { hello(c); c.raw("NODEDOC1 request n0nce 100 " + strings.Repeat("0", 32) + "\nAAAA\n") }, ErrClientGone},
		"while the interval passes":        {func(c *client) { hello(c); c.request(long) }, ErrClientGone},
		"while another request waits":      {func(c *client) { hello(c); c.request(long); c.request(0) }, ErrClientGone},
		"after a report that nobody reads": {func(c *client) { hello(c); c.request(0); time.Sleep(100 * time.Millisecond) }, ErrClientGone},
		"after the report":                 {func(c *client) { hello(c); c.request(0); c.expectReport() }, ErrClientGone},
		"with an acknowledgement":          {func(c *client) { hello(c); c.send(report.FrameAck, nil) }, nil},
		"with one in the interval":         {func(c *client) { hello(c); c.request(long); c.send(report.FrameAck, nil) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t.Context(), t, fs)
			c.before(s)
			s.in.Close()
			s.ends(c.end)
		})
	}
}

func TestSessionEndsAtADamagedMessage(t *testing.T) {
	c := serve(t.Context(), t, plant(t, smallNode))
	c.expect(report.FrameHello)
	c.raw(fmt.Sprintf("NODEDOC1 ack n0nce 3 %032d\nAAAA\n", 0))
	c.ends(ErrClientGone)
}

func TestSessionEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := serve(ctx, t, plant(t, smallNode))
	c.expect(report.FrameHello)
	c.request(long)
	cancel()
	c.ends(context.Canceled)
}

// The program itself: it ends by its own, not by a signal, and says why.
func TestProgramStopsAtTheEndOfStdin(t *testing.T) {
	fs := plant(t, smallNode)
	cmd := exec.CommandContext(t.Context(), buildProbe(t), "--proc", fs.Proc, "--sys", fs.Sys, "--root", fs.Root, "serve", nonce)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if f, err := report.NewFrameReader(out, nonce).Next(); err != nil || f.Type != report.FrameHello {
		t.Fatalf("%+v %v", f, err)
	}
	err = report.WriteFrame(in, nonce, report.Frame{Type: report.FrameRequest, Payload: requestFor(t, long)})
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(stderr.String(), ErrClientGone.Error()) {
			t.Errorf("ended by %v, stderr %q", err, stderr.String())
		}
	case <-time.After(prompt):
		t.Error("still running")
	}
}
