package cmd

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

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

  # By the host's users: RLIMIT_NPROC counts all threads of one
  kubectl nodedoc tasks node-43 --by user

  # On this machine, without a cluster
  sudo kubectl nodedoc tasks --local`

type tasksOptions struct {
	env
	rankingFlags
	source *sourceFlags
	output *outputFlags
	node   string
}

func newTasks(e env) *cobra.Command {
	o := &tasksOptions{env: e, source: newSourceFlags(), output: newOutputFlags(), rankingFlags: newRankingFlags(correlate.TaskGroupings(), 2*time.Second)}
	c := &cobra.Command{
		Use:               "tasks NODE",
		Short:             "Who has the node's processes and threads, what is blocked, who leaves zombies",
		Long:              tasksLong,
		Example:           tasksExample,
		ValidArgsFunction: e.completeNode,
		RunE:              steps(o),
	}
	o.addRanking(c, "Time between the two looks at blocked threads")
	o.source.add(c)
	o.output.add(c)
	e.thresholds.add(c)
	return c
}

func (o *tasksOptions) complete(c *cobra.Command, args []string) error {
	if err := o.rankingFlags.complete(c, o.kube.Namespace); err != nil {
		return err
	}
	var err error
	o.node, err = o.source.oneNode(c.Name(), args)
	return err
}

func (o *tasksOptions) validate() error {
	return errors.Join(o.rankingFlags.validate(o.source), o.source.validate(), o.output.validate())
}

func (o *tasksOptions) request() report.Request {
	req := report.NewRequest(report.CollectProcesses, report.CollectContainers, report.CollectMounts, report.CollectDevices, report.CollectTasks)
	req.IntervalMillis, req.HostMounts = o.interval.Milliseconds(), true
	req.Users = o.by == string(correlate.ByUser)
	return req
}

func (o *tasksOptions) run(ctx context.Context) error {
	// Whether anybody needs the devices that threads work for, only what the API
	// server says of volumes tells.
	s := source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut), storage: newStorage()}
	return s.answer(ctx, o.node, o.request(), o.print)
}
