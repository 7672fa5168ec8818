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

const tasksLong = `Who has the node's processes and threads, against its limits and those of pods;
which threads are the kernel's own, and for which devices; who is blocked in
uninterruptible sleep (D), in what, and who does not reap zombies.

Blocked threads are looked at twice, --interval apart: one that has not run in
between waits at least so long.

-n and -l show some pods only; the first line stays the whole node's. The pod that
looks runs in the namespace of -n, too, unless --pod-namespace names another one.`

const tasksExample = `  # Who has the node's threads, and what is stuck?
  kubectl nodedoc tasks node-43

  # What is blocked for longer than a moment?
  kubectl nodedoc tasks node-43 --interval 30s

  # The containers of one namespace
  kubectl nodedoc tasks node-43 -n prod --by container

  # On this machine, without a cluster
  sudo kubectl nodedoc tasks --local`

type tasksOptions struct {
	env
	source   *sourceFlags
	output   *outputFlags
	node     string
	by       string
	selector string
	filter   correlate.Filter
	top      int
	topGiven bool
	interval time.Duration
}

func newTasks(e env) *cobra.Command {
	o := &tasksOptions{env: e, source: newSourceFlags(), output: newOutputFlags(), by: string(correlate.ByPod), top: 20, interval: 2 * time.Second}
	c := &cobra.Command{
		Use:               "tasks NODE",
		Short:             "Who has the node's processes and threads, what is blocked, who leaves zombies",
		Long:              tasksLong,
		Example:           tasksExample,
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
	fs.StringVar(&o.by, "by", o.by, "Rank by: "+strings.Join(correlate.TaskGroupings(), "|"))
	fs.StringVarP(&o.selector, "selector", "l", "", "Show pods with these labels only, e.g. app=hub,tier!=test")
	fs.IntVar(&o.top, "top", o.top, "Rows to show, 0 for all; -o json and the like show all unless this is given")
	fs.DurationVar(&o.interval, "interval", o.interval, "Time between the two looks at blocked threads")
	must(c.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(correlate.TaskGroupings(), cobra.ShellCompDirectiveNoFileComp)))
	o.source.add(c)
	o.output.add(c)
	return c
}

func (o *tasksOptions) complete(c *cobra.Command, args []string) error {
	o.topGiven = c.Flags().Changed("top")
	if c.Flags().Changed("namespace") {
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
		err = fmt.Errorf("unexpected argument %q: tasks takes one node, and none with --local or --from", args[0])
	}
	return err
}

func (o *tasksOptions) validate() error {
	switch {
	case !slices.Contains(correlate.TaskGroupings(), o.by):
		return fmt.Errorf("--by is one of %s, not %q", strings.Join(correlate.TaskGroupings(), ", "), o.by)
	case o.filter.Selector != nil && o.source.local:
		return errors.New("labels are the API server's: --selector does not go with --local")
	case o.top < 0:
		return fmt.Errorf("--top must be 0 or more, not %d", o.top)
	case o.interval < 100*time.Millisecond || o.interval > 10*time.Minute:
		return fmt.Errorf("--interval must be between 100ms and 10m, not %s", o.interval)
	}
	return errors.Join(o.source.validate(), o.output.validate())
}

func (o *tasksOptions) request() report.Request {
	req := report.NewRequest(report.CollectProcesses, report.CollectContainers, report.CollectMounts, report.CollectDevices, report.CollectTasks)
	req.IntervalMillis, req.HostMounts = o.interval.Milliseconds(), true
	return req
}

func (o *tasksOptions) run(ctx context.Context) error {
	s := source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut), storage: newStorage()}
	return s.answer(ctx, o.node, o.request(), o.print)
}
