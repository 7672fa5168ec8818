package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

type preflightOptions struct {
	env
	source *source
	output *outputFlags
	node   string
	found  printer.Preflight
}

func newPreflight(e env) *cobra.Command {
	o := &preflightOptions{env: e, output: newOutputFlags(), source: &source{env: e, flags: newSourceFlags()}}
	c := &cobra.Command{
		Use:   "preflight [NODE]",
		Short: "What you can do here, and what is missing: rights, admission, image, standby",
		Long: `Say whether nodedoc can be used on a node with your own rights, and if not, what
comes next. Everything is asked that a session asks before it creates something,
a dry run of the pod included; nothing is created. Without NODE, the pod is
tried on the first node that is ready.

The exit code is 1 where no node, or not the one that is named, can be examined.`,
		Example: `  kubectl nodedoc preflight
  kubectl nodedoc preflight node-43 --pod-namespace ops
  kubectl nodedoc preflight node-43 --as jane -o json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: e.completeNode,
		RunE:              steps(o),
	}
	o.source.flags.addPod(c)
	o.output.add(c)
	return c
}

func (o *preflightOptions) complete(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		o.node = args[0]
	}
	return nil
}

func (o *preflightOptions) validate() error {
	if err := o.source.flags.validate(); err != nil {
		return err
	}
	return o.output.validate()
}

func (o *preflightOptions) run(ctx context.Context) error {
	p := newProgress(o.streams.ErrOut)
	defer p.clear()
	p.show("asking the API server what you may do")
	at, err := o.source.reach()
	if err != nil {
		return err
	}
	if err := o.place(ctx, at); err != nil {
		return err
	}
	if o.node != "" {
		err = o.oneNode(ctx, at)
	} else {
		err = o.allNodes(ctx, at)
	}
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	p.clear()
	if err := o.print(); err != nil || o.found.OK {
		return unlessReaderLeft(err)
	}
	return errReported
}

func (o *preflightOptions) print() error {
	if !o.output.human() {
		return o.output.print(o.streams.Out, "Preflight", o.found, nil)
	}
	return printer.PrintPreflight(o.streams.Out, o.found, o.output.style(o.streams.Out))
}

func (o *preflightOptions) fact(name, format string, args ...any) {
	o.found.Facts = append(o.found.Facts, printer.Fact{Name: name, Text: fmt.Sprintf(format, args...)})
}

// place asks what is the same for all nodes. Its error is that nobody answers.
func (o *preflightOptions) place(ctx context.Context, at *cluster) error {
	version, err := debugpod.ServerVersion(ctx, at.clients.Kube)
	if err != nil {
		return err
	}
	o.fact("API server", "%s at %s", version, at.clients.REST.Host)
	for _, r := range debugpod.AskRights(ctx, at.clients.Kube, at.namespace) {
		right := printer.PreflightRight{Verbs: r.Verbs, Resources: r.Resources, Group: r.Group, Namespace: r.Namespace,
			Required: r.Required, Missing: r.Missing, Unknown: r.Unknown, Without: r.Without}
		if r.Unknown == "" {
			right.Granted = new(len(r.Missing) == 0)
		}
		o.found.Rights = append(o.found.Rights, right)
	}
	level, err := debugpod.PodSecurity(ctx, at.clients.Kube, at.namespace)
	if err != nil {
		level = "not known: " + oneLine(err)
	}
	o.fact("namespace", "%s: %s", at.namespace, level)
	return nil
}

// oneNode judges the node that was named.
func (o *preflightOptions) oneNode(ctx context.Context, at *cluster) error {
	trial, err := o.try(ctx, at, o.node)
	if err != nil {
		return err
	}
	standby, findErr := debugpod.FindStandby(ctx, at.clients.Kube, o.node, at.namespace)
	if findErr == nil {
		findErr = debugpod.MayAskStandby(ctx, at.clients.Kube, standby)
	}
	switch {
	case findErr != nil:
		o.fact("standby", "%s", oneLine(findErr))
	case !standby.Running:
		o.fact("standby", "pod %s/%s does not run: %s", standby.Namespace, standby.Pod, standby.Why)
	default:
		o.fact("standby", "pod %s/%s, version %s, asleep", standby.Namespace, standby.Pod, standby.Version)
	}
	byStandby := findErr == nil && standby.Running
	switch {
	case trial.Refused == nil && trial.Sick == "":
		o.found.OK = true
		o.found.Verdict = fmt.Sprintf("you can use nodedoc on node %s, by a pod in namespace %s", o.node, at.namespace)
	case byStandby:
		o.found.OK = true
		o.found.Verdict = fmt.Sprintf("you can use nodedoc on node %s, by its standby: no pod starts there", o.node)
		if trial.Refused != nil {
			o.found.Verdict = fmt.Sprintf("you can use nodedoc on node %s, by its standby only: you can make no pod", o.node)
		}
	case trial.Refused == nil:
		o.found.Verdict = fmt.Sprintf("node %s may start no pod: %s", o.node, trial.Sick)
		o.found.Next = append(o.found.Next, debugpod.OtherWay(o.kubectl(), o.node))
	default:
		o.found.Verdict = fmt.Sprintf("you cannot use nodedoc on node %s: you can make no pod there, and it has no standby that answers you", o.node)
	}
	o.refused(trial)
	return nil
}

// allNodes judges the cluster by the first node that is ready.
func (o *preflightOptions) allNodes(ctx context.Context, at *cluster) error {
	targets, err := allNodes(ctx, at.clients.Kube, "")
	if err != nil {
		o.found.Verdict = "which node? You may not list them all"
		o.found.Next = []string{"name one: " + o.nodedoc("preflight NODE")}
		o.fact("nodes", "%s", oneLine(err))
		return nil
	}
	fit := slices.IndexFunc(targets, func(t target) bool { return t.state == "" })
	if fit < 0 {
		o.found.Verdict = fmt.Sprintf("none of %d nodes can be examined by a pod", len(targets))
		o.sickNodes(ctx, at, targets)
		return nil
	}
	trial, err := o.try(ctx, at, targets[fit].node)
	if err != nil {
		return err
	}
	sick := o.sickNodes(ctx, at, targets)
	o.found.OK = trial.Refused == nil && trial.Sick == ""
	o.found.Verdict = fmt.Sprintf("you can use nodedoc on %d of %d nodes, by a pod in namespace %s", len(targets)-sick, len(targets), at.namespace)
	if !o.found.OK {
		o.found.Verdict = fmt.Sprintf("you can use nodedoc on no node by a pod in namespace %s", at.namespace)
		o.refused(trial)
	}
	return nil
}

// namedSick bounds how many of the nodes that take no pod are named.
const namedSick = 10

// sickNodes names those that take no pod, and says how many there are; and where
// standbys are.
func (o *preflightOptions) sickNodes(ctx context.Context, at *cluster, targets []target) (sick int) {
	for _, t := range targets {
		if t.state == "" {
			continue
		}
		if sick++; sick <= namedSick {
			o.fact("node", "%s: %s", t.node, t.reason)
		}
	}
	if sick > namedSick {
		o.fact("nodes", "%d more that are not ready, or no Linux machines", sick-namedSick)
	}
	all, err := debugpod.Standbys(ctx, at.clients.Kube, "")
	if err != nil {
		o.fact("standby", "%s", oneLine(err))
		return sick
	}
	running := 0
	for _, s := range all {
		if s.Running {
			running++
		}
	}
	o.fact("standby", "%d of %d nodes have one that runs", running, len(targets))
	return sick
}

// try goes on a node as far as a session does before it creates something.
func (o *preflightOptions) try(ctx context.Context, at *cluster, node string) (debugpod.Trial, error) {
	trial, err := debugpod.Try(ctx, at.clients, o.source.podConfig(node, at, 0))
	if err != nil {
		return trial, err
	}
	o.fact("node", "%s: %s", node, trial.State)
	o.found.Notes = append(o.found.Notes, trial.Warnings...)
	if trial.Refused != nil {
		return trial, nil //nolint:nilerr // that is the answer
	}
	priority := "of the default priority: a node under pressure may refuse it"
	if trial.Priority != "" {
		priority = "with priority class " + trial.Priority
	}
	o.fact("pod", "admitted by a dry run, %s", priority)
	o.fact("image", "%s, %s", trial.Image, trial.ImageFrom)
	return trial, nil
}

// refused says why there is no pod, and what the error has as next steps.
func (o *preflightOptions) refused(trial debugpod.Trial) {
	if trial.Refused == nil {
		return
	}
	why, steps, _ := strings.Cut(trial.Refused.Error(), "\n")
	o.fact("pod", "%s", why)
	for step := range strings.Lines(steps) {
		o.found.Next = append(o.found.Next, strings.TrimSpace(step))
	}
}
