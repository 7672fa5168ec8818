package cmd

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
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
	ranked
}

func newPipes(e env) *cobra.Command {
	o := &pipesOptions{ranked: newRanked(e, correlate.PipeGroupings(), 2*time.Second)}
	c := &cobra.Command{
		Use:     "pipes NODE",
		Short:   "Who holds the node's pipes, and who hangs in a full one (runc init)",
		Long:    pipesLong,
		Example: pipesExample,
		RunE:    steps(o),
	}
	o.addTo(c, "Time between the two looks at who waits")
	return c
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
		return o.output.show(o.streams.Out, o.version, human{o.top, o.topGiven,
			func(w io.Writer, s printer.Style) error { return printer.Pipes(w, pipes, findings, s) },
			func(s printer.Style) (document.Document, error) { return printer.PipesPage(pipes, findings, s) }})
	}
	pipes.Rows = shownTo(&o.rankingFlags, pipes.Rows)
	var owners []correlate.Owner
	for _, row := range pipes.Rows {
		owners = append(owners, row.Owner)
	}
	return o.output.print(o.streams.Out, "NodePipes", pipesDocument{pipes, findings}, owners)
}
