package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

const historyLong = `What a recorder (see record) has seen of a node: the peak, who made it, the largest
processes then, each owner over the whole time, and whom the kernel killed for
memory meanwhile.

--peak says of what: memory, fd (open files) or tasks (threads). --around shows
another moment instead: a time of the recording (14:05, 2006-01-02 14:05, RFC 3339),
or how long before its end (-2h). Owners are named by what the recorder noted when it
saw them first, also when they are long gone.

Reading does not end a recorder, and several may read one. -o json gives all samples.`

const historyExample = `  # Who made the peak of memory?
  kubectl nodedoc history node-43

  # Of open files; and what was at five past two?
  kubectl nodedoc history node-43 --peak fd
  kubectl nodedoc history node-43 --around 02:05

  # Keep it, and look at it later
  kubectl nodedoc history node-43 --save night.json
  kubectl nodedoc history --from night.json --peak tasks`

type historyOptions struct {
	env
	source   *sourceFlags
	output   *outputFlags
	node     string
	peak     string
	around   string
	top      int
	topGiven bool
}

func newHistory(e env) *cobra.Command {
	o := &historyOptions{env: e, source: newSourceFlags(), output: newOutputFlags(), peak: string(correlate.MetricMemory), top: 10}
	c := &cobra.Command{
		Use:               "history NODE",
		Short:             "What a recorder has seen of a node: the peak, who made it, each owner over time",
		Long:              historyLong,
		Example:           historyExample,
		ValidArgsFunction: e.completeNode,
		RunE:              steps(o),
	}
	fs := c.Flags()
	fs.StringVar(&o.peak, "peak", o.peak, "The peak of what, and what owners are ranked by: "+strings.Join(correlate.Metrics(), "|"))
	fs.StringVar(&o.around, "around", "", "Show this time in place of the peak: 14:05, a full one, or -2h before the end")
	fs.IntVar(&o.top, "top", o.top, "Rows to show, 0 for all; -o json and the like show all unless this is given")
	must(c.RegisterFlagCompletionFunc("peak", cobra.FixedCompletions(correlate.Metrics(), cobra.ShellCompDirectiveNoFileComp)))
	o.source.addSaved(c)
	o.source.addNamespace(c)
	o.output.add(c)
	return c
}

func (o *historyOptions) complete(c *cobra.Command, args []string) (err error) {
	o.topGiven = c.Flags().Changed("top")
	if len(args) == 0 && o.source.from == "" {
		return errors.New("which node? name one that is recorded (kubectl nodedoc record), or use --from FILE")
	}
	if len(args) > 1 || len(args) == 1 && o.source.from != "" {
		return fmt.Errorf("unexpected argument %q: history takes one node, and none with --from", args[len(args)-1])
	}
	o.node = strings.Join(args, "")
	return nil
}

func (o *historyOptions) validate() error {
	switch {
	case !slices.Contains(correlate.Metrics(), o.peak):
		return fmt.Errorf("--peak is one of %s, not %q", strings.Join(correlate.Metrics(), ", "), o.peak)
	case o.top < 0:
		return fmt.Errorf("--top must be 0 or more, not %d", o.top)
	}
	if o.around != "" {
		if _, err := timeAround(o.around, time.Now(), time.Local); err != nil {
			return err
		}
	}
	return errors.Join(o.source.validate(), o.output.validate())
}

func (o *historyOptions) run(ctx context.Context) error {
	s := &source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut)}
	defer s.progress.clear()
	r, inv, err := o.read(ctx, s)
	if err != nil {
		return err
	}
	err = s.save(r, inv)
	s.progress.clear()
	return errors.Join(err, unlessReaderLeft(o.print(correlate.Join(r, inv))))
}

func (o *historyOptions) read(ctx context.Context, s *source) (*report.NodeReport, *inventory.Inventory, error) {
	if o.source.from != "" {
		return saved.Read(o.source.from, o.streams.In)
	}
	at, err := s.reach()
	if err != nil {
		return nil, nil, err
	}
	s.progress.show("looking for the recorder of node " + o.node)
	recorder, err := debugpod.GetRecorder(ctx, at.clients.Kube, at.namespace, o.node)
	if errors.Is(err, debugpod.ErrNoRecorder) {
		err = noRecorder(ctx, at, o.node)
	}
	if err != nil {
		return nil, nil, err
	}
	s.progress.show("reading what it recorded")
	r, err := recorder.Read(ctx, at.clients, report.NewRequest())
	if err != nil {
		return nil, nil, err
	}
	s.progress.show("asking the API server for the node's pods")
	inv := inventory.NewAsker(at.clients.Kube, o.node).Ask(ctx)
	if inv.PodsError != "" {
		s.progress.warn("pods are named by the node's own files only: " + inv.PodsError)
	}
	return r, inv, nil
}

func (o *historyOptions) print(n *correlate.Node) error {
	if n.Report.Recording == nil {
		return errors.New("the report holds no recording: make one with history --save")
	}
	var around *time.Time
	if o.around != "" {
		t, err := timeAround(o.around, time.UnixMilli(n.Report.Recording.NowMillis), time.Local)
		if err != nil {
			return err
		}
		around = &t
	}
	h, err := n.History(correlate.Metric(o.peak), around)
	if err != nil {
		return err
	}
	h.Zone = time.Local
	if o.output.human() {
		return o.output.show(o.streams.Out, o.version, human{o.top, o.topGiven,
			func(w io.Writer, s printer.Style) error { return printer.History(w, h, s) },
			func(s printer.Style) (document.Document, error) { return printer.HistoryPage(h, s) }})
	}
	if o.topGiven && o.top > 0 {
		h.Owners = h.Owners[:min(o.top, len(h.Owners))]
		h.Moment.Rows = h.Moment.Rows[:min(o.top, len(h.Moment.Rows))]
	}
	owners := make([]correlate.Owner, 0, len(h.Moment.Rows))
	for _, row := range h.Moment.Rows {
		owners = append(owners, row.Owner)
	}
	return o.output.print(o.streams.Out, "NodeHistory", h, owners)
}

// timeAround reads a time: a full one, one of the day, which is the last such before
// the end of the recording, or how long before that.
func timeAround(text string, end time.Time, zone *time.Location) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d <= 0 {
		return end.Add(d), nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	for _, form := range []string{time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(form, text, zone); err == nil {
			return t, nil
		}
	}
	for _, form := range []string{time.TimeOnly, "15:04"} {
		if clock, err := time.Parse(form, text); err == nil {
			day := end.In(zone)
			t := time.Date(day.Year(), day.Month(), day.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, zone)
			if t.After(end) {
				t = time.Date(day.Year(), day.Month(), day.Day()-1, clock.Hour(), clock.Minute(), clock.Second(), 0, zone)
			}
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--around %q is no time: use 14:05, 2006-01-02 14:05, RFC 3339, or -2h before the end", text)
}
