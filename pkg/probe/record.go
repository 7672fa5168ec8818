//go:build linux

package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// lookEvery is how often the node's totals are looked at between two samples:
	// three small files. A jump has a sample taken at once.
	lookEvery = time.Second
	// tellEvery is how often the recording is written unasked once stdin has ended,
	// for whoever reads the container's log: nobody can ask any more.
	tellEvery = 10 * time.Minute
	// lastWords is how long the last answer may take to be written.
	lastWords = 30 * time.Second
	// recorderMemory bounds what the Go runtime takes, in bytes; the program itself
	// comes on top.
	recorderMemory = 22 << 20
	// usualEvery is the interval at which one hundredth of a core is the most that
	// recording may take. Who asks for a shorter one asks for more.
	usualEvery = 30 * time.Second
)

// recorder records a node until its time is up, whether anybody is there or not.
type recorder struct {
	session
	asked report.RecordRequest
	start time.Time
	base  run // what every collection begins with
	look  *hostfs.Proc

	ring
	recorded
	node       report.Node
	containers containerNames
	oom        oomNotes
	last       report.Sample
	mounts     int64
	mountsAt   time.Time
	limits     report.Recording // of the node
	mount      *hostfs.CgroupMount
	memory     *cgroupTree // nil: no memory cgroups
	missed     int
	lastMiss   string
	cost       time.Duration // CPU time of the last sample
	budget     budget
	writing    chan struct{} // full while an answer is being written
}

// record takes over a session: from now on neither an acknowledgement nor the end
// of stdin ends it, but its time.
func (s session) record(ctx context.Context, frames *report.FrameReader, f report.Frame) error {
	rec, err := s.newRecorder(f)
	if err != nil {
		_ = s.write(ctx, report.Frame{Type: report.FrameError, Payload: []byte(err.Error())})
		return err
	}
	defer rec.look.Close()
	debug.SetMemoryLimit(recorderMemory)
	rec.begin(ctx)
	if err := s.write(ctx, rec.frame(begun)); err != nil {
		return err
	}
	requests, ended := make(chan report.Request, 4), make(chan struct{})
	go hear(frames, requests, ended)
	return rec.run(ctx, requests, ended)
}

func (s session) newRecorder(f report.Frame) (*recorder, error) {
	req, err := readRequest(f)
	if err != nil {
		return nil, err
	}
	a := req.Record
	if a == nil || a.ForSeconds <= 0 || a.EveryMillis < 1000 {
		return nil, errors.New("the request says neither how long nor how often to record, or oftener than each second")
	}
	look, err := hostfs.OpenProc(s.fs)
	if err != nil {
		return nil, err
	}
	rec := &recorder{session: s, asked: *a, start: time.Now(), look: look, recorded: *newRecorded(),
		ring: ring{limit: ringBytes, interval: a.EveryMillis}, writing: make(chan struct{}, 1)}
	rec.base = run{fs: s.fs, req: report.NewRequest(), silence: s.silence, report: &report.NodeReport{}}
	return rec, nil
}

// hear passes requests on; a damaged one is asked again by its client.
func hear(frames *report.FrameReader, requests chan<- report.Request, ended chan<- struct{}) {
	defer close(ended)
	for failed := 0; failed < 1000; {
		f, err := frames.Next()
		if errors.Is(err, report.ErrTruncated) {
			return
		}
		var req report.Request
		if err == nil {
			req, err = readRequest(f)
		}
		if err != nil || !plainNonce(req.ReplyTo) {
			failed++
			continue
		}
		failed = 0
		select {
		case requests <- req:
		default: // asked oftener than it can answer
		}
	}
}

// plainNonce: it stands in a header, between spaces.
func plainNonce(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// run takes samples, and answers who asks, until the time is up.
func (rec *recorder) run(ctx context.Context, requests <-chan report.Request, ended <-chan struct{}) error {
	end := time.NewTimer(time.Until(rec.start.Add(time.Duration(rec.asked.ForSeconds) * time.Second)))
	defer end.Stop()
	looks := time.NewTicker(lookEvery)
	defer looks.Stop()
	var unasked <-chan time.Time
	owed := false // an answer that nobody asks for
	next := time.Now().Add(rec.interval())
	for {
		select {
		case now := <-looks.C:
			owed = owed && !rec.answerBeside(ctx, rec.nonce)
			if !now.Before(next) {
				next = now.Add(rec.interval())
				rec.sample(ctx, false)
			} else if rec.jumped() && rec.budget.allows(now, rec.cost) {
				rec.sample(ctx, true)
			}
		case req := <-requests:
			rec.answerBeside(ctx, req.ReplyTo)
		case <-ended:
			ended, owed = nil, true
			tick := time.NewTicker(tellEvery)
			defer tick.Stop()
			unasked = tick.C
		case <-unasked:
			owed = true
		case <-end.C:
			ctx, cancel := context.WithTimeoutCause(ctx, lastWords, fmt.Errorf("nobody took the recording within %v", lastWords))
			defer cancel()
			rec.asked.ForSeconds = int64(time.Since(rec.start).Seconds())
			rec.sample(ctx, false)
			return rec.lastAnswer(ctx)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// interval is how long it takes until the next sample: what was asked for, unless
// that costs too much on a node of this size.
func (rec *recorder) interval() time.Duration {
	every := time.Duration(rec.asked.EveryMillis) * time.Millisecond
	share := max(1, float64(usualEvery)/float64(every)) / 100
	return max(every, time.Duration(float64(rec.cost)/share))
}

// budget is CPU time for samples out of turn.
type budget struct {
	at   time.Time
	left time.Duration
}

// allows takes from the budget. It grows by half a hundredth of the time, and one
// second may be saved up.
func (b *budget) allows(now time.Time, cost time.Duration) bool {
	const saved = time.Second
	if b.at.IsZero() {
		b.left = saved
	} else {
		b.left = min(saved, b.left+now.Sub(b.at)/200)
	}
	b.at = now
	if b.left < cost {
		return false
	}
	b.left -= cost
	return true
}

// answerBeside writes an answer while recording goes on. While one is being
// written there is no second: a client asks again.
func (rec *recorder) answerBeside(ctx context.Context, nonce string) bool {
	select {
	case rec.writing <- struct{}{}:
	default:
		return false
	}
	f := rec.frame(goesOn)
	s := rec.session
	s.nonce = nonce
	go func() {
		_ = s.write(ctx, f)
		<-rec.writing
	}()
	return true
}

// lastAnswer stays in the container's log.
func (rec *recorder) lastAnswer(ctx context.Context) error {
	select {
	case rec.writing <- struct{}{}:
		return rec.write(ctx, rec.frame(over))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func readRequest(f report.Frame) (req report.Request, err error) {
	if f.Type != report.FrameRequest && f.Type != report.FrameRecord {
		return req, fmt.Errorf("message %q is not known to this probe", f.Type)
	}
	if err := json.Unmarshal(f.Payload, &req); err != nil {
		return req, fmt.Errorf("failed to read the request: %w", err)
	}
	if req.APIVersion != report.APIVersion || req.Kind != report.RequestKind {
		return req, fmt.Errorf("the request is %q of %q, this probe answers %q of %q", req.Kind, req.APIVersion, report.RequestKind, report.APIVersion)
	}
	return req, nil
}
