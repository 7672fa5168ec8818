package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

type standbyStatus struct {
	env
	source *sourceFlags
	output *outputFlags
}

func newStandbyStatus(e env) *cobra.Command {
	o := &standbyStatus{env: e, source: newSourceFlags(), output: newOutputFlags()}
	c := &cobra.Command{
		Use:   "status",
		Short: "Where sleeping probes are, and how old what they keep is",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	o.source.addNamespace(c)
	c.Flags().Lookup("pod-namespace").Usage = "Namespace of the standbys; default: all"
	return c
}

func (o *standbyStatus) run(ctx context.Context) error {
	clients, _, err := o.clients(32)
	if err != nil {
		return err
	}
	p := newProgress(o.streams.ErrOut)
	defer p.clear()
	p.show("asking for the standbys")
	all, err := debugpod.Standbys(ctx, clients.Kube, o.source.podNamespace)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return errNoStandbys
	}
	targets := make([]target, 0, len(all))
	for _, s := range all {
		targets = append(targets, target{node: s.Node})
	}
	kept := visitAll(ctx, targets, 32, func(ctx context.Context, node string) (debugpod.Kept, error) {
		return debugpod.AgeOfKept(ctx, clients, node)
	}, func(tally) {})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	rows := make([]printer.StandbyRow, 0, len(all))
	for i, s := range all {
		row := printer.StandbyRow{Node: s.Node, Pod: s.Namespace + "/" + s.Pod, Version: s.Version, State: "asleep"}
		if !s.Running {
			row.State = s.Why
		}
		if s.Version != o.version {
			row.Version += " (this is " + o.version + ")"
		}
		row.Kept = keptText(kept[i])
		rows = append(rows, row)
	}
	p.clear()
	return unlessReaderLeft(printer.Standbys(o.streams.Out, rows, o.output.style(o.streams.Out)))
}

// keptText says what the kubelet would serve of a standby.
func keptText(v visit[debugpod.Kept]) string {
	switch {
	case v.err != nil:
		return oneLine(v.err)
	case v.value.Age < 0:
		return "of unknown age"
	}
	return fmt.Sprintf("%s old", v.value.Age.Round(time.Second))
}
