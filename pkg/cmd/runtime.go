package cmd

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const runtimeLong = `What the container runtimes have on the node, by their own files: containers and
sandboxes in trouble, and what is left of those that are no more.

No daemon is asked for anything, since it may hang: whether it answers a greeting on
its socket, and how fast, is all. Containers that are well are counted; -o wide lists
them, too.`

const runtimeExample = `  # The node is NotReady, PLEG is not healthy
  kubectl nodedoc runtime node-43

  # All containers by the runtime's own files
  kubectl nodedoc runtime node-43 -o wide

  # No pod starts there any more: from a report made by a script
  kubectl nodedoc runtime --from node-43.report`

type runtimeOptions struct {
	env
	source *sourceFlags
	output *outputFlags
	node   string
}

func newRuntime(e env) *cobra.Command {
	o := &runtimeOptions{env: e, source: newSourceFlags(), output: newOutputFlags()}
	c := &cobra.Command{
		Use:               "runtime NODE",
		Short:             "Whether the container runtime answers, which containers are stuck, what is left over",
		Long:              runtimeLong,
		Example:           runtimeExample,
		ValidArgsFunction: e.completeNode,
		RunE:              steps(o),
	}
	o.source.add(c)
	o.output.add(c)
	e.thresholds.add(c)
	return c
}

func (o *runtimeOptions) complete(c *cobra.Command, args []string) (err error) {
	o.node, err = o.source.oneNode(c.Name(), args)
	return err
}

func (o *runtimeOptions) validate() error {
	return errors.Join(o.source.validate(), o.output.validate())
}

func (o *runtimeOptions) run(ctx context.Context) error {
	req := report.NewRequest(report.CollectProcesses, report.CollectKubelet, report.CollectContainers, report.CollectRuntime, report.CollectMounts)
	req.HostMounts = true
	// The volumes' asker also tells of pods that end meanwhile.
	s := source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut), storage: newStorage()}
	return s.answer(ctx, o.node, req, o.print)
}

// runtimeDocument is the answer as an object.
type runtimeDocument struct {
	correlate.NodeRuntime
	Findings []diagnose.Finding `json:"findings"`
}

func (o *runtimeOptions) print(n *correlate.Node) error {
	switch {
	case n.Report.Runtime == nil && len(n.Report.Probe.Failed) == 0:
		return errors.New("the report was made without looking at the runtime: make one with runtime --save")
	case n.Report.Runtime == nil:
		return errors.New("the report has no runtime" + failures(n.Report))
	}
	answer := n.Runtime()
	findings := o.findingsAbout(n, correlate.Filter{}, "runtime-")
	if o.output.human() {
		return printer.Runtime(o.streams.Out, answer, findings, o.output.style(o.streams.Out))
	}
	owners := make([]correlate.Owner, 0, len(answer.Containers))
	for _, c := range answer.Containers {
		owners = append(owners, c.Owner)
	}
	return o.output.print(o.streams.Out, "NodeRuntime", runtimeDocument{answer, findings}, owners)
}
