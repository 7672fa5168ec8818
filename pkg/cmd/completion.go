package cmd

import (
	"slices"
	"time"

	"github.com/spf13/cobra"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/util/completion"
)

// completionPatience bounds how long a shell waits for the API server.
const completionPatience = 3 * time.Second

// completeNode completes the first argument with the cluster's nodes.
func (e env) completeNode(c *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return e.completeNodes(c, args, toComplete)
}

// completeNodes completes every argument with those of the cluster's nodes that are
// not there yet.
func (e env) completeNodes(c *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if c.Flags().Changed("local") || c.Flags().Changed("from") {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	e.boundCompletion()
	factory := cmdutil.NewFactory(e.kube)
	given := func(node string) bool { return slices.Contains(args, node) }
	return slices.DeleteFunc(completion.CompGetResource(factory, "node", toComplete), given), cobra.ShellCompDirectiveNoFileComp
}

// boundCompletion has the API server asked for no longer than a shell can wait.
func (e env) boundCompletion() {
	if t := e.kube.Timeout; t != nil && (*t == "" || *t == "0") {
		*t = completionPatience.String()
	}
}
