package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const fdLong = `Who holds the node's file descriptors, how fast they grow, what they are.

What they are is looked up a moment after they are counted, for the heaviest: where
they grow fast MOSTLY may be more than FDS.

-n and -l show some pods only; the first line stays the whole node's. The pod that
looks runs in the namespace of -n, too, unless --pod-namespace names another one.

--samples and --watch look again and again from the same pod: a terminal is
refreshed in place, a pipe gets a block or an object per sample. Ctrl-C is the
normal end of --watch, with exit code 0.`

const fdExample = `  # Who holds the file descriptors of a node?
  kubectl nodedoc fd node-43

  # Who gains most, over a longer sample?
  kubectl nodedoc fd node-43 --sort growth --interval 30s

  # One process in full
  kubectl nodedoc fd node-43 --pid 3663411

  # Keep looking at the pods of an application
  kubectl nodedoc fd node-43 -n prod -l app=hub --by process --watch

  # What is open, and for whom; by the host's users
  kubectl nodedoc fd node-43 --by kind
  kubectl nodedoc fd node-43 --by user

  # On this machine, without a cluster
  sudo kubectl nodedoc fd --local`

type fdOptions struct {
	env
	source   *sourceFlags
	output   *outputFlags
	node     string
	by       string
	sort     string
	selector string
	filter   correlate.Filter
	pid      int
	top      int
	// Flags that were given.
	topGiven, pidGiven, rankingGiven bool

	interval time.Duration
	repeat   repeatFlags
	// window is there while sample after sample is taken.
	window *correlate.Window
}

func newFD(e env) *cobra.Command {
	o := &fdOptions{env: e, source: newSourceFlags(), output: newOutputFlags(),
		by: string(correlate.ByPod), sort: string(correlate.SortCount), top: 20, interval: 3 * time.Second}
	c := &cobra.Command{
		Use:               "fd NODE",
		Short:             "Who holds the node's file descriptors, how fast they grow, what they are",
		Long:              fdLong,
		Example:           fdExample,
		ValidArgsFunction: e.completeNode,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.complete(c, args); err != nil {
				return err
			}
			if err := o.validate(); err != nil {
				return err
			}
			return o.run(c.Context())
		},
	}
	fs := c.Flags()
	fs.StringVar(&o.by, "by", o.by, "Rank by: "+strings.Join(correlate.Groupings(), "|"))
	fs.StringVar(&o.sort, "sort", o.sort, "Sort by: "+strings.Join(correlate.Orders(), "|"))
	fs.StringVarP(&o.selector, "selector", "l", "", "Show pods with these labels only, e.g. app=hub,tier!=test")
	fs.IntVar(&o.pid, "pid", 0, "Show this process in full, or that of this thread, as the node numbers them")
	fs.IntVar(&o.top, "top", o.top, "Rows to show, 0 for all; -o json and the like show all unless this is given")
	fs.DurationVar(&o.interval, "interval", o.interval, "Time between the two counts that growth is computed from, and so that of each sample")
	o.repeat.add(c)
	must(c.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(correlate.Groupings(), cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions(correlate.Orders(), cobra.ShellCompDirectiveNoFileComp)))
	o.source.add(c)
	o.output.add(c)
	return c
}

func (o *fdOptions) complete(c *cobra.Command, args []string) error {
	given := c.Flags().Changed
	o.topGiven, o.pidGiven, o.repeat.given = given("top"), given("pid"), given("samples")
	o.rankingGiven = given("by") || given("sort") || given("selector")
	if given("namespace") {
		o.filter.Namespace = *o.kube.Namespace
	}
	var err error
	if o.selector != "" {
		if o.filter.Selector, err = labels.Parse(o.selector); err != nil {
			return fmt.Errorf("--selector: %w", err)
		}
	}
	o.node, err = o.source.node(&args)
	if err == nil && len(args) > 0 {
		err = fmt.Errorf("unexpected argument %q: fd takes one node, and none with --local or --from", args[0])
	}
	return err
}

func (o *fdOptions) validate() error {
	switch {
	case !slices.Contains(correlate.Groupings(), o.by):
		return fmt.Errorf("--by is one of %s, not %q", strings.Join(correlate.Groupings(), ", "), o.by)
	case !slices.Contains(correlate.Orders(), o.sort):
		return fmt.Errorf("--sort is one of %s, not %q", strings.Join(correlate.Orders(), ", "), o.sort)
	case o.sort == string(correlate.SortGrowth) && o.by == string(correlate.ByKind):
		return errors.New("kinds are looked up once, so they have no growth to sort by: --sort growth goes with the other groupings")
	case o.pidGiven && o.pid <= 0:
		return fmt.Errorf("--pid must be a process id, not %d", o.pid)
	case o.pidGiven && o.rankingGiven:
		return errors.New("--pid shows one process: --by, --sort and --selector do not go with it")
	case o.filter.Selector != nil && o.source.local:
		return errors.New("labels are the API server's: --selector does not go with --local")
	case o.top < 0:
		return fmt.Errorf("--top must be 0 or more, not %d", o.top)
	case o.interval < 100*time.Millisecond || o.interval > 10*time.Minute:
		return fmt.Errorf("--interval must be between 100ms and 10m, not %s", o.interval)
	}
	return errors.Join(o.repeat.validate(o.interval, o.source), o.source.validate(), o.output.validate())
}

func (o *fdOptions) request() report.Request {
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses, report.CollectContainers)
	req.FDs, req.IntervalMillis = true, o.interval.Milliseconds()
	req.Users, req.AllFDs = o.by == string(correlate.ByUser), o.by == string(correlate.ByKind)
	if o.pidGiven {
		req.PIDs = []int{o.pid}
	}
	return req
}

func (o *fdOptions) run(ctx context.Context) error {
	s := source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut)}
	if o.repeat.on() {
		return o.watch(ctx, &s)
	}
	return s.answer(ctx, o.node, o.request(), o.print)
}
