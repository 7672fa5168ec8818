package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/compare"
	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
	"github.com/nodedoc/kubectl-nodedoc/pkg/document"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/saved"
)

const diffLong = `What has become of nodes between two files of --save, of one node or of many: which
findings are new, resolved, worse; whose descriptors, memory, threads, mounts and pipes
grew or shrank; the node's totals; whether it has been started anew.

The rules of this program judge both reports. What one of them does not tell, since it
is of another command or a collector has failed, is not compared, and said.

Owners grow by the difference of two moments: who has more may have had less in
between. record and history show that.`

const diffExample = `  # Has it helped?
  kubectl nodedoc checkup node-43 --save before.json
  kubectl nodedoc checkup node-43 --save after.json
  kubectl nodedoc diff before.json after.json

  # Since yesterday's ticket, for today's
  kubectl nodedoc diff monday.json tuesday.json -o html > tuesday.html

  # By workload: pods that were replaced are the same
  kubectl nodedoc diff monday.json tuesday.json --by workload`

type diffOptions struct {
	env
	output   *outputFlags
	old, new string
	by       string
	top      int
	topGiven bool
}

func newDiff(e env) *cobra.Command {
	o := &diffOptions{env: e, output: newOutputFlags(), by: string(correlate.ByPod)}
	c := &cobra.Command{
		Use:     "diff OLD NEW",
		Short:   "What has become of nodes between two saved reports: findings, owners, totals",
		Long:    diffLong,
		Example: diffExample,
		RunE:    steps(o),
	}
	c.Flags().StringVar(&o.by, "by", o.by, "Compare owners by: "+strings.Join(compare.Groupings(), "|"))
	c.Flags().IntVar(&o.top, "top", 0, "Owners to show of each thing that they have; 0 for a few, -o wide and html show all")
	must(c.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(compare.Groupings(), cobra.ShellCompDirectiveNoFileComp)))
	o.output.add(c)
	e.thresholds.add(c)
	return c
}

func (o *diffOptions) complete(c *cobra.Command, args []string) error {
	o.topGiven = c.Flags().Changed("top")
	if len(args) != 2 {
		return fmt.Errorf("which reports? diff takes two files of --save, the older one first, not %d", len(args))
	}
	o.old, o.new = args[0], args[1]
	return nil
}

func (o *diffOptions) validate() error {
	switch {
	case o.old == "-" && o.new == "-":
		return errors.New("stdin holds one report: OLD and NEW cannot both be -")
	case !slices.Contains(compare.Groupings(), o.by):
		return fmt.Errorf("--by is one of %s, not %q", strings.Join(compare.Groupings(), ", "), o.by)
	case o.top < 0:
		return fmt.Errorf("--top must be 0 or more, not %d", o.top)
	}
	return o.output.validate()
}

func (o *diffOptions) run(context.Context) error {
	before, err := o.read(o.old)
	if err != nil {
		return err
	}
	after, err := o.read(o.new)
	if err != nil {
		return err
	}
	nodes := make([]printer.NodeDiff, 0, len(after))
	for _, n := range compare.Nodes(slices.Collect(maps.Values(before)), slices.Collect(maps.Values(after)), o.options()) {
		d := printer.NodeDiff{Node: n}
		if then, now := before[n.Node], after[n.Node]; n.State == compare.Both && then.Report.Mounts != nil && now.Report.Mounts != nil {
			d.Volumes = compareMounts(nodeMounts{mounts: then.Mounts(), is: then.Report.Node}, nodeMounts{mounts: now.Mounts(), is: now.Report.Node})
		}
		for i := range d.Findings {
			d.Findings[i].Finding = o.userCommands([]diagnose.Finding{d.Findings[i].Finding})[0]
		}
		nodes = append(nodes, d)
	}
	return unlessReaderLeft(o.print(nodes))
}

func (o *diffOptions) options() compare.Options {
	return compare.Options{By: correlate.By(o.by), Limits: o.thresholds.inForce}
}

// read joins the reports of a file, by node.
func (o *diffOptions) read(path string) (map[string]*correlate.Node, error) {
	items, err := saved.ReadAll(path, o.streams.In)
	if err != nil {
		return nil, err
	}
	nodes := map[string]*correlate.Node{}
	for _, item := range items {
		n := correlate.Join(item.Report, item.Inventory)
		if nodes[n.Name()] != nil {
			return nil, fmt.Errorf("%q holds two reports of node %q: which one is meant? save each in a file of its own", path, n.Name())
		}
		nodes[n.Name()] = n
	}
	return nodes, nil
}

// diffDocument is the answer as an object.
type diffDocument struct {
	Nodes []printer.NodeDiff `json:"nodes"`
}

func (o *diffOptions) print(nodes []printer.NodeDiff) error {
	if o.output.human() {
		return o.output.show(o.streams.Out, o.version, human{o.top, o.topGiven,
			func(w io.Writer, s printer.Style) error { return printer.Diffs(w, nodes, s) },
			func(s printer.Style) (document.Document, error) { return printer.DiffPage(nodes, s) }})
	}
	var owners []correlate.Owner
	for _, n := range nodes {
		for _, change := range n.Owners {
			owners = append(owners, change.Owner)
		}
	}
	return o.output.print(o.streams.Out, "NodeDiffList", diffDocument{nodes}, owners)
}
