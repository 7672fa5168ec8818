//go:build linux

package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// maxWaiting bounds the clients that are served or wait for it.
	maxWaiting = 8
	// standbyLook is the time between two looks at whether the node is sick; keepEvery
	// is between two reports that are kept, keepEverySick where it is.
	standbyLook, keepEvery, keepEverySick = 15 * time.Second, 5 * time.Minute, 2 * time.Minute
	// keepPause is the least time between two: a node that falls sick and gets well
	// again and again is not to be burdened with it.
	keepPause = 30 * time.Second
	// keptInterval lies between the two looks of a report that is kept.
	keptInterval = 2 * time.Second
)

// standby sleeps on a node until somebody attaches and asks, in turn, and keeps a
// report where the kubelet serves it without the container runtime. Whatever it
// writes to stdout waits for that runtime: nothing else may wait for a write.
type standby struct {
	session
	box      blackBox
	findRoot func() (string, error)
	queue    chan report.Request
	// collecting and writing are full while somebody does so, notes while that
	// many wait to be written.
	collecting, writing, notes chan struct{}

	mu      sync.Mutex
	waiting map[string]bool // by ReplyTo
}

// Standby serves until ctx ends, and then removes what it kept. The end of in only
// means that nobody can ask any more. findRoot finds the node's root directory anew
// each time: it may be a kubelet's, which may be another by then.
func Standby(ctx context.Context, in io.Reader, out io.Writer, nonce, version, dir string, fs hostfs.FS, findRoot func() (string, error)) error {
	s := &standby{session: session{out: out, nonce: nonce, version: version, fs: fs}, box: blackBox{dir: dir}, findRoot: findRoot,
		queue: make(chan report.Request, maxWaiting), waiting: map[string]bool{},
		collecting: make(chan struct{}, 1), writing: make(chan struct{}, 1), notes: make(chan struct{}, 2*maxWaiting)}
	look, err := hostfs.OpenProc(fs)
	if err != nil {
		return err
	}
	defer look.Close()
	go s.hear(ctx, report.NewFrameReader(in, nonce))
	go s.serve(ctx)
	s.watch(ctx, look)
	return s.box.remove()
}

// hear takes requests. What a client that was killed left half said is skipped.
func (s *standby) hear(ctx context.Context, frames *report.FrameReader) {
	for failed := 0; failed < 1000; {
		f, err := frames.Next()
		if errors.Is(err, report.ErrTruncated) {
			return
		}
		var req report.Request
		if err == nil {
			req, err = readRequest(f)
		}
		switch {
		case !plainNonce(req.ReplyTo):
			failed++
		case err != nil:
			failed++
			s.note(ctx, req.ReplyTo, report.FrameError, err.Error())
		default:
			failed = 0
			s.take(ctx, req)
		}
	}
}

// take queues a request, and tells its client at once that it was heard: how many
// come first. Who asks again is not served twice.
func (s *standby) take(ctx context.Context, req report.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ahead := len(s.waiting)
	switch {
	case s.waiting[req.ReplyTo]:
		ahead--
	case ahead >= maxWaiting:
		s.note(ctx, req.ReplyTo, report.FrameError, fmt.Sprintf("%d others are being served: ask again in a minute", ahead))
		return
	default:
		s.waiting[req.ReplyTo] = true
		s.queue <- req // has room for all that wait
	}
	s.note(ctx, req.ReplyTo, report.FrameWait, strconv.Itoa(ahead))
}

// note writes a short message beside, unless too many are unwritten.
func (s *standby) note(ctx context.Context, to, kind, text string) {
	select {
	case s.notes <- struct{}{}:
	default:
		return
	}
	go func() {
		s.tell(ctx, to, report.Frame{Type: kind, Payload: []byte(text)})
		<-s.notes
	}()
}

// tell writes a message when no other is being written.
func (s *standby) tell(ctx context.Context, to string, f report.Frame) {
	select {
	case s.writing <- struct{}{}:
	case <-ctx.Done():
		return
	}
	_ = report.WriteFrame(s.out, to, f)
	<-s.writing
}

func (s *standby) serve(ctx context.Context) {
	for {
		select {
		case req := <-s.queue:
			f := report.Frame{Type: report.FrameReport}
			var err error
			if f.Payload, err = s.packed(ctx, req, nil); err != nil {
				f = report.Frame{Type: report.FrameError, Payload: []byte(err.Error())}
			}
			s.mu.Lock()
			delete(s.waiting, req.ReplyTo) // who comes now waits for nobody
			s.mu.Unlock()
			s.tell(ctx, req.ReplyTo, f)
		case <-ctx.Done():
			return
		}
	}
}

// packed makes a report, one at a time, and gives the memory back that it took.
func (s *standby) packed(ctx context.Context, req report.Request, sick []string) ([]byte, error) {
	select {
	case s.collecting <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() {
		debug.FreeOSMemory()
		<-s.collecting
	}()
	fs := s.fs
	var err error
	if fs.Root, err = s.findRoot(); err != nil {
		return nil, err
	}
	r, err := Collect(ctx, fs, s.version, req)
	if err != nil {
		return nil, err
	}
	r.Probe.Standby = &report.Standby{Sick: sick}
	return report.EncodeReport(r)
}

// watch keeps reports until ctx ends.
func (s *standby) watch(ctx context.Context, look *hostfs.Proc) {
	ticks := time.NewTicker(standbyLook)
	defer ticks.Stop()
	wasSick := false
	var kept time.Time
	for {
		if sick := s.sick(look); due(time.Since(kept), wasSick, len(sick) > 0) {
			if err := s.keep(ctx, sick); err != nil && ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, "nodedoc-probe: no report was kept:", err)
			}
			kept, wasSick = time.Now(), len(sick) > 0
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
	}
}

// due says whether a report is to be kept, so long after the last.
func due(since time.Duration, wasSick, sick bool) bool {
	switch {
	case since >= keepEvery:
		return true
	case sick && wasSick:
		return since >= keepEverySick
	case sick:
		return since >= keepPause
	}
	return false
}

func (s *standby) keep(ctx context.Context, sick []string) error {
	req := report.Everything()
	req.IntervalMillis = keptInterval.Milliseconds()
	packed, err := s.packed(ctx, req, sick)
	if err != nil {
		return err
	}
	return s.box.keep(packed)
}
