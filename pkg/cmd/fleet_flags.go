package cmd

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
)

// fleetFlags choose nodes: some by name, those with labels, or all of them.
type fleetFlags struct {
	nodes         []string
	selector      string
	maxParallel   int // 0: the default
	parallelGiven bool
}

func (f *fleetFlags) addFleet(c *cobra.Command) {
	c.Flags().StringVarP(&f.selector, "selector", "l", "", "Ask the nodes with these labels, e.g. pool=ebs,zone!=b")
	c.Flags().IntVar(&f.maxParallel, "max-parallel", 0, "Nodes to ask at a time; default: a tenth of them, at least 5")
}

// complete takes the nodes off the arguments, each once.
func (f *fleetFlags) complete(c *cobra.Command, args []string) error {
	f.parallelGiven = c.Flags().Changed("max-parallel")
	if f.selector != "" {
		if _, err := labels.Parse(f.selector); err != nil {
			return fmt.Errorf("--selector: %w", err)
		}
	}
	return addNodes(&f.nodes, args)
}

func (f *fleetFlags) validate(source *sourceFlags) error {
	remote := source.remote()
	switch {
	case !remote && len(f.nodes) > 0:
		return fmt.Errorf("unexpected argument %q: with --local or --from there is no node to name", f.nodes[0])
	case !remote && f.selector != "":
		return errors.New("--selector chooses among the cluster's nodes: it does not go with --local or --from")
	case !remote && f.parallelGiven:
		return errors.New("--max-parallel is for the cluster's nodes: it does not go with --local or --from")
	case len(f.nodes) > 0 && f.selector != "":
		return errors.New("name nodes or choose them by --selector, not both")
	case f.parallelGiven && f.maxParallel < 1:
		return fmt.Errorf("--max-parallel must be 1 or more, not %d", f.maxParallel)
	}
	return nil
}
