package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const (
	// A pod must end by itself some day, whatever becomes of us.
	longestRepeat = 12 * time.Hour
	// Each report also goes through the container's log, some 100 KB of it, and
	// docker's is not rotated unless somebody has asked for it.
	mostSamples = 2500
	// A sick node takes its time to answer.
	perSample = 30 * time.Second
)

// errWatchEnded is how --watch ends by Ctrl-C: as it should.
var errWatchEnded = errors.New("the watch has ended")

// repeatFlags are --samples and --watch.
type repeatFlags struct {
	samples      int
	watch, given bool
}

func (f *repeatFlags) add(c *cobra.Command) {
	c.Flags().IntVar(&f.samples, "samples", 0, "Look this many times, one --interval after another; --save keeps the last")
	c.Flags().BoolVarP(&f.watch, "watch", "w", false, "Look again and again until Ctrl-C, 12 hours at most")
}

func (f *repeatFlags) on() bool { return f.watch || f.given }

// endless says whether Ctrl-C is the normal end.
func (f *repeatFlags) endless() bool { return f.watch && !f.given }

func (f *repeatFlags) validate(interval time.Duration, s *sourceFlags, output *outputFlags) error {
	switch {
	case !f.on():
		return nil
	case f.watch && f.given:
		return errors.New("--watch goes on until Ctrl-C, --samples ends by itself: give one of them")
	case s.from != "":
		return errors.New("a saved report is one sample: --samples and --watch do not go with --from")
	case output.page():
		return fmt.Errorf("-o %s is one page: --samples and --watch do not go with it; record and history show a node over time", output.format)
	case f.given && (f.samples < 1 || f.samples > mostSamples):
		return fmt.Errorf("--samples must be between 1 and %d, not %d", mostSamples, f.samples)
	case f.given && time.Duration(f.samples)*interval > longestRepeat:
		return fmt.Errorf("%d samples of %s take %s, the limit is %s: take fewer, or a shorter --interval",
			f.samples, interval, time.Duration(f.samples)*interval, longestRepeat)
	}
	return nil
}

// life is how long the source must live for it.
func (f *repeatFlags) life(interval time.Duration) time.Duration {
	if f.endless() {
		return longestRepeat
	}
	return time.Duration(f.samples) * (interval + perSample)
}

// repetition looks again and again. What it shows and how it waits are parts
// that tests replace.
type repetition struct {
	flags *repeatFlags
	req   report.Request
	open  func(context.Context) (opened, error)
	ask   func(context.Context, opened) *inventory.Inventory
	keep  func(*report.NodeReport, *inventory.Inventory) error
	show  func(n *correlate.Node, sample int) error
	// ticks come while a report is awaited, and idle is called for each.
	ticks <-chan time.Time
	idle  func() error
	// done ends the showing, before anything else is said.
	done func() error
	now  func() time.Time
	warn func(string)
}

// run ends with errWatchEnded where Ctrl-C is the normal end and all went well.
func (r *repetition) run(ctx context.Context) error {
	o, err := r.open(ctx)
	if err != nil {
		return err
	}
	last, err := r.loop(ctx, o)
	err = errors.Join(unlessReaderLeft(err), unlessReaderLeft(r.done()))
	if last.cutShort != "" {
		r.warn(last.cutShort)
	}
	if last.report != nil {
		err = errors.Join(err, r.keep(last.report, last.inventory))
	}
	err = errors.Join(err, o.release())
	if err == nil && interrupted(ctx) && last.report != nil && r.flags.endless() {
		return errWatchEnded
	}
	return err
}

// repeated is what is left of a repetition: its last report that came whole, and
// why it went no further though nobody has ended it.
type repeated struct {
	report    *report.NodeReport
	inventory *inventory.Inventory
	cutShort  string
}

// loop takes samples until there are enough, time is up or ctx ends; then its
// error is nil.
func (r *repetition) loop(ctx context.Context, o opened) (last repeated, err error) {
	end := r.now().Add(longestRepeat)
	for i := 1; r.flags.endless() || i <= r.flags.samples; i++ {
		if i > mostSamples || r.now().After(end) {
			last.cutShort = fmt.Sprintf("stopped after %d samples: a pod lives %s at most; run the same command again to go on", i-1, longestRepeat)
			return last, nil
		}
		next, err := r.await(ctx, o)
		switch {
		case interrupted(ctx):
			return last, nil
		case err != nil && last.report != nil:
			return last, fmt.Errorf("sample %d failed, what is shown before it stands; run the same command again to go on: %w", i, err)
		case err != nil:
			return last, err
		}
		known := r.ask(ctx, o)
		o.name(ctx, next, known)
		if interrupted(ctx) {
			return last, nil
		}
		last.report, last.inventory = next, known
		if err := r.show(correlate.Join(next, known), i); err != nil {
			return last, err
		}
	}
	return last, nil
}

// interrupted says that nobody wants more.
func interrupted(ctx context.Context) bool { return ctx.Err() != nil }

// await collects one report, idle meanwhile.
func (r *repetition) await(ctx context.Context, o opened) (*report.NodeReport, error) {
	type result struct {
		report *report.NodeReport
		err    error
	}
	done := make(chan result, 1)
	go func() {
		got, err := o.collect(ctx, r.req)
		done <- result{got, err}
	}()
	for {
		select {
		case res := <-done:
			return res.report, res.err
		case <-r.ticks:
			if err := r.idle(); err != nil {
				<-done
				return nil, err
			}
		}
	}
}
