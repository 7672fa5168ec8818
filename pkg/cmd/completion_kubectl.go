package cmd

import (
	_ "embed"
	"io"

	"github.com/spf13/cobra"
)

// kubectlCompletion is what kubectl runs for the words behind a plugin's name, from a
// directory of the PATH (k8s.io/kubectl/pkg/cmd/plugin/plugin_completion.go).
//
//go:embed kubectl_complete-nodedoc
var kubectlCompletion string

// addKubectlCompletion adds kubectl to the shells that cobra writes completion for.
func addKubectlCompletion(root *cobra.Command, out io.Writer) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.AddCommand(&cobra.Command{
				Use:   "kubectl",
				Short: "Generate the script by which kubectl's own completion goes on behind `kubectl nodedoc`",
				Long: `Print the script that kubectl runs to complete what stands behind "kubectl
nodedoc": commands, nodes, flags and their values. It takes a shell with
kubectl's completion, kubectl 1.26 or later, and the script on the PATH:

  kubectl nodedoc completion kubectl > ~/.krew/bin/kubectl_complete-nodedoc
  chmod +x ~/.krew/bin/kubectl_complete-nodedoc`,
				Args: cobra.NoArgs,
				RunE: func(*cobra.Command, []string) error {
					_, err := io.WriteString(out, kubectlCompletion)
					return unlessReaderLeft(err)
				},
			})
		}
	}
}
