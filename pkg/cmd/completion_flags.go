package cmd

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/util/completion"
)

// completeKubectlFlags completes the values of kubectl's own flags, as kubectl does,
// and that of --pod-namespace wherever it stands.
func (e env) completeKubectlFlags(root *cobra.Command) {
	must(root.RegisterFlagCompletionFunc("namespace", e.completeNamespace))
	for flag, names := range map[string]func(clientcmdapi.Config) []string{
		"context": func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Contexts)) },
		"cluster": func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Clusters)) },
		"user":    func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.AuthInfos)) },
	} {
		must(root.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			config, err := e.kube.ToRawKubeConfigLoader().RawConfig()
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return slices.DeleteFunc(names(config), func(name string) bool { return !strings.HasPrefix(name, toComplete) }), cobra.ShellCompDirectiveNoFileComp
		}))
	}
	var below func(*cobra.Command)
	below = func(c *cobra.Command) {
		if c.Flags().Lookup("pod-namespace") != nil {
			must(c.RegisterFlagCompletionFunc("pod-namespace", e.completeNamespace))
		}
		for _, sub := range c.Commands() {
			below(sub)
		}
	}
	below(root)
}

func (e env) completeNamespace(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	e.boundCompletion()
	return completion.CompGetResource(cmdutil.NewFactory(e.kube), "namespace", toComplete), cobra.ShellCompDirectiveNoFileComp
}
