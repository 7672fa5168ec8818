//go:build linux

package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// sleeper is a standby, and who is attached to it.
type sleeper struct {
	*client
	dir    string
	cancel context.CancelFunc
	// reply reads what is written to a client.
	reply func(to string) *report.FrameReader
}

func startStandby(t *testing.T, fs hostfs.FS) *sleeper {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	s := &sleeper{client: &client{t: t, in: inW, out: outR, done: make(chan error, 1)}, dir: t.TempDir(), cancel: cancel}
	s.reply = func(to string) *report.FrameReader { return report.NewFrameReader(outR, to) }
	go func() {
		s.done <- Standby(ctx, inR, outW, nonce, "v9", s.dir, fs, func() (string, error) { return fs.Root, nil })
	}()
	t.Cleanup(func() {
		cancel()
		inW.Close()
		outR.Close()
	})
	return s
}

func requestOf(t *testing.T, replyTo string) []byte {
	t.Helper()
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses)
	req.ReplyTo = replyTo
	b, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Clients that come one after another, one of whom was killed in the middle of its
// request, each get their own answer; the end of stdin ends nothing.
func TestStandbyServesOneAfterAnother(t *testing.T) {
	s := startStandby(t, plant(t, smallNode))
	for i, to := range []string{"aa", "bb"} {
		var half bytes.Buffer
		if err := report.WriteFrame(&half, nonce, report.Frame{Type: report.FrameRequest, Payload: bytes.Repeat([]byte("x"), 5000)}); err != nil {
			t.Fatal(err)
		}
		s.raw(half.String()[:half.Len()/2] + "\n!\n")
		s.send(report.FrameRequest, requestOf(t, to))
		s.read = s.reply(to)
		if f := s.expect(report.FrameWait); string(f.Payload) != "0" {
			t.Errorf("client %d waits for %q others", i, f.Payload)
		}
		s.expectReport()
	}
	s.in.Close()
	s.cancel()
	s.ends(nil)
}

// Who asks again while waiting is not served twice; who is one too many is told so.
func TestStandbyTellsWhoWaits(t *testing.T) {
	s := &standby{session: session{out: io.Discard}, queue: make(chan report.Request, maxWaiting), waiting: map[string]bool{},
		writing: make(chan struct{}, 1), notes: make(chan struct{}, 2*maxWaiting)}
	out, in := io.Pipe()
	s.out = in
	t.Cleanup(func() { out.Close() })
	for i := range maxWaiting {
		to := strings.Repeat("a", i+1)
		for range 2 {
			s.take(t.Context(), report.Request{ReplyTo: to})
			f, err := report.NewFrameReader(out, to).Next()
			if err != nil || f.Type != report.FrameWait || (i == 0) != (string(f.Payload) == "0") {
				t.Fatalf("client %d got %q %q, %v", i, f.Type, f.Payload, err)
			}
		}
	}
	s.take(t.Context(), report.Request{ReplyTo: "b"})
	f, err := report.NewFrameReader(out, "b").Next()
	if err != nil || f.Type != report.FrameError || !strings.Contains(string(f.Payload), "8 others are being served") || len(s.queue) != maxWaiting {
		t.Errorf("got %q %q, %v, %d in the queue", f.Type, f.Payload, err, len(s.queue))
	}
}

// A client of a schema that it does not know gets an answer, since it waits for one.
func TestStandbyAnswersWhatItDoesNotKnow(t *testing.T) {
	s := startStandby(t, plant(t, smallNode))
	s.send(report.FrameRequest, []byte(`{"apiVersion":"nodedoc.io/v9","kind":"NodeReportRequest","replyTo":"cc"}`))
	s.read = s.reply("cc")
	if f := s.expect(report.FrameError); !strings.Contains(string(f.Payload), "nodedoc.io/v9") {
		t.Errorf("got %q", f.Payload)
	}
}

// Nobody reads its stdout, as under a runtime that hangs: it keeps its report, and when it
// ends nothing is left.
func TestStandbyKeepsWhileNobodyReads(t *testing.T) {
	s := startStandby(t, plant(t, smallNode))
	s.send(report.FrameRequest, requestOf(t, "dd")) // its answer is never read
	packed := awaitFile(t, filepath.Join(s.dir, report.KeptName))
	r, err := report.DecodeReport(packed)
	if err != nil || r.Node.Hostname != "small" || r.Probe.Standby == nil || r.OpenFiles == nil || len(r.OpenFiles.Samples) < 2 {
		t.Fatalf("got %+v, %v", r, err)
	}
	s.cancel()
	s.ends(nil)
	if left, err := os.ReadDir(s.dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// awaitFile returns a file's bytes once it is there: it comes whole.
func awaitFile(t *testing.T, path string) []byte {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if b, err := os.ReadFile(path); err == nil {
			return b
		}
	}
	t.Fatalf("there is no %s", path)
	return nil
}

func TestBlackBox(t *testing.T) {
	dir := t.TempDir()
	b := blackBox{dir: dir}
	elsewhere := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(elsewhere, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	// What is in its way: a link to somewhere else, as a new file and in its place.
	for _, path := range []string{b.path(), b.path() + ".new"} {
		if err := os.Symlink(elsewhere, path); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"first", "second"} {
		if err := b.keep([]byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(b.path())
		info, statErr := os.Lstat(b.path())
		if err != nil || statErr != nil || string(got) != text || info.Mode() != 0o600 {
			t.Errorf("got %q, %v, %v, %v", got, err, info, statErr)
		}
	}
	if err := b.keep(make([]byte, maxKept+1)); err == nil {
		t.Error("kept what is too large")
	}
	// A reader that has it open goes on with the old one, whole.
	f, err := os.Open(b.path())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := b.keep([]byte("third, and longer")); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(f); err != nil || string(got) != "second" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := os.ReadFile(elsewhere); err != nil || string(got) != "precious" {
		t.Errorf("wrote through a link: %q, %v", got, err)
	}
	for range 2 { // also where there is nothing to remove
		if err := b.remove(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestDue(t *testing.T) {
	for name, c := range map[string]struct {
		since        time.Duration
		wasSick, now bool
		want         bool
	}{
		"a while, and well":    {keepEvery, false, false, true},
		"soon, and well":       {keepEvery - 1, false, false, false},
		"has fallen sick":      {keepPause, false, true, true},
		"falls sick all along": {keepPause - 1, false, true, false},
		"sick still":           {keepEverySick, true, true, true},
		"sick still, and soon": {keepEverySick - 1, true, true, false},
		"has got well":         {keepEverySick, true, false, false},
	} {
		if got := due(c.since, c.wasSick, c.now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A node that is sick in every way that is looked at; and a small one, of which little is
// known, that is not.
func TestSick(t *testing.T) {
	fs := plant(t, smallNode)
	s := &standby{session: session{fs: fs}, findRoot: func() (string, error) { return fs.Root, nil }}
	look := func() []string {
		proc, err := hostfs.OpenProc(fs)
		if err != nil {
			t.Fatal(err)
		}
		defer proc.Close()
		return s.sick(proc)
	}
	if why := look(); len(why) > 0 {
		t.Errorf("a healthy one: %v", why)
	}
	for name, text := range map[string]string{
		"meminfo":                "MemTotal: 1048576 kB\nMemFree: 100 kB\nMemAvailable: 51200 kB\n",
		"sys/fs/file-nr":         "960\t0\t1000\n",
		"loadavg":                "1.00 1.00 1.00 2/990 4711\n",
		"sys/kernel/pid_max":     "4194304\n",
		"sys/kernel/threads-max": "1000\n",
	} {
		path := filepath.Join(fs.Proc, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(fs.Root, "run/crio/crio.sock")
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(socket)) // a socket's path must be short
	l, err := net.Listen("unix", "crio.sock")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // it never answers
	want := "50 MiB of 1024 MiB memory are available; 960 of 1000 files are open; 990 of 1000 tasks are there; /run/crio/crio.sock: no answer"
	if got := strings.Join(look(), "; "); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
