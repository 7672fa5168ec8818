package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

type cleanupOptions struct {
	env
	allNamespaces, force bool
}

func newCleanup(e env) *cobra.Command {
	o := &cleanupOptions{env: e}
	c := &cobra.Command{
		Use:   "cleanup",
		Short: "Delete pods that interrupted runs have left behind",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "Look into all namespaces")
	c.Flags().BoolVar(&o.force, "force", false, "Also delete pods that somebody may be using right now, and recorders with what they recorded")
	return c
}

func (o *cleanupOptions) run(ctx context.Context) error {
	clients, namespace, err := o.clients(1)
	if err != nil {
		return err
	}
	if o.allNamespaces {
		namespace = metav1.NamespaceAll
	}
	swept, err := debugpod.Sweep(ctx, clients.Kube, debugpod.SweepOptions{Namespace: namespace, Force: o.force, Now: time.Now()})
	for _, group := range []struct {
		pods []string
		text string
	}{
		{swept.Deleted, "deleted pod %s\n"},
		{swept.Recorders, "left pod %s; `kubectl nodedoc history` reads it, `kubectl nodedoc record --stop` ends it (or --force)\n"},
		{swept.Running, "left pod %s: it may be in use (--force deletes it)\n"},
		{swept.Stuck, "pod %s\n"},
	} {
		for _, pod := range group.pods {
			fmt.Fprintf(o.streams.Out, group.text, report.Clean(pod))
		}
	}
	if err == nil && len(swept.Deleted)+len(swept.Recorders)+len(swept.Running)+len(swept.Stuck) == 0 {
		fmt.Fprintln(o.streams.Out, "nothing to clean up")
	}
	return err
}
