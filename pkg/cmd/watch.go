package cmd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// sizeCheck is how often a resized terminal is noticed while a sample is taken.
const sizeCheck = 250 * time.Millisecond

// reply is what one report comes to, in every format.
type reply struct {
	kind   string
	doc    any
	owners []correlate.Owner
	text   func(io.Writer, printer.Style) error
	page   func(printer.Style) (document.Document, error)
}

// watching shows the answer to one report after another, of the same source.
type watching struct {
	env
	node     string
	repeat   *repeatFlags
	output   *outputFlags
	interval time.Duration
	top      int
	topGiven bool
	answer   func(*correlate.Node) (reply, error)
}

// print prints the answer to one report.
func (o *watching) print(n *correlate.Node) error {
	a, err := o.answer(n)
	if err != nil {
		return err
	}
	if o.output.human() {
		return o.output.show(o.streams.Out, o.version, human{o.top, o.topGiven, a.text, a.page})
	}
	return o.output.print(o.streams.Out, a.kind, a.doc, a.owners)
}

func (o *watching) watch(ctx context.Context, s *source, req report.Request) error {
	defer s.progress.clear()
	tick := time.NewTicker(sizeCheck)
	defer tick.Stop()
	r := &repetition{flags: o.repeat, req: req, keep: s.save, ticks: tick.C, now: time.Now, warn: s.progress.warn,
		open: func(ctx context.Context) (opened, error) { return s.open(ctx, o.node, o.repeat.life(o.interval)) }}
	r.ask = firstAloud(s)
	if screen := newScreen(o.streams.Out); screen != nil && o.output.human() {
		screen.restore = func(text string) { noteRestore(ctx, text) }
		r.show = func(n *correlate.Node, i int) error {
			s.progress.clear()
			return o.refresh(screen, n, i)
		}
		r.idle, r.done = screen.resize, screen.close
	} else {
		r.show = func(n *correlate.Node, i int) error {
			s.progress.clear()
			return o.appendSample(n, i)
		}
		r.idle, r.done = func() error { return nil }, func() error { return nil }
	}
	return r.run(ctx)
}

// firstAloud says what it asks, and what it lacks, once: later it would be said
// into the middle of what is shown. The answer itself names what it lacks.
func firstAloud(s *source) func(context.Context, opened) *inventory.Inventory {
	asked := false
	return func(ctx context.Context, o opened) *inventory.Inventory {
		if asked {
			return o.inventory(ctx)
		}
		asked = true
		return s.ask(ctx, o)
	}
}

// refresh shows a sample in place of the one before.
func (o *watching) refresh(screen *screen, n *correlate.Node, i int) error {
	a, err := o.answer(n)
	if err != nil {
		return err
	}
	return screen.draw(func(width, height int, final bool) (string, error) {
		style := o.output.style(o.streams.Out)
		style.Width, style.Top = width, o.top
		return printer.Fit(style, height, func(s printer.Style) (string, error) {
			var b bytes.Buffer
			fmt.Fprintln(&b, o.sampleLine(n, i, !final))
			err := a.text(&b, s)
			return b.String(), err
		})
	})
}

// appendSample shows a sample behind the one before.
func (o *watching) appendSample(n *correlate.Node, i int) error {
	a, err := o.answer(n)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if o.output.human() {
		if i > 1 {
			fmt.Fprintln(&b)
		}
		fmt.Fprintln(&b, o.sampleLine(n, i, false))
		style := o.output.style(o.streams.Out)
		style.Top = o.top
		err = a.text(&b, style)
	} else {
		err = o.output.print(&b, a.kind, a.doc, a.owners)
		if text := b.String(); text != "" && !strings.HasSuffix(text, "\n") { // a template's
			b.WriteByte('\n')
		}
	}
	if err != nil {
		return err
	}
	_, err = b.WriteTo(o.streams.Out)
	return err
}

// sampleLine is the head of a sample: when, by the node's clock, and which.
func (o *watching) sampleLine(n *correlate.Node, i int, goesOn bool) string {
	line := fmt.Sprintf("sample %d", i)
	if !o.repeat.endless() {
		line += fmt.Sprintf(" of %d", o.repeat.samples)
	}
	if t := n.Time(); t != nil {
		line = t.Format(time.RFC3339) + ", " + line
	}
	if goesOn {
		line += fmt.Sprintf(", every %s, Ctrl-C ends", o.interval)
	}
	return line
}
