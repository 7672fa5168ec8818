package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const fdLong = `Who holds the node's file descriptors, how fast they grow, what they are.

What they are is looked up a moment after they are counted, for the heaviest: where
they grow fast MOSTLY may be more than FDS.

A file is known by its path: what reads "file" may be a named FIFO or a directory,
too. --file-types asks the kernel what it is, by a statx(2) that opens nothing, and
not for files on filesystems that may wait for a server (NFS, FUSE).

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
	ranked
	sort string
	pid  int
	// fileTypes: ask what type each file is.
	fileTypes bool
	// Flags that were given.
	pidGiven, rankingGiven bool

	repeat repeatFlags
	// window is there while sample after sample is taken.
	window *correlate.Window
}

func newFD(e env) *cobra.Command {
	o := &fdOptions{ranked: newRanked(e, correlate.Groupings(), 3*time.Second), sort: string(correlate.SortCount)}
	c := &cobra.Command{
		Use:     "fd NODE",
		Short:   "Who holds the node's file descriptors, how fast they grow, what they are",
		Long:    fdLong,
		Example: fdExample,
		RunE:    steps(o),
	}
	fs := c.Flags()
	fs.StringVar(&o.sort, "sort", o.sort, "Sort by: "+strings.Join(correlate.Orders(), "|"))
	fs.IntVar(&o.pid, "pid", 0, "Show this process in full, or that of this thread, as the node numbers them")
	fs.BoolVar(&o.fileTypes, "file-types", false, "Also tell named FIFOs, directories, and block and character devices from files")
	o.repeat.add(c)
	must(c.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions(correlate.Orders(), cobra.ShellCompDirectiveNoFileComp)))
	o.addTo(c, "Time between the two counts that growth is computed from, and so that of each sample")
	return c
}

func (o *fdOptions) complete(c *cobra.Command, args []string) error {
	given := c.Flags().Changed
	o.pidGiven, o.repeat.given = given("pid"), given("samples")
	o.rankingGiven = given("by") || given("sort") || given("selector")
	return o.ranked.complete(c, args)
}

func (o *fdOptions) validate() error {
	switch {
	case !slices.Contains(correlate.Orders(), o.sort):
		return fmt.Errorf("--sort is one of %s, not %q", strings.Join(correlate.Orders(), ", "), o.sort)
	case o.sort == string(correlate.SortGrowth) && o.by == string(correlate.ByKind):
		return errors.New("kinds are looked up once, so they have no growth to sort by: --sort growth goes with the other groupings")
	case o.pidGiven && o.pid <= 0:
		return fmt.Errorf("--pid must be a process id, not %d", o.pid)
	case o.pidGiven && o.rankingGiven:
		return errors.New("--pid shows one process: --by, --sort and --selector do not go with it")
	}
	return o.validateWith(&o.repeat)
}

func (o *fdOptions) request() report.Request {
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses, report.CollectContainers)
	req.FDs, req.IntervalMillis = true, o.interval.Milliseconds()
	req.Users, req.AllFDs = o.by == string(correlate.ByUser), o.by == string(correlate.ByKind)
	req.FileTypes = o.fileTypes
	if o.pidGiven {
		req.PIDs = []int{o.pid}
	}
	return req
}

func (o *fdOptions) run(ctx context.Context) error {
	s := source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut)}
	if o.repeat.on() {
		o.window = correlate.NewWindow()
		return o.watching().watch(ctx, &s, o.request())
	}
	return s.answer(ctx, o.node, o.request(), o.watching().print)
}

func (o *fdOptions) watching() *watching {
	return o.watchingWith(&o.repeat, o.answer)
}
