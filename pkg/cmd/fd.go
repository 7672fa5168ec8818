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
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const fdExample = `  # Who holds the file descriptors of a node?
  kubectl nodedoc fd node-43

  # By process, over a longer sample
  kubectl nodedoc fd node-43 --by process --interval 30s

  # On this machine, without a cluster
  sudo kubectl nodedoc fd --local`

type fdOptions struct {
	env
	source   *sourceFlags
	output   *outputFlags
	node     string
	by       string
	top      int
	topGiven bool
	interval time.Duration
}

func newFD(e env) *cobra.Command {
	o := &fdOptions{env: e, source: newSourceFlags(), output: newOutputFlags(), by: string(correlate.ByPod), top: 20, interval: 3 * time.Second}
	c := &cobra.Command{
		Use:               "fd NODE",
		Short:             "Who holds the node's file descriptors, how fast they grow, what they are",
		Example:           fdExample,
		ValidArgsFunction: e.completeNode,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.complete(c, args); err != nil {
				return err
			}
			if err := o.validate(); err != nil {
				return err
			}
			return o.run(c.Context())
		},
	}
	c.Flags().StringVar(&o.by, "by", o.by, "Rank by: "+strings.Join(correlate.Groupings(), "|"))
	c.Flags().IntVar(&o.top, "top", o.top, "Rows to show, 0 for all; -o json and the like show all unless this is given")
	c.Flags().DurationVar(&o.interval, "interval", o.interval, "Time between the two counts that growth is computed from")
	must(c.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(correlate.Groupings(), cobra.ShellCompDirectiveNoFileComp)))
	o.source.add(c)
	o.output.add(c)
	return c
}

func (o *fdOptions) complete(c *cobra.Command, args []string) error {
	o.topGiven = c.Flags().Changed("top")
	var err error
	o.node, err = o.source.node(&args)
	if err == nil && len(args) > 0 {
		err = fmt.Errorf("unexpected argument %q: fd takes one node, and none with --local or --from", args[0])
	}
	return err
}

// node takes the node's name off args, where a node is asked for.
func (f *sourceFlags) node(args *[]string) (string, error) {
	if !f.remote() {
		return "", nil
	}
	if len(*args) == 0 {
		return "", errors.New("which node? name one (kubectl get nodes), or use --local or --from FILE")
	}
	node := (*args)[0]
	*args = (*args)[1:]
	return node, nil
}

func (o *fdOptions) validate() error {
	switch {
	case !slices.Contains(correlate.Groupings(), o.by):
		return fmt.Errorf("--by is one of %s, not %q", strings.Join(correlate.Groupings(), ", "), o.by)
	case o.top < 0:
		return fmt.Errorf("--top must be 0 or more, not %d", o.top)
	case o.interval < 100*time.Millisecond || o.interval > 10*time.Minute:
		return fmt.Errorf("--interval must be between 100ms and 10m, not %s", o.interval)
	}
	return errors.Join(o.source.validate(), o.output.validate())
}

// fdDocument is the answer as an object.
type fdDocument struct {
	correlate.FDRanking
	Findings []diagnose.Finding `json:"findings"`
}

func (o *fdOptions) run(ctx context.Context) error {
	req := report.NewRequest(report.CollectOpenFiles, report.CollectProcesses, report.CollectContainers)
	req.FDs, req.IntervalMillis = true, o.interval.Milliseconds()
	s := source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut)}
	return s.answer(ctx, o.node, req, o.print)
}

func (o *fdOptions) print(n *correlate.Node) error {
	if n.Report.Processes == nil {
		return fmt.Errorf("the report has no processes%s", failures(n.Report))
	}
	if n.Report.Processes.FDMethod == "" {
		return errors.New("the report was made without counting descriptors, as whois-pid does: make one with fd --save")
	}
	ranking, findings := n.RankFDs(correlate.By(o.by)), o.userCommands(diagnose.Diagnose(n))
	if o.output.human() {
		style := o.output.style(o.streams.Out)
		style.Top = o.top
		return printer.FD(o.streams.Out, ranking, findings, style)
	}
	if o.topGiven && o.top > 0 {
		ranking.Rows = ranking.Rows[:min(o.top, len(ranking.Rows))]
	}
	var owners []correlate.Owner
	for _, row := range ranking.Rows {
		owners = append(owners, row.Owner)
	}
	return o.output.print(o.streams.Out, "FileDescriptorRanking", fdDocument{ranking, findings}, owners)
}

// failures says which collectors did not finish.
func failures(r *report.NodeReport) string {
	var b strings.Builder
	for _, f := range r.Probe.Failed {
		fmt.Fprintf(&b, "; %s: %s", f.What, f.Cause)
	}
	return b.String()
}
