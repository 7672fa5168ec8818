// Package cmd holds the cobra commands: options, Complete, Validate, Run. It is
// the only room that knows flags.
package cmd

import (
	"errors"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
)

// Exit codes.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitFindings    = 2   // --fail-on
	ExitInterrupted = 130 // as a shell has it: 128 + SIGINT
)

// errReported ends a command with exit code 1 when all has been said already.
var errReported = errors.New("reported")

const long = `Find out who makes a node sick, how we know, and what to do.

Each command runs a small probe in a short-lived privileged pod on the node,
joins its report with what the API server knows, and removes the pod. Nothing
is installed, no host path is mounted, and nothing on the node is changed.`

// NewRoot is the command "kubectl nodedoc".
func NewRoot(version string, streams genericiooptions.IOStreams) *cobra.Command {
	root := &cobra.Command{
		Use:   "nodedoc",
		Short: "Find out who makes a node sick",
		Long:  long,
		Annotations: map[string]string{
			cobra.CommandDisplayNameAnnotation: "kubectl nodedoc",
		},
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	flags := genericclioptions.NewConfigFlags(true)
	flags.WrapConfigFn = func(c *rest.Config) *rest.Config {
		// A node with 250 pods has some 100 controllers to look up; client-go's
		// default of 5 per second would take longer than the probe.
		c.QPS, c.Burst = 50, 100
		c.UserAgent = "kubectl-nodedoc/" + version
		// What admission warns of is told by the preflight, in our words.
		c.WarningHandler = rest.NoWarnings{}
		return c
	}
	flags.AddFlags(root.PersistentFlags())
	shared := env{version: version, streams: streams, kube: flags, thresholds: &thresholdFlags{}}
	root.AddCommand(newCheckup(shared), newFD(shared), newWhoisPID(shared), newMounts(shared), newTasks(shared), newMemory(shared), newPipes(shared), newRuntime(shared), newKubelet(shared),
		newExplain(shared), newScript(shared), newStandby(shared), newRecord(shared), newHistory(shared), newDiff(shared), newPreflight(shared), newCleanup(shared), newVersion(shared))
	shared.completeKubectlFlags(root)
	addKubectlCompletion(root, streams.Out)
	return root
}

// env is what every command gets from its surroundings.
type env struct {
	version string
	streams genericiooptions.IOStreams
	kube    *genericclioptions.ConfigFlags
	// thresholds are where findings begin; a command that has findings adds the flags.
	thresholds *thresholdFlags
}
