package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const memoryLong = `Who has the node's memory: pods, units of the host, the kernel; what the kubelet
makes of it beside the kernel's own count, how far eviction is, and whom the kernel
has killed.

MEMORY is the working set of an owner's cgroup: what it uses less page cache that
goes first. What processes share is in one row only; what stays of pods that are
gone, and what the kernel charges to nobody, has rows of its own.

Growth is the difference of two looks, --interval apart. -n and -l show some pods
only; the first line stays the whole node's. The pod that looks runs in the
namespace of -n, too, unless --pod-namespace names another one.

--samples and --watch look again and again from the same pod: a terminal is
refreshed in place, a pipe gets a block or an object per sample. Ctrl-C is the
normal end of --watch, with exit code 0.`

const memoryExample = `  # Who has the memory of a node, and why does the kubelet not evict?
  kubectl nodedoc memory node-43

  # Who gains most, over a longer sample?
  kubectl nodedoc memory node-43 --sort growth --interval 30s

  # Which containers of a namespace, with all columns
  kubectl nodedoc memory node-43 -n prod --by container -o wide

  # Wait for it
  kubectl nodedoc memory node-43 --watch

  # On this machine, without a cluster
  sudo kubectl nodedoc memory --local`

// memoryTop: whoever has the memory is at the top, and there is more to read below.
const memoryTop = 10

type memoryOptions struct {
	ranked
	sort   string
	repeat repeatFlags
	// window is there while sample after sample is taken.
	window *correlate.Window
}

func newMemory(e env) *cobra.Command {
	o := &memoryOptions{ranked: newRanked(e, correlate.MemoryGroupings(), 3*time.Second), sort: string(correlate.SortMemory)}
	o.top = memoryTop
	c := &cobra.Command{
		Use:     "memory NODE",
		Short:   "Who has the node's memory, what the kubelet makes of it, whom the kernel killed",
		Long:    memoryLong,
		Example: memoryExample,
		RunE:    steps(o),
	}
	c.Flags().StringVar(&o.sort, "sort", o.sort, "Sort by: "+strings.Join(correlate.MemoryOrders(), "|"))
	must(c.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions(correlate.MemoryOrders(), cobra.ShellCompDirectiveNoFileComp)))
	o.repeat.add(c)
	o.addTo(c, "Time between the two looks that growth is computed from, and so that of each sample")
	return c
}

func (o *memoryOptions) complete(c *cobra.Command, args []string) error {
	o.repeat.given = c.Flags().Changed("samples")
	return o.ranked.complete(c, args)
}

func (o *memoryOptions) validate() error {
	if !slices.Contains(correlate.MemoryOrders(), o.sort) {
		return fmt.Errorf("--sort is one of %s, not %q", strings.Join(correlate.MemoryOrders(), ", "), o.sort)
	}
	return o.validateWith(&o.repeat)
}

func (o *memoryOptions) request() report.Request {
	req := report.NewRequest(report.CollectProcesses, report.CollectContainers, report.CollectKubelet, report.CollectMemory, report.CollectOOM, report.CollectBackground)
	req.Memory, req.IntervalMillis = true, o.interval.Milliseconds()
	req.Users = o.by == string(correlate.ByUser)
	return req
}

func (o *memoryOptions) run(ctx context.Context) error {
	s := source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut), memory: true}
	if o.repeat.on() {
		o.window = correlate.NewWindow()
		return o.watching().watch(ctx, &s, o.request())
	}
	return s.answer(ctx, o.node, o.request(), o.watching().print)
}

func (o *memoryOptions) watching() *watching {
	return o.watchingWith(&o.repeat, o.answer)
}
