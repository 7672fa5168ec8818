package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const checkupLong = `Everything at once: all that nodedoc looks at, in one pod per node, and all rules.

Findings stand by severity, symptoms indented under their cause: who is to blame,
how we know, what to do, and which command shows more. A healthy node is one line.

Without a node every Linux node of the cluster is examined, a few at a time and each
by a pod of its own, the worst first. A node that gives no answer costs its row: the
others' stand, after Ctrl-C, too. Where no pod starts, what the API server and the
kubelet's own endpoints tell is said, and a standby is asked if there is one.

What could not be checked is said: it is not healthy.

Exit codes:
  0    all nodes were examined, whatever was found
  1    it failed, or a node gave no answer (--fail-on or not); with --fail-on also
       where nothing of that severity was found and a part was not checked
  2    --fail-on: a finding of that severity or worse
  130  interrupted by Ctrl-C; what was known by then is printed`

const checkupExample = `  # What is wrong with this node?
  kubectl nodedoc checkup node-43

  # All nodes, those of a pool, these two
  kubectl nodedoc checkup
  kubectl nodedoc checkup -l pool=ebs --max-parallel 20
  kubectl nodedoc checkup node-43 node-44

  # In a script: does any node need somebody now?
  kubectl nodedoc checkup --fail-on critical -o json >checkup.json

  # Keep all that was seen, and look at it again
  kubectl nodedoc checkup --save today.json
  kubectl nodedoc checkup --from today.json

  # On this machine, without a cluster
  sudo kubectl nodedoc checkup --local`

// checkupInterval is long enough for a rate, and short enough to wait for.
const checkupInterval = 3 * time.Second

type checkupOptions struct {
	env
	fleetFlags
	source   *sourceFlags
	output   *outputFlags
	interval time.Duration
	top      int
	topGiven bool
	failOn   string
	worst    worst
}

func newCheckup(e env) *cobra.Command {
	o := &checkupOptions{env: e, source: newSourceFlags(), output: newOutputFlags(), interval: checkupInterval, top: 5}
	c := &cobra.Command{
		Use:               "checkup [NODE...]",
		Short:             "Everything at once: what is wrong with one node or all of them, causes first",
		Long:              checkupLong,
		Example:           checkupExample,
		ValidArgsFunction: e.completeNodes,
		RunE:              steps(o),
	}
	fs := c.Flags()
	o.addFleet(c)
	fs.DurationVar(&o.interval, "interval", o.interval, "Time between the two looks that growth is computed from")
	fs.IntVar(&o.top, "top", o.top, "Nodes to tell of in detail where there are many, the worst first; 0 for all")
	fs.StringVar(&o.failOn, "fail-on", "", "Exit with code 2 on a finding of this severity or worse: warning|critical")
	must(c.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(severities(), cobra.ShellCompDirectiveNoFileComp)))
	o.source.add(c)
	o.output.add(c)
	e.thresholds.add(c)
	return c
}

func severities() []string { return []string{string(diagnose.Warning), string(diagnose.Critical)} }

func (o *checkupOptions) complete(c *cobra.Command, args []string) error {
	o.topGiven = c.Flags().Changed("top")
	return o.fleetFlags.complete(c, args)
}

func (o *checkupOptions) validate() error {
	if err := o.fleetFlags.validate(o.source); err != nil {
		return err
	}
	switch {
	case o.failOn != "" && !slices.Contains(severities(), o.failOn):
		return fmt.Errorf("--fail-on is warning or critical, not %q", o.failOn)
	case o.top < 0:
		return fmt.Errorf("--top must be 0 or more, not %d", o.top)
	case o.interval < 100*time.Millisecond || o.interval > 10*time.Minute:
		return fmt.Errorf("--interval must be between 100ms and 10m, not %s", o.interval)
	}
	return errors.Join(o.source.validate(), o.output.validate())
}

func (o *checkupOptions) run(ctx context.Context) error {
	req := report.Everything()
	req.IntervalMillis, req.PackedLogs = o.interval.Milliseconds(), true
	s := &source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut), storage: newStorage(), memory: true, vitals: true}
	all := fleet[printer.Checkup]{fleetFlags: &o.fleetFlags, request: req, reduce: o.reduce, without: o.withoutAnswer, byStandby: byStandby, print: o.print}
	if err := all.run(ctx, s); err != nil || o.failOn == "" {
		return err
	}
	return o.worst.verdict(diagnose.Severity(o.failOn))
}
