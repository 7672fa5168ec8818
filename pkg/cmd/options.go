package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

// options are those of a command, with its steps in their order.
type options interface {
	complete(*cobra.Command, []string) error
	validate() error
	run(context.Context) error
}

func steps(o options) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		if err := o.complete(c, args); err != nil {
			return err
		}
		if err := o.validate(); err != nil {
			return err
		}
		return o.run(c.Context())
	}
}

// rankingFlags choose what is shown of the owners that a node has, and how long
// it is looked at.
type rankingFlags struct {
	groupings    []string // values of by
	by, selector string
	filter       correlate.Filter
	top          int
	topGiven     bool
	interval     time.Duration
}

func newRankingFlags(groupings []string, interval time.Duration) rankingFlags {
	return rankingFlags{groupings: groupings, by: string(correlate.ByPod), top: 20, interval: interval}
}

func (r *rankingFlags) addRanking(c *cobra.Command, interval string) {
	fs := c.Flags()
	fs.StringVar(&r.by, "by", r.by, "Rank by: "+strings.Join(r.groupings, "|"))
	fs.StringVarP(&r.selector, "selector", "l", "", "Show pods with these labels only, e.g. app=hub,tier!=test")
	fs.IntVar(&r.top, "top", r.top, "Rows to show, 0 for all; -o json and the like show all unless this is given")
	fs.DurationVar(&r.interval, "interval", r.interval, interval)
	must(c.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(r.groupings, cobra.ShellCompDirectiveNoFileComp)))
}

func (r *rankingFlags) complete(c *cobra.Command, namespace *string) (err error) {
	r.topGiven = c.Flags().Changed("top")
	if c.Flags().Changed("namespace") {
		r.filter.Namespace = *namespace
	}
	if r.selector != "" {
		if r.filter.Selector, err = labels.Parse(r.selector); err != nil {
			return fmt.Errorf("--selector: %w", err)
		}
	}
	return nil
}

func (r *rankingFlags) validate(source *sourceFlags) error {
	switch {
	case !slices.Contains(r.groupings, r.by):
		return fmt.Errorf("--by is one of %s, not %q", strings.Join(r.groupings, ", "), r.by)
	case r.filter.Selector != nil && source.local:
		return errors.New("labels are the API server's: --selector does not go with --local")
	case r.top < 0:
		return fmt.Errorf("--top must be 0 or more, not %d", r.top)
	case r.interval < 100*time.Millisecond || r.interval > 10*time.Minute:
		return fmt.Errorf("--interval must be between 100ms and 10m, not %s", r.interval)
	}
	return nil
}

// oneNode takes the node that is asked.
func (f *sourceFlags) oneNode(command string, args []string) (node string, err error) {
	node, err = f.node(&args)
	if err == nil && len(args) > 0 {
		err = fmt.Errorf("unexpected argument %q: %s takes one node, and none with --local or --from", args[0], command)
	}
	return node, err
}
