package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// fakeSource is a source whose samples a test makes, and which notes in order
// what happens.
type fakeSource struct {
	log     []string
	sample  func(i int) (*report.NodeReport, error)
	release error
	clock   time.Time
	each    time.Duration
	asked   int
}

func (f *fakeSource) note(format string, a ...any) { f.log = append(f.log, fmt.Sprintf(format, a...)) }

// repetition is the watch loop on a fake source, without a terminal or a clock.
func (f *fakeSource) repetition(flags repeatFlags) *repetition {
	o := opened{
		collect: func(ctx context.Context, _ report.Request) (*report.NodeReport, error) {
			f.asked++
			f.clock = f.clock.Add(f.each)
			r, err := f.sample(f.asked)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return r, err
		},
		inventory: func(context.Context) *inventory.Inventory { return hubInventory() },
		finish:    func() { f.note("finish") },
		release:   func() error { f.note("release"); return f.release },
	}
	return &repetition{flags: &flags,
		open: func(context.Context) (opened, error) { return o, nil },
		ask:  func(ctx context.Context, o opened) *inventory.Inventory { return o.inventory(ctx) },
		keep: func(r *report.NodeReport, _ *inventory.Inventory) error { f.note("keep %d", r.Node.Now); return nil },
		show: func(n *correlate.Node, i int) error { f.note("show %d of %d", i, n.Report.Node.Now); return nil },
		idle: func() error { return nil },
		done: func() error { f.note("done"); return nil },
		now:  func() time.Time { return f.clock },
		warn: func(s string) { f.note("warn %s", s) },
	}
}

// numbered is a report that tells which it is.
func numbered(i int) (*report.NodeReport, error) {
	r := sickNode()
	r.Node.Now = int64(i)
	return r, nil
}

func TestSamples(t *testing.T) {
	f := &fakeSource{sample: numbered}
	if err := f.repetition(repeatFlags{samples: 3, given: true}).run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"show 1 of 1", "show 2 of 2", "show 3 of 3", "done", "keep 3", "release"}; !slices.Equal(f.log, want) {
		t.Errorf("got %q, want %q", f.log, want)
	}
}

// Ctrl-C ends a watch as it should, samples before there are enough, and either
// before the first answer.
func TestInterruptedRepetition(t *testing.T) {
	for name, c := range map[string]struct {
		flags   repeatFlags
		at      int // the sample during which Ctrl-C comes
		release error
		want    []string
		code    int
	}{
		"watch":                    {repeatFlags{watch: true}, 3, nil, []string{"show 1 of 1", "show 2 of 2", "done", "keep 2", "release"}, ExitOK},
		"watch, nothing shown yet": {repeatFlags{watch: true}, 1, nil, []string{"done", "release"}, ExitInterrupted},
		"watch, pod may be left":   {repeatFlags{watch: true}, 2, errors.New("could not confirm"), []string{"show 1 of 1", "done", "keep 1", "release"}, ExitInterrupted},
		"samples":                  {repeatFlags{samples: 5, given: true}, 3, nil, []string{"show 1 of 1", "show 2 of 2", "done", "keep 2", "release"}, ExitInterrupted},
		"watch of so many samples": {repeatFlags{samples: 5, given: true, watch: true}, 2, nil, []string{"show 1 of 1", "done", "keep 1", "release"}, ExitInterrupted},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			f := &fakeSource{release: c.release}
			f.sample = func(i int) (*report.NodeReport, error) {
				if i == c.at {
					cancel(errInterrupted)
				}
				return numbered(i)
			}
			err := f.repetition(c.flags).run(ctx)
			var stderr strings.Builder
			if code := exitCode(ctx, err, testStreams(&stderr)); code != c.code || !slices.Equal(f.log, c.want) {
				t.Errorf("exit %d, %q, want %d, %q", code, f.log, c.code, c.want)
			}
			if c.release != nil && !strings.Contains(stderr.String(), "could not confirm") {
				t.Errorf("the pod that may be left is not told of: %q", stderr.String())
			}
			if c.code == ExitOK && stderr.String() != "" {
				t.Errorf("got %q", stderr.String())
			}
		})
	}
}

// What was shown stays, the error says which sample and what to do, and nothing
// is left behind.
func TestSampleFailsInTheMiddle(t *testing.T) {
	lost := errors.New("the stream ended")
	f := &fakeSource{sample: func(i int) (*report.NodeReport, error) {
		if i == 2 {
			return nil, lost
		}
		return numbered(i)
	}}
	err := f.repetition(repeatFlags{watch: true}).run(t.Context())
	if !errors.Is(err, lost) || !strings.HasPrefix(err.Error(), "sample 2 failed, what is shown before it stands; run the same command again") {
		t.Errorf("got %v", err)
	}
	if want := []string{"show 1 of 1", "done", "keep 1", "release"}; !slices.Equal(f.log, want) {
		t.Errorf("got %q, want %q", f.log, want)
	}
}

func TestFirstSampleFails(t *testing.T) {
	f := &fakeSource{sample: func(int) (*report.NodeReport, error) { return nil, errors.New("no answer") }}
	if err := f.repetition(repeatFlags{watch: true}).run(t.Context()); err == nil || err.Error() != "no answer" {
		t.Errorf("got %v", err)
	}
	if want := []string{"done", "release"}; !slices.Equal(f.log, want) {
		t.Errorf("got %q, want %q", f.log, want)
	}
}

// A pod's life is bounded, and so is what it logs.
func TestWatchEndsByItself(t *testing.T) {
	for name, each := range map[string]time.Duration{"by time": time.Hour, "by number": time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			f := &fakeSource{sample: numbered, each: each}
			if err := f.repetition(repeatFlags{watch: true}).run(t.Context()); err != nil {
				t.Fatal(err)
			}
			shown := map[time.Duration]int{time.Hour: 13, time.Millisecond: mostSamples}[each]
			// Before done, it would be lost with the screen that shows the samples.
			want := []string{fmt.Sprintf("show %d of %d", shown, shown), "done",
				fmt.Sprintf("warn stopped after %d samples: a pod lives 12h0m0s at most; run the same command again to go on", shown), fmt.Sprintf("keep %d", shown), "release"}
			if got := f.log[len(f.log)-5:]; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// | head -1 ends it without a complaint.
func TestReaderLeavesAWatch(t *testing.T) {
	f := &fakeSource{sample: numbered}
	r := f.repetition(repeatFlags{watch: true})
	r.show = func(*correlate.Node, int) error { return syscall.EPIPE }
	if err := r.run(t.Context()); err != nil || f.asked != 1 || !slices.Contains(f.log, "release") {
		t.Errorf("got %v after %d samples, %q", err, f.asked, f.log)
	}
}

// While a sample is awaited the terminal may change its size.
func TestIdleWhileWaiting(t *testing.T) {
	ticks := make(chan time.Time)
	f := &fakeSource{sample: func(i int) (*report.NodeReport, error) {
		ticks <- time.Time{}
		ticks <- time.Time{}
		return numbered(i)
	}}
	idle := 0
	r := f.repetition(repeatFlags{samples: 2, given: true})
	r.ticks, r.idle = ticks, func() error { idle++; return nil }
	if err := r.run(t.Context()); err != nil || idle != 4 {
		t.Errorf("idle %d times, %v, want 4", idle, err)
	}
}

func TestLifeCoversAllSamples(t *testing.T) {
	if got := (&repeatFlags{samples: 100, given: true}).life(10 * time.Second); got < 100*10*time.Second {
		t.Errorf("got %s", got)
	}
	if got := (&repeatFlags{watch: true}).life(time.Second); got != longestRepeat {
		t.Errorf("got %s", got)
	}
}
