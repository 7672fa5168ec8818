package cmd

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const pipesLong = `Who holds the node's pipes, against what the kernel grants one user; who waits in a
pipe that is full, and who is at its other end.

Above fs.pipe-user-pages-soft pages, a new pipe of that user is cut down from 16
pages to 2. Root of all containers without a user namespace is one user. A container
runtime that writes more than that before anybody reads hangs ("runc init"), with it
the kubelet's PLEG, and the node becomes NotReady.

The capacity of a pipe is asked for (F_GETPIPE_SZ, through pidfd_getfd) where a user is
past half of the limit, and where somebody waits; else a pipe counts as 16 pages, which
is marked by ~. No pipe is opened or read.`

const pipesExample = `  # Who has the pipes, and does a runc hang?
  kubectl nodedoc pipes node-43

  # The containers of one namespace
  kubectl nodedoc pipes node-43 -n prod --by container

  # By user, from a report made by a script
  kubectl nodedoc pipes --from node-43.report --by user`

type pipesOptions struct {
	env
	rankingFlags
	source *sourceFlags
	output *outputFlags
	node   string
}

func newPipes(e env) *cobra.Command {
	o := &pipesOptions{env: e, source: newSourceFlags(), output: newOutputFlags(), rankingFlags: newRankingFlags(correlate.PipeGroupings(), 2*time.Second)}
	c := &cobra.Command{
		Use:               "pipes NODE",
		Short:             "Who holds the node's pipes, and who hangs in a full one (runc init)",
		Long:              pipesLong,
		Example:           pipesExample,
		ValidArgsFunction: e.completeNode,
		RunE:              steps(o),
	}
	o.addRanking(c, "Time between the two looks at who waits")
	o.source.add(c)
	o.output.add(c)
	e.thresholds.add(c)
	return c
}

func (o *pipesOptions) complete(c *cobra.Command, args []string) error {
	if err := o.rankingFlags.complete(c, o.kube.Namespace); err != nil {
		return err
	}
	var err error
	o.node, err = o.source.oneNode(c.Name(), args)
	return err
}

func (o *pipesOptions) validate() error {
	return errors.Join(o.rankingFlags.validate(o.source), o.source.validate(), o.output.validate())
}

func (o *pipesOptions) run(ctx context.Context) error {
	req := report.NewRequest(report.CollectProcesses, report.CollectContainers, report.CollectPipes)
	req.IntervalMillis, req.Users = o.interval.Milliseconds(), true
	s := source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut)}
	return s.answer(ctx, o.node, req, o.print)
}

// pipesDocument is the answer as an object.
type pipesDocument struct {
	correlate.NodePipes
	Findings []diagnose.Finding `json:"findings"`
}

func (o *pipesOptions) print(n *correlate.Node) error {
	switch {
	case n.Report.Pipes == nil && len(n.Report.Probe.Failed) == 0:
		return errors.New("the report was made without looking at pipes: make one with pipes --save")
	case n.Report.Pipes == nil:
		return errors.New("the report has no pipes" + failures(n.Report))
	case n.Report.Processes == nil:
		return noProcesses(n.Report)
	}
	if err := answersSelector(n, o.filter); err != nil {
		return err
	}
	pipes := n.Pipes(correlate.PipeOptions{By: correlate.By(o.by), Filter: o.filter})
	findings := o.findingsAbout(n, o.filter, "pipes-")
	if o.output.human() {
		style := o.output.style(o.streams.Out)
		style.Top = o.top
		return printer.Pipes(o.streams.Out, pipes, findings, style)
	}
	if o.topGiven && o.top > 0 {
		pipes.Rows = pipes.Rows[:min(o.top, len(pipes.Rows))]
	}
	var owners []correlate.Owner
	for _, row := range pipes.Rows {
		owners = append(owners, row.Owner)
	}
	return o.output.print(o.streams.Out, "NodePipes", pipesDocument{pipes, findings}, owners)
}
