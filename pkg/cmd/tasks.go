package cmd

import (
	"context"
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
	ranked
}

func newTasks(e env) *cobra.Command {
	o := &tasksOptions{ranked: newRanked(e, correlate.TaskGroupings(), 2*time.Second)}
	c := &cobra.Command{
		Use:     "tasks NODE",
		Short:   "Who has the node's processes and threads, what is blocked, who leaves zombies",
		Long:    tasksLong,
		Example: tasksExample,
		RunE:    steps(o),
	}
	o.addTo(c, "Time between the two looks at blocked threads")
	return c
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
