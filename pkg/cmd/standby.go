package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const standbyLong = `Put a sleeping probe on nodes while all is well, for when no new pod starts there.

It is the same probe in a DaemonSet, without a service account token. Asleep it takes a
few MiB; it looks at a few small files every 15 seconds, and mounts one directory of the
node, /var/log/nodedoc. Every command then asks it by itself where a new pod does not
start, and says so:

1. by attach, which starts no process and needs no runc: the answer is of now;
2. where the container runtime hangs, too, by the report that it keeps in that directory,
   renewed every 5 minutes and when the node falls sick: the kubelet serves it;
3. where the kubelet is dead, nothing of this helps: see kubectl nodedoc script.

Asking takes pods/attach (create) in its namespace, and nodes/proxy (get) for what it
keeps. No image of ours is needed: the probe lies in ConfigMaps.`

const standbyExample = `  # On all nodes, or some
  kubectl nodedoc standby install
  kubectl nodedoc standby install -l pool=batch

  # Where they are, how old what they keep is
  kubectl nodedoc standby status

  # Ask it although a pod might start
  kubectl nodedoc fd node-43 --standby

  kubectl nodedoc standby uninstall`

func newStandby(e env) *cobra.Command {
	c := &cobra.Command{
		Use:     "standby",
		Short:   "A sleeping probe on nodes, for when no new pod starts there",
		Long:    standbyLong,
		Example: standbyExample,
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newStandbyInstall(e), newStandbyStatus(e), newStandbyUninstall(e))
	return c
}

// standbyPatience is how long pods of a DaemonSet may take to come or to go.
const standbyPatience = time.Minute

type standbyInstall struct {
	env
	source   *sourceFlags
	selector string
	chosen   labels.Selector
}

func newStandbyInstall(e env) *cobra.Command {
	o := &standbyInstall{env: e, source: newSourceFlags()}
	c := &cobra.Command{
		Use:   "install",
		Short: "Put sleeping probes on nodes, or renew them",
		Args:  cobra.NoArgs,
		RunE:  steps(o),
	}
	c.Flags().StringVarP(&o.selector, "selector", "l", "", "On nodes with these labels only, now and later, e.g. pool=batch,zone!=b")
	o.source.addPod(c)
	c.Flags().Lookup("pod-namespace").Usage = "Namespace of the standbys; default: " + debugpod.StandbyNamespace
	must(c.Flags().MarkHidden("start-timeout"))
	return c
}

func (o *standbyInstall) complete(*cobra.Command, []string) (err error) {
	if o.selector == "" {
		return nil
	}
	if o.chosen, err = labels.Parse(o.selector); err != nil {
		return fmt.Errorf("--selector: %w", err)
	}
	return nil
}

func (o *standbyInstall) validate() error { return o.source.validate() }

func (o *standbyInstall) run(ctx context.Context) error {
	clients, _, err := o.clients(1)
	if err != nil {
		return err
	}
	p := newProgress(o.streams.ErrOut)
	defer p.clear()
	p.show("checking the nodes")
	namespace := cmp.Or(o.source.podNamespace, debugpod.StandbyNamespace)
	nodes, err := debugpod.InstallStandby(ctx, clients, debugpod.Config{
		Namespace: namespace, Image: o.source.image, ProbeImage: o.source.probeImage, PullSecret: o.source.pullSecret,
		Profile: debugpod.Profile(o.source.profile), Version: o.version, Kubectl: o.kubectl(),
	}, o.chosen, p.show, p.warn)
	if err != nil {
		return err
	}
	waiting, err := o.await(ctx, clients, namespace, nodes, p)
	if err != nil {
		return err
	}
	p.clear()
	fmt.Fprintf(o.streams.Out, "a standby runs on %d of %d nodes\n", len(nodes)-len(waiting), len(nodes))
	if len(waiting) > 0 {
		return fmt.Errorf("no standby runs yet on %s", strings.Join(waiting, "; "))
	}
	return nil
}

// await waits until the standby of each node runs, of this version, and says of which
// none does, and why.
func (o *standbyInstall) await(ctx context.Context, clients debugpod.Clients, namespace string, nodes []string, p *progress) (waiting []string, err error) {
	for end := time.Now().Add(standbyPatience); ; {
		all, err := debugpod.Standbys(ctx, clients.Kube, namespace)
		if err == nil {
			if waiting = notYet(nodes, all, o.version); len(waiting) == 0 {
				return nil, nil
			}
			p.show(fmt.Sprintf("%d of %d standbys run", len(nodes)-len(waiting), len(nodes)))
		}
		if time.Now().After(end) {
			return waiting, err
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func notYet(nodes []string, all []debugpod.Standby, version string) []string {
	why := map[string]string{}
	for _, node := range nodes {
		why[node] = "it has no pod"
	}
	for _, s := range all {
		switch was, ours := why[s.Node]; {
		case !ours || was == "":
		case s.Running && s.Version == version:
			why[s.Node] = ""
		case s.Running:
			why[s.Node] = "an earlier version runs"
		default:
			why[s.Node] = s.Why
		}
	}
	var waiting []string
	for _, node := range nodes {
		if why[node] != "" {
			waiting = append(waiting, node+": "+why[node])
		}
	}
	return waiting
}

type standbyUninstall struct {
	env
	source *sourceFlags
}

func newStandbyUninstall(e env) *cobra.Command {
	o := &standbyUninstall{env: e, source: newSourceFlags()}
	c := &cobra.Command{
		Use:   "uninstall",
		Short: "Remove the sleeping probes, and what they kept",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	o.source.addNamespace(c)
	c.Flags().Lookup("pod-namespace").Usage = "Namespace of the standbys; default: all"
	return c
}

func (o *standbyUninstall) run(ctx context.Context) error {
	clients, _, err := o.clients(1)
	if err != nil {
		return err
	}
	p := newProgress(o.streams.ErrOut)
	defer p.clear()
	p.show("removing the standbys")
	removed, left, err := debugpod.UninstallStandby(ctx, clients.Kube, o.source.podNamespace, standbyPatience)
	p.clear()
	if err != nil {
		return err
	}
	if len(left) > 0 {
		names := make([]string, 0, len(left))
		for _, s := range left {
			names = append(names, fmt.Sprintf("%s/%s on %s", s.Namespace, s.Pod, s.Node))
		}
		return fmt.Errorf("the DaemonSets are deleted; these pods are there still, they go when their nodes answer: %s", report.Clean(strings.Join(names, ", ")))
	}
	if len(removed) == 0 {
		fmt.Fprintln(o.streams.Out, "there was no standby")
		return nil
	}
	_, err = fmt.Fprintf(o.streams.Out, "removed the standbys of %d nodes; of them remains the empty directory %s\n", len(removed), report.KeptDir)
	return unlessReaderLeft(err)
}

var errNoStandbys = errors.New("there is no standby: put some on nodes with `kubectl nodedoc standby install`")
