package cmd

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubectl/pkg/util/term"

	"github.com/nodedoc/kubectl-nodedoc/pkg/nodescript"
	"github.com/nodedoc/kubectl-nodedoc/pkg/payload"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const scriptLong = `Write a shell script with the probe in it, for a node on which no pod can start.

Where the node is reached by ssh, or by any console, it makes the report there: it
reads, prints the report, and leaves nothing behind. It runs under the sh of
busybox, dash and bash, and needs gzip and base64 there. Every command then answers
from that report, without the node and without the API server: owners are named by
the node's own files. Where the API server is reached, --join asks it for the pods of
that node, too, so that it is known who is gone.`

const scriptExample = `  # The node's kubelet is dead, or its runtime hangs
  kubectl nodedoc script node-43 > node-43.sh
  ssh node-43 'sudo sh -s' < node-43.sh > node-43.report
  kubectl nodedoc fd --from node-43.report
  kubectl nodedoc runtime --from node-43.report --join

  # Without a cluster: for any node of this architecture
  kubectl nodedoc script --arch arm64 > nodedoc.sh`

// scriptInterval lies between the two looks of a report made by a script.
const scriptInterval = 2 * time.Second

type scriptOptions struct {
	env
	node string
	arch string
	// showSecrets is that of other commands.
	showSecrets bool
}

func newScript(e env) *cobra.Command {
	o := &scriptOptions{env: e}
	c := &cobra.Command{
		Use:               "script [NODE]",
		Short:             "A shell script that makes a node's report where no pod can start",
		Long:              scriptLong,
		Example:           scriptExample,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: e.completeNode,
		RunE:              steps(o),
	}
	c.Flags().StringVar(&o.arch, "arch", "", "Carry the probe for this architecture only: amd64 or arm64; default: the node's, else both")
	c.Flags().BoolVar(&o.showSecrets, "show-secrets", false, "Have command lines reported as they are; else likely secrets in them stay on the node")
	must(c.RegisterFlagCompletionFunc("arch", cobra.FixedCompletions(payload.Architectures(), cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func (o *scriptOptions) complete(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		o.node = args[0]
	}
	return nil
}

func (o *scriptOptions) validate() error {
	switch {
	case o.arch != "" && !slices.Contains(payload.Architectures(), o.arch):
		return fmt.Errorf("--arch is %s, not %q", strings.Join(payload.Architectures(), " or "), o.arch)
	case term.IsTerminal(o.streams.Out):
		return fmt.Errorf("the script has a program in it: it goes to a file.\n%s", o.howTo())
	}
	return nil
}

// howTo are the commands, from here to the answer.
func (o *scriptOptions) howTo() string {
	node := cmp.Or(o.node, "NODE")
	return fmt.Sprintf(`  %s > %[2]s.sh
  ssh %[2]s 'sudo sh -s' < %[2]s.sh > %[2]s.report
  kubectl nodedoc fd --from %[2]s.report`, o.nodedoc(strings.TrimSpace("script "+o.node)), node)
}

func (o *scriptOptions) run(ctx context.Context) error {
	archs := []string{o.arch}
	if o.arch == "" {
		archs = o.architectures(ctx)
	}
	probes := make([]nodescript.Probe, 0, len(archs))
	for _, arch := range archs {
		binary, err := payload.Probe(arch)
		if err != nil {
			return err
		}
		probes = append(probes, nodescript.Probe{Arch: arch, Binary: binary})
	}
	req := report.Everything()
	req.IntervalMillis, req.ShowSecrets = scriptInterval.Milliseconds(), o.showSecrets
	return unlessReaderLeft(nodescript.Write(o.streams.Out, o.node, o.version, probes, req))
}

// architectures are the node's, or all: the API server may be what is out of order.
func (o *scriptOptions) architectures(ctx context.Context) []string {
	if o.node == "" {
		return payload.Architectures()
	}
	arch, err := o.architecture(ctx)
	if err != nil {
		newProgress(o.streams.ErrOut).warn(fmt.Sprintf("the script carries the probes for all architectures: %v", err))
		return payload.Architectures()
	}
	return []string{arch}
}

func (o *scriptOptions) architecture(ctx context.Context) (string, error) {
	clients, _, err := o.clients(1)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, completionPatience)
	defer cancel()
	n, err := clients.Kube.CoreV1().Nodes().Get(ctx, o.node, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	if system := n.Status.NodeInfo.OperatingSystem; system != "" && system != "linux" {
		return "", fmt.Errorf("node %q runs %s", o.node, report.Escape(system))
	}
	if arch := n.Status.NodeInfo.Architecture; slices.Contains(payload.Architectures(), arch) {
		return arch, nil
	}
	return "", fmt.Errorf("node %q is of architecture %q", o.node, n.Status.NodeInfo.Architecture)
}
