package cmd

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const runtimeLong = `What the container runtimes have on the node, by their own files: containers and
sandboxes in trouble, and what is left of those that are no more.

No daemon is asked for anything, since it may hang: whether it answers a greeting on
its socket, and how fast, is all. Containers that are well are counted; -o wide lists
them, too.

Beside it stands what the API server and the kubelet tell of the node: its conditions,
since when, its lease and events, pods that are stuck; which of the kubelet's endpoints
answer, when it last looked at all containers (PLEG), which calls of the runtime fail.
With --no-pod that is all, in seconds: nothing is started on the node. It is also what
there is where no pod starts and the node has no standby; the exit code is then 1.`

const runtimeExample = `  # The node is NotReady, PLEG is not healthy
  kubectl nodedoc runtime node-43

  # Nothing starts there: what the API server and the kubelet still tell
  kubectl nodedoc runtime node-43 --no-pod

  # All containers by the runtime's own files
  kubectl nodedoc runtime node-43 -o wide

  # No pod starts there any more: from a report made by a script
  kubectl nodedoc runtime --from node-43.report`

type runtimeOptions struct {
	env
	source *sourceFlags
	output *outputFlags
	node   string
	noPod  bool
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
	c.Flags().BoolVar(&o.noPod, "no-pod", false, "Start nothing on the node: only what the API server and the kubelet tell of it")
	e.thresholds.add(c)
	return c
}

func (o *runtimeOptions) complete(c *cobra.Command, args []string) (err error) {
	o.node, err = o.source.oneNode(c.Name(), args)
	return err
}

func (o *runtimeOptions) validate() error {
	if o.noPod && (!o.source.remote() || o.source.standby || o.source.save != "") {
		return errors.New("--no-pod asks the API server and the kubelet alone: --from, --local, --standby and --save do not go with it")
	}
	return errors.Join(o.source.validate(), o.output.validate())
}

func (o *runtimeOptions) run(ctx context.Context) error {
	// The volumes' asker also tells of pods that end meanwhile.
	s := source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut), storage: newStorage(), vitals: true}
	if o.noPod {
		return s.printVitals(ctx, o.node, o.output)
	}
	req := report.NewRequest(report.CollectProcesses, report.CollectKubelet, report.CollectContainers, report.CollectRuntime, report.CollectMounts)
	req.HostMounts = true
	answered := false
	err := s.answer(ctx, o.node, req, func(n *correlate.Node) error {
		answered = true
		return o.print(n)
	})
	if err != nil && !answered && o.source.remote() && ctx.Err() == nil {
		err = errors.Join(err, s.printVitals(ctx, o.node, o.output))
	}
	return err
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
		return o.output.show(o.streams.Out, o.version, human{0, false,
			func(w io.Writer, s printer.Style) error { return printer.Runtime(w, answer, findings, s) },
			func(s printer.Style) (document.Document, error) { return printer.RuntimePage(answer, findings, s) }})
	}
	owners := make([]correlate.Owner, 0, len(answer.Containers))
	for _, c := range answer.Containers {
		owners = append(owners, c.Owner)
	}
	return o.output.print(o.streams.Out, "NodeRuntime", runtimeDocument{answer, findings}, owners)
}
