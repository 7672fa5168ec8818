package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
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
		RunE:  steps(o),
	}
	o.output.add(c)
	o.source.addNamespace(c)
	c.Flags().Lookup("pod-namespace").Usage = "Namespace of the standbys; default: all"
	return c
}

func (o *standbyStatus) complete(*cobra.Command, []string) error { return nil }

func (o *standbyStatus) validate() error { return o.output.validate() }

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
	p.clear()
	return unlessReaderLeft(o.print(all, kept))
}

// standbysDocument is the answer as an object.
type standbysDocument struct {
	Version  string            `json:"version"` // of this plugin
	Standbys []standbyDocument `json:"standbys"`
}

// standbyDocument is the standby of one node.
type standbyDocument struct {
	Node      string `json:"node"`
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	Version   string `json:"version"`
	Running   bool   `json:"running"`
	Reason    string `json:"reason,omitempty"` // why it does not run
	// KeptAgeSeconds is the age of the report that it keeps, by the node's clock; nil:
	// unknown, or there is none, see KeptError.
	KeptAgeSeconds *float64 `json:"keptAgeSeconds,omitempty"`
	KeptError      string   `json:"keptError,omitempty"`
}

func (o *standbyStatus) print(all []debugpod.Standby, kept []visit[debugpod.Kept]) error {
	if o.output.human() {
		rows := make([]printer.StandbyRow, 0, len(all))
		for i, s := range all {
			rows = append(rows, o.row(s, kept[i]))
		}
		return printer.Standbys(o.streams.Out, rows, o.output.style(o.streams.Out))
	}
	doc := standbysDocument{Version: o.version, Standbys: make([]standbyDocument, 0, len(all))}
	owners := make([]correlate.Owner, 0, len(all))
	for i, s := range all {
		d := standbyDocument{Node: s.Node, Namespace: s.Namespace, Pod: s.Pod, Version: report.Escape(s.Version), Running: s.Running, Reason: report.Escape(s.Why)}
		switch k := kept[i]; {
		case k.err != nil:
			d.KeptError = report.Escape(oneLine(k.err))
		case k.value.Age >= 0:
			d.KeptAgeSeconds = new(k.value.Age.Seconds())
		}
		doc.Standbys = append(doc.Standbys, d)
		owners = append(owners, correlate.Owner{Type: correlate.OwnerPod, Namespace: s.Namespace, Pod: s.Pod})
	}
	return o.output.print(o.streams.Out, "StandbyStatus", doc, owners)
}

func (o *standbyStatus) row(s debugpod.Standby, kept visit[debugpod.Kept]) printer.StandbyRow {
	row := printer.StandbyRow{Node: s.Node, Pod: s.Namespace + "/" + s.Pod, Version: s.Version, State: "asleep", Kept: keptText(kept)}
	if !s.Running {
		row.State = s.Why
	}
	if s.Version != o.version {
		row.Version += " (this is " + o.version + ")"
	}
	return row
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
