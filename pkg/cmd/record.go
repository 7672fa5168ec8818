package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

const recordLong = `Leave a recorder on nodes that catches what happens while nobody looks.

It is the same probe in a pod with a deadline, without a token or a host mount. It
notes the node's totals, and for each owner and the largest processes memory,
descriptors and threads, in memory that is bounded: 32 MiB at most, and at 30s one
hundredth of a core. Between two samples the totals are looked at each second; a
jump is sampled at once, so that a peak of some seconds is caught.

It goes on when this command has ended. history reads it at any time. It ends
itself after --for; what it recorded is then left in its pod's log for two days.
--stop removes it, with what it recorded: without nodes, all of the namespace.`

const recordExample = `  # Record a node over the night, and see in the morning who made the peak
  kubectl nodedoc record node-43 --for 12h
  kubectl nodedoc history node-43 --peak memory

  # All nodes of a pool, more closely
  kubectl nodedoc record -l pool=batch --for 4h --every 5s

  # Enough
  kubectl nodedoc record --stop node-43`

type recordOptions struct {
	env
	source        *sourceFlags
	nodes         []string
	selector      string
	maxParallel   int
	parallelGiven bool
	lasts, every  time.Duration
	stop, replace bool
	recordGiven   bool // --for, --every or --replace
}

func newRecord(e env) *cobra.Command {
	o := &recordOptions{env: e, source: newSourceFlags(), lasts: 12 * time.Hour, every: 30 * time.Second}
	c := &cobra.Command{
		Use:               "record NODE...",
		Short:             "Leave a recorder on nodes, for history to read",
		Long:              recordLong,
		Example:           recordExample,
		ValidArgsFunction: e.completeNodes,
		RunE:              steps(o),
	}
	fs := c.Flags()
	fs.DurationVar(&o.lasts, "for", o.lasts, "How long to record")
	fs.DurationVar(&o.every, "every", o.every, "Time between two samples")
	fs.StringVarP(&o.selector, "selector", "l", "", "The nodes with these labels, e.g. pool=batch,zone!=b")
	fs.IntVar(&o.maxParallel, "max-parallel", 0, "Nodes at a time; default: a tenth of them, at least 5")
	fs.BoolVar(&o.stop, "stop", false, "End recorders, and remove what they recorded")
	fs.BoolVar(&o.replace, "replace", false, "Start anew where a node has a recorder; what it recorded is lost")
	o.source.addPod(c)
	return c
}

func (o *recordOptions) complete(c *cobra.Command, args []string) error {
	given := c.Flags().Changed
	o.parallelGiven, o.recordGiven = given("max-parallel"), given("for") || given("every") || given("replace")
	if o.selector != "" {
		if _, err := labels.Parse(o.selector); err != nil {
			return fmt.Errorf("--selector: %w", err)
		}
	}
	return addNodes(&o.nodes, args)
}

func (o *recordOptions) validate() error {
	const longest = 7 * 24 * time.Hour
	switch {
	case len(o.nodes) > 0 && o.selector != "":
		return errors.New("name nodes or choose them by --selector, not both")
	case o.stop && o.recordGiven:
		return errors.New("--stop ends recorders: --for, --every and --replace do not go with it")
	case !o.stop && len(o.nodes) == 0 && o.selector == "":
		return errors.New("which nodes? name them (kubectl get nodes), or choose them by --selector")
	case o.parallelGiven && o.maxParallel < 1:
		return fmt.Errorf("--max-parallel must be 1 or more, not %d", o.maxParallel)
	case o.lasts < 10*time.Second || o.lasts > longest:
		return fmt.Errorf("--for must be between 10s and %s, not %s", longest, o.lasts)
	case o.every < time.Second || o.every > 10*time.Minute:
		return fmt.Errorf("--every must be between 1s and 10m, not %s", o.every)
	case o.every > o.lasts:
		return fmt.Errorf("--every %s is longer than --for %s", o.every, o.lasts)
	}
	return o.source.validate()
}

func (o *recordOptions) run(ctx context.Context) error {
	s := &source{flags: o.source, env: o.env, progress: newProgress(o.streams.ErrOut)}
	defer s.progress.clear()
	if o.stop {
		return o.stopAll(ctx, s)
	}
	targets, parallel, err := s.targets(ctx, o.nodes, o.selector, o.maxParallel)
	if err != nil {
		return err
	}
	shown := newFleetProgress(s.progress)
	visits := visitAll(ctx, targets, parallel, func(ctx context.Context, node string) (string, error) {
		one := *s
		one.progress = shown.ofNode(node)
		return o.record(ctx, &one, node)
	}, shown.tell)
	shown.clear()
	return o.say(visits)
}

// say prints a line for each node that went well, and says what did not.
func (o *recordOptions) say(visits []visit[string]) error {
	var err error
	for _, v := range visits {
		if v.state == printer.NodeAnswered {
			if _, failed := fmt.Fprintf(o.streams.Out, "%s: %s\n", report.Clean(v.node), v.value); failed != nil {
				err = failed
			}
		}
	}
	if gone := missing(visits); len(gone) > 0 {
		err = errors.Join(err, fmt.Errorf("interrupted before %s", names(gone)))
	}
	return errors.Join(unlessReaderLeft(err), fleetError(visits))
}

// record leaves a recorder on a node.
func (o *recordOptions) record(ctx context.Context, s *source, node string) (said string, err error) {
	at := s.cluster
	if err := o.makeRoom(ctx, at, node); err != nil {
		return "", err
	}
	notes := &podNotes{left: leftBehindOf(ctx), cleanUp: o.nodedoc("cleanup --force -n " + at.namespace)}
	config := s.podConfig(node, at, 0)
	config.Record = &debugpod.Recording{For: o.lasts, Every: o.every}
	config.Lifetime = config.Record.Lifetime()
	config.Created = notes.created
	session, err := debugpod.Start(ctx, at.clients, config, s.progress.show, s.progress.warn)
	defer notes.gone()
	if err != nil {
		return "", err
	}
	r, err := session.Record(ctx)
	if closed := session.Close(); err != nil || closed != nil { // of one that records nothing is removed
		return "", errors.Join(err, closed)
	}
	until := time.Now().Add(time.Duration(r.ForSeconds) * time.Second)
	return fmt.Sprintf("records every %s until %s; read it with `%s`", o.every, until.Format("2006-01-02 15:04 MST"), o.nodedoc("history "+node+o.inNamespace())), nil
}

// inNamespace is the flag that finds the pod again, where one was given.
func (o *recordOptions) inNamespace() string {
	switch {
	case o.source.podNamespace != "":
		return " --pod-namespace " + o.source.podNamespace
	case o.kube.Namespace != nil && *o.kube.Namespace != "":
		return " -n " + *o.kube.Namespace
	}
	return ""
}

// makeRoom: a node has one recorder, in whatever namespace, if the others are ours to
// list. What has been recorded is lost only where that was asked for.
func (o *recordOptions) makeRoom(ctx context.Context, at *cluster, node string) error {
	there, err := debugpod.GetRecorder(ctx, at.clients.Kube, at.namespace, node)
	switch {
	case errors.Is(err, debugpod.ErrNoRecorder):
		if elsewhere, found := recorderElsewhere(ctx, at, node); found && elsewhere.Live() {
			return fmt.Errorf("node %q has a recorder already: pod %s/%s %s", node, elsewhere.Namespace, elsewhere.Pod, elsewhere)
		}
		return nil
	case err != nil:
		return err
	case !o.replace:
		return fmt.Errorf("node %q has a recorder already: it %s; read it with `%s`, end it with `%s`, or start anew with --replace",
			node, there, o.nodedoc("history "+node+o.inNamespace()), o.nodedoc("record --stop "+node+o.inNamespace()))
	}
	return there.Stop(at.clients.Kube, o.kubectl(), removePatience)
}

// removePatience bounds the wait for a recorder's pod to be gone.
const removePatience = 30 * time.Second

// recorderElsewhere looks into all namespaces, if they are ours to list.
func recorderElsewhere(ctx context.Context, at *cluster, node string) (debugpod.Recorder, bool) {
	all, err := debugpod.Recorders(ctx, at.clients.Kube, "")
	if err != nil {
		return debugpod.Recorder{}, false
	}
	for _, r := range all {
		if r.Node == node {
			return r, true
		}
	}
	return debugpod.Recorder{}, false
}
